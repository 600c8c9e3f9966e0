"""What providers tell by themselves: an app's secret for it, what was told already, and feeds that wait to be read."""

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table


class Migration(AtomicMigration):
    dependencies = [("tieline", "0013_unchecked_consents")]

    operations = [
        statements(
            "ALTER TABLE provider_app ADD COLUMN webhook_secret_sealed bytea",
            # The key is a hash: an event's id is as long as the provider likes.
            "CREATE TABLE webhook_event (practice_id uuid NOT NULL, provider_app_id uuid NOT NULL, key bytea NOT NULL, "
            "received_at timestamptz NOT NULL, PRIMARY KEY (practice_id, provider_app_id, key))",
            "CREATE INDEX webhook_event_age ON webhook_event (received_at)",
            "CREATE TABLE webhook_touch (practice_id uuid NOT NULL, organisation_id uuid NOT NULL, feed varchar(64) NOT NULL, "
            "touched_at timestamptz NOT NULL, PRIMARY KEY (practice_id, organisation_id, feed))",
        ),
        tenant_key("webhook_event", "provider_app_id", "provider_app", on_delete="CASCADE"),
        tenant_key("webhook_touch", "organisation_id", "organisation", on_delete="CASCADE"),
        tenant_table("webhook_event"),
        tenant_table("webhook_touch"),
    ]
