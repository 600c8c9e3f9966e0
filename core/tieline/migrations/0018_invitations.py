"""Invitations: how somebody who signs in at the issuer comes to be a person of a practice."""

from tieline.database.migration import AtomicMigration, statements, tenant_key, tenant_table


class Migration(AtomicMigration):
    dependencies = [("tieline", "0017_connection_settings")]

    operations = [
        statements(
            "CREATE TABLE invitation (id uuid PRIMARY KEY, "
            "practice_id uuid NOT NULL REFERENCES practice (id) ON DELETE CASCADE, "
            "email varchar(254) NOT NULL, name varchar(200) NOT NULL, kind text NOT NULL, "
            "role text, permissions text[] NOT NULL, client_access text, team_ids uuid[] NOT NULL DEFAULT '{}', "
            "client_ids uuid[] NOT NULL DEFAULT '{}', client_id uuid, client_role text, "
            "token_hash bytea NOT NULL, invited_by uuid NOT NULL, person_id uuid, "
            "created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, "
            "accepted_at timestamptz, revoked_at timestamptz, "
            "CONSTRAINT invitation_says_to_what CHECK ("
            "(kind = 'MEMBER' AND role IS NOT NULL AND client_access IS NOT NULL AND client_id IS NULL AND client_role IS NULL) OR "
            "(kind = 'CLIENT_MEMBER' AND role IS NULL AND client_access IS NULL AND client_id IS NOT NULL AND client_role IS NOT NULL)), "
            "CONSTRAINT invitation_role_known CHECK (role IN ('ADMIN', 'MEMBER')), "
            "CONSTRAINT invitation_access_known CHECK (client_access IN ('ALL', 'LISTED')), "
            "CONSTRAINT invitation_client_role_known CHECK (client_role IN ('ADMINISTRATOR', 'READER')), "
            "CONSTRAINT invitation_accepted_by_somebody CHECK ((accepted_at IS NULL) = (person_id IS NULL)))",
            "CREATE UNIQUE INDEX invitation_token_once ON invitation (token_hash)",
            # One open invitation to the practice for an address, and one to each client.
            "CREATE UNIQUE INDEX invitation_member_once ON invitation (practice_id, email) "
            "WHERE client_id IS NULL AND accepted_at IS NULL AND revoked_at IS NULL",
            "CREATE UNIQUE INDEX invitation_client_member_once ON invitation (practice_id, client_id, email) "
            "WHERE client_id IS NOT NULL AND accepted_at IS NULL AND revoked_at IS NULL",
            "CREATE INDEX invitation_age ON invitation (practice_id, expires_at)",
        ),
        tenant_key("invitation", "client_id", "client", on_delete="CASCADE"),
        tenant_key("invitation", "invited_by", "person", on_delete="RESTRICT"),
        tenant_key("invitation", "person_id", "person", on_delete="RESTRICT"),
        tenant_table("invitation"),
    ]
