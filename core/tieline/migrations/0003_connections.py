"""Provider apps, credentials, sign-ins, organisations, connections and the runs they queue; clients may be deleted."""

from typing import Any
from uuid import uuid4

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table


def _id(name: str = "id") -> tuple[str, Any]:
    return (name, fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True))


def _uuid(name: str, *, null: bool = False) -> tuple[str, Any]:
    return (name, fields.UUIDField(null=True) if null else fields.UUIDField())


def _text(name: str, length: int, *, null: bool = False) -> tuple[str, Any]:
    return (name, fields.CharField(length, null=True) if null else fields.CharField(length))


def _instant(name: str, *, null: bool = False) -> tuple[str, Any]:
    return (name, fields.DatetimeField(null=True) if null else fields.DatetimeField())


def _bytes(name: str, *, null: bool = False) -> tuple[str, Any]:
    return (name, fields.BinaryField(null=True) if null else fields.BinaryField())


def _texts(name: str) -> tuple[str, Any]:
    return (name, ArrayField(element_type="TEXT"))


def _model(name: str, table: str, *columns: tuple[str, Any]) -> ops.CreateModel:
    options = {"table": table, "app": "tieline", "pk_attr": "id"}
    return ops.CreateModel(
        name=name, fields=[_id(), _uuid("practice_id"), *columns], options=options, bases=["Model"]
    )


def _known(table: str, column: str, *values: str) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_known CHECK ({column} IN ({listed}))"


_TABLES = ("provider_app", "credential", "organisation", "connection", "sign_in", "consent_round", "sync_run")
_LINKS = ("consent", "sign_in_organisation")
_REASONS = (
    "CONSENT_EXPIRED",
    "TOKEN_EXPIRED",
    "REVOKED_AT_PROVIDER",
    "SCOPE_MISSING",
    "ACCESS_LOST",
    "SUBSCRIPTION_LAPSED",
    "DISCONNECTED",
)


