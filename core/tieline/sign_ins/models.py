"""The tables of sign-ins and their rounds. What a sign-in found stands in `sign_in_organisation`."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class SignInRow(Model):
    """A person's sign-in: one or more rounds to the consent page, then usable for a day."""

    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    person_id = fields.UUIDField()
    provider_app_id = fields.UUIDField()
    purpose = fields.CharField(max_length=16)
    products: fields.Field[list[str]] = ArrayField(element_type="text")
    connection_id = fields.UUIDField(null=True)
    return_url = fields.CharField(max_length=2000, null=True)
    state = fields.CharField(max_length=16)
    failure = fields.CharField(max_length=32, null=True)
    ready_at = fields.DatetimeField(null=True)
    usable_until = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "sign_in"


class ConsentRoundRow(Model):
    """One trip to the consent page. `tokens_sealed` waits here only while no credential has its subject.

    The proof belongs to the round: whoever shows it takes what this consent brought, and nothing of another.
    """

    id = fields.UUIDField(primary_key=True)
    practice_id = fields.UUIDField()
    sign_in_id = fields.UUIDField()
    connection_id = fields.UUIDField(null=True)
    state_hash = fields.BinaryField()
    verifier_sealed = fields.BinaryField()
    code_hash = fields.BinaryField(null=True)
    claimed_until = fields.DatetimeField(null=True)
    outcome = fields.CharField(max_length=16, null=True)
    failure = fields.CharField(max_length=32, null=True)
    subject = fields.CharField(max_length=200, null=True)
    login = fields.CharField(max_length=254, null=True)
    consent_mark = fields.CharField(max_length=200, null=True)
    tokens_sealed = fields.BinaryField(null=True)
    unchecked = fields.BooleanField(default=False)
    credential_id = fields.UUIDField(null=True)
    proof_hash = fields.BinaryField(null=True)
    proof_until = fields.DatetimeField(null=True)
    consented_at = fields.DatetimeField(null=True)
    taken_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "consent_round"
