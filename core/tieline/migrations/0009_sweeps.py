"""How long consents last in a practice, what people were warned of, and indexes for what is swept."""

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0008_reconnect_all")]

    operations = [
        # None: consents do not run out by themselves.
        statements(
            "ALTER TABLE practice ADD COLUMN consent_life_days integer DEFAULT 365 "
            "CONSTRAINT practice_consent_life_days_positive CHECK (consent_life_days > 0)",
            "ALTER TABLE connection ADD COLUMN warned_of timestamptz, ADD COLUMN warned_days integer",
        ),
        statements(
            "CREATE INDEX consent_by_age ON consent (practice_id, consented_at)",
            "CREATE INDEX credential_by_age ON credential (practice_id, refreshed_at) WHERE state = 'LIVE'",
            "CREATE INDEX credential_hard_end ON credential (practice_id, hard_expires_at) "
            "WHERE state = 'LIVE' AND hard_expires_at IS NOT NULL",
            "CREATE INDEX sync_run_finished ON sync_run (finished_at) WHERE finished_at IS NOT NULL",
            "CREATE INDEX ledger_record_gone ON ledger_record (deleted_at) WHERE deleted_at IS NOT NULL",
            "CREATE INDEX sign_in_over ON sign_in (changed_at) WHERE state IN ('FAILED', 'EXPIRED')",
        ),
    ]