class Migration(AtomicMigration):
    dependencies = [("tieline", "0002_jobs_events_clock")]

    operations = [
        _model(
            "ProviderAppRow",
            "provider_app",
            _text("provider", 32),
            _text("environment", 16),
            _text("base_url", 300, null=True),
            _text("client_id", 200),
            _bytes("secret_sealed"),
            ("bulk_consent", fields.BooleanField()),
            _text("fault", 64, null=True),
            _instant("created_at"),
        ),
        _model(
            "CredentialRow",
            "credential",
            _uuid("provider_app_id"),
            _text("subject", 200),
            _text("login", 254, null=True),
            _uuid("person_id"),
            _bytes("tokens_sealed", null=True),
            _bytes("previous_sealed", null=True),
            _instant("previous_until", null=True),
            _texts("scopes"),
            _instant("access_expires_at"),
            _instant("refresh_expires_at", null=True),
            _text("state", 16),
            _text("dead_reason", 32, null=True),
            ("version", fields.BigIntField()),
            ("lease_owner", fields.TextField(null=True)),
            _instant("lease_until", null=True),
            _instant("refreshed_at"),
            _instant("created_at"),
        ),
        _model(
            "OrganisationRow",
            "organisation",
            _text("provider", 32),
            _text("environment", 16),
            _text("external_id", 100),
            _text("name", 200),
            _text("name_key", 400),
            _text("legal_name", 200, null=True),
            _text("country", 2, null=True),
            _text("currency", 3, null=True),
            _text("tax_number", 64, null=True),
            _text("registration_number", 64, null=True),
            _text("timezone", 64, null=True),
            _uuid("client_id", null=True),
            _instant("details_at", null=True),
            _instant("last_synced_at", null=True),
            _instant("next_sync_at", null=True),
            _instant("created_at"),
        ),
        _model(
            "ConnectionRow",
            "connection",
            _uuid("client_id"),
            _text("product", 16),
            _uuid("organisation_id"),
            _uuid("credential_id"),
            _text("reason", 32, null=True),
            ("mismatch", fields.BooleanField()),
            _instant("connected_at"),
            _instant("changed_at"),
            _instant("ended_at", null=True),
            _text("status", 16, null=True),
            _uuid("held_organisation_id", null=True),
        ),
        _model(
            "SignInRow",
            "sign_in",
            _uuid("person_id"),
            _uuid("provider_app_id"),
            _text("purpose", 16),
            _texts("products"),
            _uuid("connection_id", null=True),
            _text("return_url", 2000, null=True),
            _text("state", 16),
            _text("failure", 32, null=True),
            _instant("ready_at", null=True),
            _instant("usable_until", null=True),
            _instant("created_at"),
            _instant("changed_at"),
        ),
        _model(
            "ConsentRoundRow",
            "consent_round",
            _uuid("sign_in_id"),
            _bytes("state_hash"),
            _bytes("verifier_sealed"),
            _bytes("code_hash", null=True),
            _instant("claimed_until", null=True),
            _text("outcome", 16, null=True),
            _text("failure", 32, null=True),
            _text("subject", 200, null=True),
            _text("login", 254, null=True),
            _text("consent_mark", 200, null=True),
            _bytes("tokens_sealed", null=True),
            _uuid("credential_id", null=True),
            _bytes("proof_hash", null=True),
            _instant("proof_until", null=True),
            _instant("consented_at", null=True),
            _instant("taken_at", null=True),
            _instant("created_at"),
            _instant("expires_at"),
        ),
        _model(
            "SyncRunRow",
            "sync_run",
            _uuid("organisation_id"),
            _uuid("credential_id"),
            _texts("feeds"),
            _text("trigger", 16),
            _text("state", 16),
            _text("reason", 32, null=True),
            _uuid("requested_by", null=True),
            _instant("created_at"),
            _instant("changed_at"),
        ),
        # The schema editor makes plain columns of generated ones, and Tortoise cannot say the collation.
        statements(
            "ALTER TABLE connection DROP COLUMN status, DROP COLUMN held_organisation_id",
            "ALTER TABLE connection ADD COLUMN status varchar(16) GENERATED ALWAYS AS (CASE WHEN reason IS NOT NULL THEN 'EXPIRED' "
            "WHEN mismatch THEN 'MISMATCH' ELSE 'CONNECTED' END) STORED, "
            "ADD COLUMN held_organisation_id uuid GENERATED ALWAYS AS "
            "(CASE WHEN ended_at IS NULL AND (reason IS NULL OR reason <> 'DISCONNECTED') THEN organisation_id END) STORED",
            'ALTER TABLE organisation ALTER COLUMN name_key TYPE varchar(400) COLLATE "C"',
            "ALTER TABLE credential ALTER COLUMN version SET DEFAULT 0",
        ),
        # What a credential reaches, and since when the consent for it runs; what a sign-in has found.
        statements(
            "CREATE TABLE consent (practice_id uuid NOT NULL, credential_id uuid NOT NULL, organisation_id uuid NOT NULL, "
            "consented_at timestamptz NOT NULL, PRIMARY KEY (practice_id, credential_id, organisation_id))",
            "CREATE INDEX consent_of_organisation ON consent (practice_id, organisation_id)",
            "CREATE TABLE sign_in_organisation (practice_id uuid NOT NULL, sign_in_id uuid NOT NULL, organisation_id uuid NOT NULL, "
            "credential_id uuid NOT NULL, consented boolean NOT NULL, PRIMARY KEY (practice_id, sign_in_id, organisation_id))",
            "CREATE INDEX sign_in_organisation_of_organisation ON sign_in_organisation (practice_id, organisation_id)",
            "CREATE INDEX sign_in_organisation_of_credential ON sign_in_organisation (practice_id, credential_id)",
        ),
        # A deleted client is hidden at once; a job removes it.
        statements(
            "ALTER TABLE client ADD COLUMN deleted_at timestamptz",
            "DROP INDEX client_by_name",
            "CREATE INDEX client_by_name ON client (practice_id, name_key, id) WHERE deleted_at IS NULL",
            "DROP INDEX client_practice_code_once",
            "CREATE UNIQUE INDEX client_practice_code_once ON client (practice_id, practice_code) "
            "WHERE practice_code IS NOT NULL AND deleted_at IS NULL",
        ),
        # Keys that other tables' foreign keys can carry the practice with, and what is one of its kind.
        statements(
            *(
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_in_practice UNIQUE (practice_id, id)"
                for table in _TABLES
            ),
            "ALTER TABLE organisation ADD CONSTRAINT organisation_of_client UNIQUE (practice_id, id, client_id)",
            "ALTER TABLE provider_app ADD CONSTRAINT provider_app_once UNIQUE (practice_id, provider)",
            "ALTER TABLE credential ADD CONSTRAINT credential_subject_once UNIQUE (practice_id, provider_app_id, subject)",
            "ALTER TABLE organisation ADD CONSTRAINT organisation_once UNIQUE (practice_id, provider, environment, external_id)",
            "ALTER TABLE consent_round ADD CONSTRAINT consent_round_state_once UNIQUE (state_hash)",
            "CREATE UNIQUE INDEX connection_current_once ON connection (practice_id, client_id, product) WHERE ended_at IS NULL",
            # Revoking ends all that a person granted to an app, so no two practices may share one.
            "CREATE UNIQUE INDEX provider_app_client_once ON provider_app "
            "(provider, environment, coalesce(base_url, ''), client_id)",
            "CREATE UNIQUE INDEX sync_run_live_once ON sync_run (practice_id, organisation_id) "
            "WHERE state IN ('QUEUED', 'RUNNING', 'PAUSED')",
        ),
        statements(
            "CREATE INDEX organisation_of_client_index ON organisation (practice_id, client_id) WHERE client_id IS NOT NULL",
            "CREATE INDEX connection_of_client ON connection (practice_id, client_id)",
            "CREATE INDEX connection_of_organisation ON connection (practice_id, organisation_id)",
            "CREATE INDEX connection_held ON connection (practice_id, held_organisation_id) WHERE held_organisation_id IS NOT NULL",
            "CREATE INDEX connection_of_credential ON connection (practice_id, credential_id)",
            "CREATE INDEX credential_of_person ON credential (practice_id, person_id)",
            "CREATE INDEX sign_in_of_person ON sign_in (practice_id, person_id)",
            "CREATE INDEX sign_in_of_app ON sign_in (practice_id, provider_app_id)",
            "CREATE INDEX sign_in_of_connection ON sign_in (practice_id, connection_id) WHERE connection_id IS NOT NULL",
            "CREATE INDEX consent_round_of_sign_in ON consent_round (practice_id, sign_in_id)",
            # Rounds that nobody answered stay as they are, so what is looked for are those that run still.
            "CREATE INDEX consent_round_out ON consent_round (practice_id, expires_at) "
            "WHERE outcome IS NULL AND code_hash IS NULL",
            "CREATE INDEX consent_round_claimed ON consent_round (practice_id, claimed_until) "
            "WHERE outcome IS NULL AND code_hash IS NOT NULL",
            "CREATE INDEX consent_round_pending ON consent_round (practice_id, subject, proof_until) "
            "WHERE outcome = 'GRANTED' AND taken_at IS NULL",
            "CREATE INDEX consent_round_waiting ON consent_round (practice_id, subject) WHERE tokens_sealed IS NOT NULL",
            "CREATE INDEX consent_round_of_credential ON consent_round (practice_id, credential_id) WHERE credential_id IS NOT NULL",
            "CREATE INDEX sync_run_of_organisation ON sync_run (practice_id, organisation_id, created_at)",
            "CREATE INDEX sync_run_of_credential ON sync_run (practice_id, credential_id)",
        ),
        statements(
            _known("provider_app", "environment", "LIVE", "SANDBOX"),
            _known("credential", "state", "LIVE", "DEAD"),
            "ALTER TABLE credential ADD CONSTRAINT credential_live_has_tokens CHECK (state = 'DEAD' OR tokens_sealed IS NOT NULL)",
            "ALTER TABLE credential ADD CONSTRAINT credential_lease_whole CHECK ((lease_owner IS NULL) = (lease_until IS NULL))",
            "ALTER TABLE organisation ADD CONSTRAINT organisation_country_form CHECK (country ~ '^[A-Z]{2}$')",
            "ALTER TABLE organisation ADD CONSTRAINT organisation_currency_form CHECK (currency ~ '^[A-Z]{3}$')",
            _known("connection", "product", "BOOKKEEPING", "DATA_HEALTH"),
            _known("connection", "reason", *_REASONS),
            _known("sign_in", "purpose", "CONNECT", "BULK_CONNECT", "RECONNECT"),
            _known("sign_in", "state", "STARTED", "CONSENTED", "READY", "FAILED", "EXPIRED"),
            _known("consent_round", "outcome", "GRANTED", "REFUSED"),
            _known("sync_run", "state", "QUEUED", "RUNNING", "SUCCEEDED", "PAUSED", "FAILED", "CANCELLED"),
        ),
        statements(
            *(
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_practice_id_fkey FOREIGN KEY (practice_id) "
                "REFERENCES practice (id) ON DELETE CASCADE"
                for table in _TABLES
            )
        ),
        tenant_key("credential", "provider_app_id", "provider_app", on_delete="RESTRICT"),
        tenant_key("credential", "person_id", "person", on_delete="RESTRICT"),
        tenant_key("organisation", "client_id", "client", on_delete="RESTRICT"),
        tenant_key("connection", "client_id", "client", on_delete="RESTRICT"),
        tenant_key("connection", "organisation_id", "organisation", on_delete="RESTRICT"),
        tenant_key("connection", "credential_id", "credential", on_delete="RESTRICT"),
        tenant_key("sign_in", "person_id", "person", on_delete="CASCADE"),
        tenant_key("sign_in", "provider_app_id", "provider_app", on_delete="CASCADE"),
        tenant_key("sign_in", "connection_id", "connection", on_delete="CASCADE"),
        tenant_key("consent_round", "sign_in_id", "sign_in", on_delete="CASCADE"),
        tenant_key("consent_round", "credential_id", "credential", on_delete="CASCADE"),
        tenant_key("consent", "credential_id", "credential", on_delete="CASCADE"),
        tenant_key("consent", "organisation_id", "organisation", on_delete="CASCADE"),
        tenant_key("sign_in_organisation", "sign_in_id", "sign_in", on_delete="CASCADE"),
        tenant_key("sign_in_organisation", "organisation_id", "organisation", on_delete="CASCADE"),
        tenant_key("sign_in_organisation", "credential_id", "credential", on_delete="CASCADE"),
        tenant_key("sync_run", "organisation_id", "organisation", on_delete="CASCADE"),
        tenant_key("sync_run", "credential_id", "credential", on_delete="CASCADE"),
        tenant_key("sync_run", "requested_by", "person", on_delete="RESTRICT"),
        # One organisation serves one client, though two products may share it: held by the database.
        statements(
            "ALTER TABLE connection ADD CONSTRAINT connection_holds_for_its_client "
            "FOREIGN KEY (practice_id, held_organisation_id, client_id) REFERENCES organisation (practice_id, id, client_id) "
            "ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED",
        ),
        *(tenant_table(table) for table in (*_TABLES, *_LINKS)),
    ]
