"""Which connection a round of a sign-in is for, where one consent is one company's."""

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0010_full_reads")]

    # No key to the connection: a round may hold tokens that are still to be revoked, and does not go with it.
    operations = [statements("ALTER TABLE consent_round ADD COLUMN connection_id uuid")]
