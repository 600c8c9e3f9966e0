"""Names of people to sort and search by, who may no longer come in, and who did what."""

from tortoise import fields
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_generator.state_apps import StateApps

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table
from tieline.names import name_key


async def _give_keys(_apps: StateApps, editor: BaseSchemaEditor) -> None:
    """By Python, as later names get theirs."""
    _, people = await editor.client.execute_query("SELECT id, name FROM person")
    await editor.client.execute_query(
        "UPDATE person SET name_key = k.key FROM unnest($1::uuid[], $2::text[]) AS k (id, key) WHERE person.id = k.id",
        [[person["id"] for person in people], [name_key(person["name"]) for person in people]],
    )


class Migration(AtomicMigration):
    dependencies = [("tieline", "0015_quota_meters")]

    operations = [
        ops.AddField("PersonRow", "name_key", fields.CharField(400, null=True)),
        statements("SET LOCAL ROLE tieline_system"),
        ops.RunPython(_give_keys),
        statements(
            "RESET ROLE",
            'ALTER TABLE person ALTER COLUMN name_key TYPE varchar(400) COLLATE "C", ALTER COLUMN name_key SET NOT NULL, '
            # `authority` grows with each change of what the person may, so that whoever knows it can see that it is over.
            "ADD COLUMN deactivated_at timestamptz, ADD COLUMN authority bigint NOT NULL DEFAULT 0, "
            "ADD CONSTRAINT person_subject_whole CHECK ((issuer IS NULL) = (subject IS NULL))",
            "CREATE INDEX person_by_name ON person (practice_id, name_key, id)",
            "CREATE INDEX person_by_subject ON person (issuer, subject) WHERE subject IS NOT NULL",
        ),
        # No keys to client, API key and subject: what was done to them is kept longer than they are.
        statements(
            "CREATE TABLE activity (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
            "practice_id uuid NOT NULL REFERENCES practice (id) ON DELETE CASCADE, "
            "at timestamptz NOT NULL, kind text NOT NULL, person_id uuid, api_key_id uuid, client_id uuid, subject_id uuid, "
            "details jsonb NOT NULL, correlation_id text NOT NULL, "
            "CONSTRAINT activity_is_somebodys CHECK (person_id IS NOT NULL OR api_key_id IS NOT NULL))",
            "CREATE INDEX activity_feed ON activity (practice_id, at, position)",
            "CREATE INDEX activity_of_client ON activity (practice_id, client_id, at, position) WHERE client_id IS NOT NULL",
            "CREATE INDEX activity_of_person ON activity (practice_id, person_id, at, position)",
            "CREATE INDEX activity_age ON activity (at, position)",
        ),
        tenant_key("activity", "person_id", "person", on_delete="RESTRICT"),
        tenant_table("activity", rights="SELECT, INSERT"),
    ]
