"""Practices, their people, teams and keys; clients and the words of their names."""

import functools
from json import dumps, loads
from typing import Any
from uuid import uuid4

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table
from tieline.practices.plan import Plan
from tieline.principal import ClientAccess, Role


def _id(name: str = "id") -> tuple[str, Any]:
    return (name, fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True))


def _instant(name: str, *, null: bool = False) -> tuple[str, Any]:
    return (name, fields.DatetimeField(null=True) if null else fields.DatetimeField())


def _json(name: str) -> tuple[str, Any]:
    encoder = functools.partial(dumps, separators=(",", ":"))
    return (name, fields.JSONField(encoder=encoder, decoder=loads))


def _text(name: str, length: int, *, null: bool = False) -> tuple[str, Any]:
    return (name, fields.CharField(length, null=True) if null else fields.CharField(length))


class Migration(AtomicMigration):
    initial = True

    operations = [
        ops.CreateModel(
            name="PracticeRow",
            fields=[
                _id(),
                _text("name", 200),
                ("plan", fields.CharEnumField(enum_type=Plan, max_length=16)),
                _json("settings"),
                _instant("created_at"),
            ],
            options={"table": "practice", "app": "tieline", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PersonRow",
            fields=[
                _id(),
                ("practice_id", fields.UUIDField()),
                _text("name", 200),
                _text("email", 254),
                _text("issuer", 255, null=True),
                _text("subject", 255, null=True),
                _instant("created_at"),
            ],
            options={"table": "person", "app": "tieline", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TeamRow",
            fields=[_id(), ("practice_id", fields.UUIDField()), _text("name", 200), _instant("created_at")],
            options={"table": "team", "app": "tieline", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PracticeMemberRow",
            fields=[
                _id("person_id"),
                ("practice_id", fields.UUIDField()),
                ("role", fields.CharEnumField(enum_type=Role, max_length=16)),
                ("permissions", ArrayField(element_type="TEXT")),
                ("client_access", fields.CharEnumField(enum_type=ClientAccess, max_length=16)),
                _instant("created_at"),
            ],
            options={"table": "practice_member", "app": "tieline", "pk_attr": "person_id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ApiKeyRow",
            fields=[
                _id(),
                ("practice_id", fields.UUIDField()),
                ("person_id", fields.UUIDField(null=True)),
                _text("name", 200),
                _text("prefix", 16),
                ("hash", fields.BinaryField()),
                ("scopes", ArrayField(null=True, element_type="TEXT")),
                _instant("created_at"),
                _instant("expires_at", null=True),
                _instant("revoked_at", null=True),
            ],
            options={"table": "api_key", "app": "tieline", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ClientRow",
            fields=[
                _id(),
                ("practice_id", fields.UUIDField()),
                _text("name", 200),
                _text("name_key", 400),
                _text("legal_name", 200, null=True),
                _text("practice_code", 64, null=True),
                ("team_id", fields.UUIDField(null=True)),
                _text("country", 2, null=True),
                _text("currency", 3, null=True),
                _text("tax_number", 64, null=True),
                _text("registration_number", 64, null=True),
                _json("detail_sources"),
                _instant("created_at"),
            ],
            options={"table": "client", "app": "tieline", "pk_attr": "id"},
            bases=["Model"],
        ),
        # Keys that other tables' foreign keys can carry the practice with.
        statements(
            "ALTER TABLE person ADD CONSTRAINT person_in_practice UNIQUE (practice_id, id)",
            "ALTER TABLE team ADD CONSTRAINT team_in_practice UNIQUE (practice_id, id)",
            "ALTER TABLE practice_member ADD CONSTRAINT practice_member_in_practice UNIQUE (practice_id, person_id)",
            "ALTER TABLE api_key ADD CONSTRAINT api_key_in_practice UNIQUE (practice_id, id)",
            "ALTER TABLE client ADD CONSTRAINT client_in_practice UNIQUE (practice_id, id)",
        ),
        # Names sort and match by a key that Python computes, so the collation is plain bytes.
        statements(
            'ALTER TABLE client ALTER COLUMN name_key TYPE varchar(400) COLLATE "C"',
            "CREATE INDEX client_by_name ON client (practice_id, name_key, id)",
            "CREATE INDEX client_by_team ON client (practice_id, team_id) WHERE team_id IS NOT NULL",
            "CREATE UNIQUE INDEX client_practice_code_once ON client (practice_id, practice_code) WHERE practice_code IS NOT NULL",
            'CREATE TABLE client_word (practice_id uuid NOT NULL, word varchar(64) COLLATE "C" NOT NULL, client_id uuid NOT NULL, '
            "PRIMARY KEY (practice_id, word, client_id))",
            "CREATE INDEX client_word_of_client ON client_word (practice_id, client_id)",
        ),
        # Who sees which client: members by team or by name, client members by themselves.
        statements(
            "CREATE TABLE member_team (practice_id uuid NOT NULL, person_id uuid NOT NULL, team_id uuid NOT NULL, "
            "PRIMARY KEY (practice_id, person_id, team_id))",
            "CREATE INDEX member_team_of_team ON member_team (practice_id, team_id)",
            "CREATE TABLE member_client (practice_id uuid NOT NULL, person_id uuid NOT NULL, client_id uuid NOT NULL, "
            "PRIMARY KEY (practice_id, person_id, client_id))",
            "CREATE INDEX member_client_of_client ON member_client (practice_id, client_id)",
            "CREATE TABLE client_member (practice_id uuid NOT NULL, person_id uuid NOT NULL, client_id uuid NOT NULL, "
            "role varchar(16) NOT NULL, created_at timestamptz NOT NULL, PRIMARY KEY (practice_id, person_id, client_id))",
            "CREATE INDEX client_member_of_client ON client_member (practice_id, client_id)",
        ),
        statements(
            "ALTER TABLE practice ADD CONSTRAINT practice_plan_known CHECK (plan IN ('STANDARD', 'ADVANCED'))",
            "ALTER TABLE practice_member ADD CONSTRAINT practice_member_role_known CHECK (role IN ('ADMIN', 'MEMBER'))",
            "ALTER TABLE practice_member ADD CONSTRAINT practice_member_access_known CHECK (client_access IN ('ALL', 'LISTED'))",
            "ALTER TABLE client_member ADD CONSTRAINT client_member_role_known CHECK (role IN ('ADMINISTRATOR', 'READER'))",
            "ALTER TABLE client ADD CONSTRAINT client_country_form CHECK (country ~ '^[A-Z]{2}$')",
            "ALTER TABLE client ADD CONSTRAINT client_currency_form CHECK (currency ~ '^[A-Z]{3}$')",
            "ALTER TABLE client ADD CONSTRAINT client_named CHECK (name <> '' AND name_key <> '')",
            "ALTER TABLE team ADD CONSTRAINT team_name_once UNIQUE (practice_id, name)",
            "ALTER TABLE person ADD CONSTRAINT person_subject_once UNIQUE (practice_id, issuer, subject)",
            "ALTER TABLE person ADD CONSTRAINT person_email_once UNIQUE (practice_id, email)",
            "ALTER TABLE api_key ADD CONSTRAINT api_key_hash_once UNIQUE (hash)",
            "ALTER TABLE api_key ADD CONSTRAINT api_key_service_is_scoped CHECK (person_id IS NOT NULL OR scopes IS NOT NULL)",
        ),
        statements(
            *(
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_practice_id_fkey FOREIGN KEY (practice_id) "
                "REFERENCES practice (id) ON DELETE CASCADE"
                for table in ("person", "team", "client", "api_key")
            )
        ),
        tenant_key("practice_member", "person_id", "person", on_delete="CASCADE"),
        tenant_key("api_key", "person_id", "person", on_delete="CASCADE"),
        tenant_key("client", "team_id", "team", on_delete="RESTRICT"),
        tenant_key("client_word", "client_id", "client", on_delete="CASCADE"),
        tenant_key("member_team", "person_id", "practice_member", on_delete="CASCADE", key="person_id"),
        tenant_key("member_team", "team_id", "team", on_delete="CASCADE"),
        tenant_key("member_client", "person_id", "practice_member", on_delete="CASCADE", key="person_id"),
        tenant_key("member_client", "client_id", "client", on_delete="CASCADE"),
        tenant_key("client_member", "person_id", "person", on_delete="CASCADE"),
        tenant_key("client_member", "client_id", "client", on_delete="CASCADE"),
        tenant_table("practice", practice="id"),
        *(
            tenant_table(table)
            for table in (
                "person",
                "team",
                "practice_member",
                "api_key",
                "client",
                "client_word",
                "member_team",
                "member_client",
                "client_member",
            )
        ),
    ]
