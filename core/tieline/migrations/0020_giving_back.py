"""What is being given back at a provider at this moment: nobody is sent to its consent page meanwhile."""

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table


class Migration(AtomicMigration):
    dependencies = [("tieline", "0019_keys_in_use")]

    operations = [
        statements(
            "CREATE TABLE giving_back (id uuid PRIMARY KEY, "
            "practice_id uuid NOT NULL REFERENCES practice (id) ON DELETE CASCADE, "
            "provider_app_id uuid NOT NULL, until timestamptz NOT NULL)",
            "CREATE INDEX giving_back_of_app ON giving_back (practice_id, provider_app_id, until)",
        ),
        tenant_key("giving_back", "provider_app_id", "provider_app", on_delete="CASCADE"),
        tenant_table("giving_back"),
    ]
