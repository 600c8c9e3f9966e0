"""The tables of provider apps and credentials. What a credential reaches stands in `consent`."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class ProviderAppRow(Model):
    """One practice's app at a provider; `fault` is the code of the last refusal of the app itself."""

    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    provider = fields.CharField(max_length=32)
    environment = fields.CharField(max_length=16)
    base_url = fields.CharField(max_length=300, null=True)
    client_id = fields.CharField(max_length=200)
    secret_sealed = fields.BinaryField()
    webhook_secret_sealed = fields.BinaryField(null=True)
    bulk_consent = fields.BooleanField()
    tier = fields.CharField(max_length=32, null=True)
    fault = fields.CharField(max_length=64, null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "provider_app"


class CredentialRow(Model):
    """The tokens of one subject at one app; `version` grows with every pair that is stored."""

    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    provider_app_id = fields.UUIDField()
    subject = fields.CharField(max_length=200)
    login = fields.CharField(max_length=254, null=True)
    person_id = fields.UUIDField()
    tokens_sealed = fields.BinaryField(null=True)
    previous_sealed = fields.BinaryField(null=True)
    previous_until = fields.DatetimeField(null=True)
    scopes: fields.Field[list[str]] = ArrayField(element_type="text")
    access_expires_at = fields.DatetimeField()
    refresh_expires_at = fields.DatetimeField(null=True)
    hard_expires_at = fields.DatetimeField(null=True)
    state = fields.CharField(max_length=16)
    dead_reason = fields.CharField(max_length=32, null=True)
    version = fields.BigIntField()
    lease_owner = fields.TextField(null=True)
    lease_until = fields.DatetimeField(null=True)
    refreshed_at = fields.DatetimeField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "credential"
