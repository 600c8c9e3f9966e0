"""When a grant ends for good, however often it is refreshed: some providers say."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tieline.database.migration import AtomicMigration


class Migration(AtomicMigration):
    dependencies = [("tieline", "0006_told_pauses")]

    operations = [ops.AddField("CredentialRow", "hard_expires_at", fields.DatetimeField(null=True))]
