"""Syncing: how runs go on, where feeds stand, the records they brought, and blocks of the providers' limits."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table

_TABLES = ("quota_block", "feed_cursor", "ledger_record", "record_set_aside")


class Migration(AtomicMigration):
    dependencies = [("tieline", "0003_connections")]

    operations = [
        ops.AddField("ProviderAppRow", "tier", fields.CharField(32, null=True)),
        # What a run's slices write is set-based SQL alone, and so are the tables below.
        statements(
            "ALTER TABLE sync_run ADD COLUMN lane text NOT NULL DEFAULT 'BACKGROUND', "
            "ADD COLUMN progress jsonb NOT NULL DEFAULT '{}', ADD COLUMN limit_name varchar(32), "
            "ADD COLUMN resume_at timestamptz, ADD COLUMN started_at timestamptz, ADD COLUMN finished_at timestamptz, "
            "ADD COLUMN message text, ADD COLUMN still_slices integer NOT NULL DEFAULT 0, ADD COLUMN trouble_since timestamptz",
            "ALTER TABLE sync_run ADD CONSTRAINT sync_run_lane_known CHECK (lane IN ('INTERACTIVE', 'BACKGROUND', 'FIRST'))",
            "ALTER TABLE sync_run ADD CONSTRAINT sync_run_paused_until CHECK ((state = 'PAUSED') = (resume_at IS NOT NULL))",
            "CREATE INDEX organisation_due ON organisation (next_sync_at, id) WHERE next_sync_at IS NOT NULL AND client_id IS NOT NULL",
        ),
        statements(
            "CREATE TABLE quota_block (practice_id uuid NOT NULL, provider_app_id uuid NOT NULL, external_id text NOT NULL DEFAULT '', "
            "limit_name varchar(32) NOT NULL, until timestamptz NOT NULL, "
            "PRIMARY KEY (practice_id, provider_app_id, external_id, limit_name))",
            "CREATE TABLE feed_cursor (practice_id uuid NOT NULL, organisation_id uuid NOT NULL, feed varchar(64) NOT NULL, "
            "cursor text, generation bigint NOT NULL DEFAULT 0, full_read_at timestamptz, updated_at timestamptz NOT NULL, "
            "PRIMARY KEY (practice_id, organisation_id, feed))",
            "CREATE TABLE ledger_record (practice_id uuid NOT NULL, organisation_id uuid NOT NULL, dataset varchar(32) NOT NULL, "
            'external_id varchar(200) NOT NULL, name text, code text, sort_key text COLLATE "C" NOT NULL, active boolean NOT NULL, '
            "data jsonb NOT NULL, source_updated_at timestamptz, hash bytea NOT NULL, generation bigint NOT NULL, "
            "changed_at timestamptz NOT NULL, deleted_at timestamptz, "
            "PRIMARY KEY (practice_id, organisation_id, dataset, external_id))",
            "CREATE INDEX ledger_record_listed ON ledger_record (practice_id, organisation_id, dataset, sort_key, external_id) "
            "WHERE deleted_at IS NULL",
            "CREATE TABLE record_set_aside (practice_id uuid NOT NULL, organisation_id uuid NOT NULL, dataset varchar(32) NOT NULL, "
            "external_id varchar(200) NOT NULL, feed varchar(64) NOT NULL, why text NOT NULL, at timestamptz NOT NULL, "
            "PRIMARY KEY (practice_id, organisation_id, dataset, external_id))",
        ),
        tenant_key("quota_block", "provider_app_id", "provider_app", on_delete="CASCADE"),
        *(
            tenant_key(table, "organisation_id", "organisation", on_delete="CASCADE")
            for table in ("feed_cursor", "ledger_record", "record_set_aside")
        ),
        *(tenant_table(table) for table in _TABLES),
    ]
