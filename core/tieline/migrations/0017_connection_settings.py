"""What people have settled about each connection, by name; what has its default is not in it."""

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0016_people")]

    operations = [
        statements(
            "ALTER TABLE connection ADD COLUMN settings jsonb NOT NULL DEFAULT '{}' "
            "CONSTRAINT connection_settings_by_name CHECK (jsonb_typeof(settings) = 'object')"
        ),
    ]
