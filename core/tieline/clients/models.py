"""The client's table. The words of its name stand in `client_word`, which set-based SQL alone fills and reads."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from tieline.names import NAME_KEY_LENGTH, NAME_LENGTH


class ClientRow(Model):
    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    name = fields.CharField(max_length=NAME_LENGTH)
    name_key = fields.CharField(max_length=NAME_KEY_LENGTH)
    legal_name = fields.CharField(max_length=NAME_LENGTH, null=True)
    practice_code = fields.CharField(max_length=64, null=True)
    team_id = fields.UUIDField(null=True)
    country = fields.CharField(max_length=2, null=True)
    currency = fields.CharField(max_length=3, null=True)
    tax_number = fields.CharField(max_length=64, null=True)
    registration_number = fields.CharField(max_length=64, null=True)
    detail_sources: fields.Field[dict[str, str]] = fields.JSONField()
    created_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "client"
