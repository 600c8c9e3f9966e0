"""The engine's tables: jobs (what is to be done), events (what happened), and the deployment's clock."""

from tieline.database.migration import AtomicMigration, open_table, statements, tenant_table


class Migration(AtomicMigration):
    dependencies = [("tieline", "0001_practices_and_clients")]

    operations = [
        statements(
            "CREATE TABLE job (id uuid PRIMARY KEY, "
            "practice_id uuid REFERENCES practice (id) ON DELETE CASCADE, "
            "actor text NOT NULL, arguments jsonb NOT NULL, lane text NOT NULL, key text, "
            "due_at timestamptz NOT NULL, created_at timestamptz NOT NULL, correlation_id text NOT NULL, "
            "again_at timestamptz, attempts integer NOT NULL DEFAULT 0, fence bigint NOT NULL DEFAULT 0, "
            "lease_owner text, lease_until timestamptz, rung_at timestamptz, failed_at timestamptz, error text, "
            "CONSTRAINT job_lane_known CHECK (lane IN ('INTERACTIVE', 'BACKGROUND', 'FIRST')), "
            "CONSTRAINT job_lease_whole CHECK ((lease_owner IS NULL) = (lease_until IS NULL)))",
            "CREATE INDEX job_due ON job (due_at, id) WHERE failed_at IS NULL",
            "CREATE INDEX job_of_practice ON job (practice_id)",
            "CREATE UNIQUE INDEX job_key_once ON job (practice_id, key) WHERE practice_id IS NOT NULL AND key IS NOT NULL",
            "CREATE UNIQUE INDEX job_system_key_once ON job (key) WHERE practice_id IS NULL AND key IS NOT NULL",
        ),
        tenant_table("job"),
        statements(
            "CREATE TABLE event (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
            "xid xid8 NOT NULL DEFAULT pg_current_xact_id(), "
            "practice_id uuid NOT NULL REFERENCES practice (id) ON DELETE CASCADE, "
            "kind text NOT NULL, client_id uuid, payload jsonb NOT NULL, at timestamptz NOT NULL, correlation_id text NOT NULL)",
            "CREATE INDEX event_feed ON event (practice_id, xid, position)",
            "CREATE INDEX event_age ON event (at, position)",
        ),
        tenant_table("event", rights="SELECT, INSERT"),
        statements(
            "CREATE TABLE feed (epoch uuid PRIMARY KEY, pruned_below xid8 NOT NULL DEFAULT '0')",
            "INSERT INTO feed (epoch) VALUES (gen_random_uuid())",
            "CREATE UNIQUE INDEX feed_is_one ON feed ((true))",
        ),
        open_table("feed", system="SELECT, UPDATE"),
        statements(
            "CREATE TABLE clock (offset_by interval NOT NULL)",
            "INSERT INTO clock (offset_by) VALUES ('0')",
            "CREATE UNIQUE INDEX clock_is_one ON clock ((true))",
        ),
        open_table("clock", system="SELECT, UPDATE"),
    ]
