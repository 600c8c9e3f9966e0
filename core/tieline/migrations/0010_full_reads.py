"""When the latest reading of everything of a feed began: what was set aside before is forgotten at its end."""

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0009_sweeps")]

    operations = [statements("ALTER TABLE feed_cursor ADD COLUMN full_read_began_at timestamptz")]
