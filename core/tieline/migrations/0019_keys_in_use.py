"""Of each API key, who made it and with which one, when it was last used, and what was done with it."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0018_invitations")]

    operations = [
        # No key to the other key: it may be forgotten before this one ends. People never are.
        ops.AddField("ApiKeyRow", "made_by", fields.UUIDField(null=True)),
        ops.AddField("ApiKeyRow", "made_with", fields.UUIDField(null=True)),
        ops.AddField("ApiKeyRow", "last_used_at", fields.DatetimeField(null=True)),
        statements(
            "CREATE INDEX api_key_made_by ON api_key (practice_id, made_by) WHERE made_by IS NOT NULL",
            "CREATE INDEX api_key_made_with ON api_key (practice_id, made_with) WHERE made_with IS NOT NULL",
            "CREATE INDEX activity_of_key ON activity (practice_id, api_key_id, at, position) "
            "WHERE api_key_id IS NOT NULL",
            "SET LOCAL ROLE tieline_system",
            "UPDATE api_key AS k SET made_by = a.person_id, made_with = a.api_key_id FROM activity AS a "
            "WHERE a.practice_id = k.practice_id AND a.subject_id = k.id AND a.kind = 'API_KEY_CREATED'",
            "RESET ROLE",
        ),
    ]
