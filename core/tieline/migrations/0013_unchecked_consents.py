"""Consents of which nobody has seen yet whether their tokens open the organisation that the browser named."""

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0012_mended_and_lost")]

    # What waits already was checked before it was kept.
    operations = [statements("ALTER TABLE consent_round ADD COLUMN unchecked boolean NOT NULL DEFAULT false")]
