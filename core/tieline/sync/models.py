"""The table of sync runs."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class SyncRunRow(Model):
    """One bringing up to date of one organisation; at most one is live at a time."""

    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    organisation_id = fields.UUIDField()
    credential_id = fields.UUIDField()
    feeds: fields.Field[list[str]] = ArrayField(element_type="text")
    trigger = fields.CharField(max_length=16)
    state = fields.CharField(max_length=16)
    reason = fields.CharField(max_length=32, null=True)
    requested_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "sync_run"
