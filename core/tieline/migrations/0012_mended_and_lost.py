"""Which connections a sign-in mended by itself, and consents that are remembered while their organisation is missing."""

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table


class Migration(AtomicMigration):
    dependencies = [("tieline", "0011_rounds_for_connections")]

    operations = [
        statements(
            "CREATE TABLE sign_in_mended (practice_id uuid NOT NULL, sign_in_id uuid NOT NULL, "
            "connection_id uuid NOT NULL, PRIMARY KEY (practice_id, sign_in_id, connection_id))",
            "CREATE INDEX sign_in_mended_of_connection ON sign_in_mended (practice_id, connection_id)",
            "ALTER TABLE consent ADD COLUMN lost_at timestamptz",
        ),
        tenant_key("sign_in_mended", "sign_in_id", "sign_in", on_delete="CASCADE"),
        tenant_key("sign_in_mended", "connection_id", "connection", on_delete="CASCADE"),
        tenant_table("sign_in_mended"),
    ]
