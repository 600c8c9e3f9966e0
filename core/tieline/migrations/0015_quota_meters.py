"""How many calls of each day count for an app's month, so that the month outlives Redis."""

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table


class Migration(AtomicMigration):
    dependencies = [("tieline", "0014_webhooks")]

    operations = [
        statements(
            "CREATE TABLE quota_meter (practice_id uuid NOT NULL, provider_app_id uuid NOT NULL, external_id text NOT NULL DEFAULT '', "
            "limit_name varchar(32) NOT NULL, day date NOT NULL, calls bigint NOT NULL, "
            "PRIMARY KEY (practice_id, provider_app_id, external_id, limit_name, day))",
            "CREATE INDEX quota_meter_age ON quota_meter (day)",
        ),
        tenant_key("quota_meter", "provider_app_id", "provider_app", on_delete="CASCADE"),
        tenant_table("quota_meter"),
    ]
