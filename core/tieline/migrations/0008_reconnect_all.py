"""Sign-ins to reconnect all that is broken; names of a client and its organisation that differ and are accepted."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tieline.database.migration import AtomicMigration, statements


class Migration(AtomicMigration):
    dependencies = [("tieline", "0007_hard_expiry")]

    operations = [
        ops.AddField("ConnectionRow", "accepted_names", fields.CharField(64, null=True)),
        statements(
            "ALTER TABLE sign_in DROP CONSTRAINT sign_in_purpose_known, ADD CONSTRAINT sign_in_purpose_known "
            "CHECK (purpose IN ('CONNECT', 'BULK_CONNECT', 'RECONNECT', 'RECONNECT_ALL'))"
        ),
    ]
