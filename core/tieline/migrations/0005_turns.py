"""Whose turn it is: the practices' lines of jobs, and how many turns each has had."""

from tieline.database.migration import AtomicMigration, statements
from tieline.database.roles import SYSTEM_ROLE


class Migration(AtomicMigration):
    dependencies = [("tieline", "0004_sync")]

    operations = [
        # A line is a practice's id, or nil for the jobs of the deployment itself. Claims count turns, nobody else.
        statements(
            "CREATE TABLE job_turn (line uuid PRIMARY KEY, turn bigint NOT NULL)",
            f"GRANT SELECT, INSERT, UPDATE ON job_turn TO {SYSTEM_ROLE}",
            "ALTER TABLE job ADD COLUMN line uuid NOT NULL "
            "GENERATED ALWAYS AS (coalesce(practice_id, '00000000-0000-0000-0000-000000000000')) STORED",
            "CREATE INDEX job_in_line ON job (line, lane, due_at, id) WHERE failed_at IS NULL",
            "DROP INDEX job_due",
            "CREATE INDEX job_due ON job (due_at, id) WHERE failed_at IS NULL AND lane = 'INTERACTIVE'",
        ),
    ]
