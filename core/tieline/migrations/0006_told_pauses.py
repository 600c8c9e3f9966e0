"""What people were told of a run's pause: which limit, and for how long at most."""

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0005_turns")]

    operations = [
        statements("ALTER TABLE sync_run ADD COLUMN told_limit varchar(32), ADD COLUMN told_wait interval"),
    ]
