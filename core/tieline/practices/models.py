"""Tables of the practice: the tenant itself, its people, teams and API keys."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from tieline.practices.plan import Plan
from tieline.principal import ClientAccess, Role


class PracticeRow(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200)
    plan = fields.CharEnumField(Plan, max_length=16)
    settings: fields.Field[dict[str, Any]] = fields.JSONField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "practice"


class PersonRow(Model):
    """One human in one practice: a human in two practices is two persons."""

    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    name = fields.CharField(max_length=200)
    name_key = fields.CharField(max_length=400)
    email = fields.CharField(max_length=254)
    issuer = fields.CharField(max_length=255, null=True)
    subject = fields.CharField(max_length=255, null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "person"


class TeamRow(Model):
    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    name = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()

    class Meta:
        table = "team"


class PracticeMemberRow(Model):
    person_id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    role = fields.CharEnumField(Role, max_length=16)
    permissions: fields.Field[list[str]] = ArrayField(element_type="text")
    client_access = fields.CharEnumField(ClientAccess, max_length=16)
    created_at = fields.DatetimeField()

    class Meta:
        table = "practice_member"


class ApiKeyRow(Model):
    """Acts as exactly one person or, without one, as the service it is named for; only its hash is kept."""

    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    person_id = fields.UUIDField(null=True)
    name = fields.CharField(max_length=200)
    prefix = fields.CharField(max_length=16)
    hash = fields.BinaryField()
    scopes: fields.Field[list[str] | None] = ArrayField(element_type="text", null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    made_by = fields.UUIDField(null=True)
    made_with = fields.UUIDField(null=True)
    last_used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_key"
