"""Syncs by themselves: what is due of each practice is found alone, and a practice may pause them."""

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0020_giving_back")]

    operations = [
        statements(
            "DROP INDEX organisation_due",
            # A practice's own, so that what is due of one is found without reading through all others'.
            "CREATE INDEX organisation_due ON organisation (practice_id, next_sync_at, id) "
            "WHERE next_sync_at IS NOT NULL AND client_id IS NOT NULL",
            "ALTER TABLE practice ADD COLUMN syncs_paused_at timestamptz",
        ),
    ]
