"""Of each API key, which one it was made with, when it was last used, and what was done with it."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0018_invitations")]

    operations = [
        # No key to the other key: it may be forgotten before this one ends.
        ops.AddField("ApiKeyRow", "made_with", fields.UUIDField(null=True)),
        ops.AddField("ApiKeyRow", "last_used_at", fields.DatetimeField(null=True)),
        statements(
            "CREATE INDEX activity_of_key ON activity (practice_id, api_key_id, at, position) "
            "WHERE api_key_id IS NOT NULL"
        ),
    ]
