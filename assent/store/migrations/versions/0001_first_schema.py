"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import assent.store.types

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "actions",
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("card_version", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("proposed_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settled_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("action_id"),
    )
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.create_index("actions_by_agent_type", ["agent", "type", "proposed_at"], unique=False)
        batch_op.create_index("actions_by_run", ["run_id", "proposed_at", "action_id"], unique=False)
        batch_op.create_index("actions_by_status", ["status", "agent", "run_id"], unique=False)

    op.create_table(
        "agent_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
    )
    with op.batch_alter_table("agent_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_keys_agent"), ["agent"], unique=False)

    op.create_table(
        "agents",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=True),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.JSON(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("action_id"),
    )
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.create_index("approvals_by_age", ["status", "created_at", "id"], unique=False)
        batch_op.create_index("approvals_by_agent", ["agent", "status", "expires_at", "id"], unique=False)
        batch_op.create_index("approvals_by_due", ["status", "expires_at", "id"], unique=False)
        batch_op.create_index("approvals_by_run", ["run_id"], unique=False)

    op.create_table(
        "card_versions",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("catalogue", sa.JSON(), nullable=False),
        sa.Column("published_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "version"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("why_not", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_approval_id"), ["approval_id"], unique=False)

    op.create_table(
        "effects",
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("lease_until", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("undo_data", sa.JSON(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("action_id"),
    )
    with op.batch_alter_table("effects", schema=None) as batch_op:
        batch_op.create_index("effects_by_run", ["run_id", "claimed_at"], unique=False)
        batch_op.create_index("effects_in_flight", ["status", "agent", "run_id"], unique=False)

    op.create_table(
        "ledger_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("ledger_events", schema=None) as batch_op:
        batch_op.create_index("ledger_by_action", ["action_id", "id"], unique=False)
        batch_op.create_index("ledger_by_agent", ["agent", "id"], unique=False)
        batch_op.create_index("ledger_by_kind", ["kind", "id"], unique=False)
        batch_op.create_index("ledger_by_run", ["run_id", "id"], unique=False)

    op.create_table(
        "ledger_links",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("event_id"),
    )
    op.create_table(
        "messages",
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("shown_status", sa.String(), nullable=False),
        sa.Column("posted_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("approval_id", "channel", "place"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("created_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("sent_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("outbox_by_subject", ["subject", "id"], unique=False)
        batch_op.create_index("outbox_due", ["sent", "due_at", "id"], unique=False)

    op.create_table(
        "pauses",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.JSON(), nullable=False),
        sa.Column("requested_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("fenced_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("quiesced_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("in_flight", sa.Integer(), nullable=False),
        sa.Column("affected", sa.Integer(), nullable=False),
        sa.Column("known_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resumed_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resumed_by", sa.JSON(), nullable=True),
        sa.Column("resume_note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("pauses", schema=None) as batch_op:
        batch_op.create_index("pauses_by_time", ["requested_at", "id"], unique=False)
        batch_op.create_index("pauses_in_force", ["active", "scope_kind", "scope_name"], unique=False)

    op.create_table(
        "people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("slack_user", sa.String(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("slack_user"),
    )
    op.create_table(
        "resources",
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("undo", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("resource", "at", "action_id", "undo"),
    )
    op.create_table(
        "rollback_steps",
        sa.Column("rollback_id", sa.String(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("step", sa.JSON(), nullable=False),
        sa.Column("finished_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("rollback_id", "ordinal"),
    )
    op.create_table(
        "rollbacks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.JSON(), nullable=False),
        sa.Column("requested_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("rollbacks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rollbacks_scope_id"), ["scope_id"], unique=False)
        batch_op.create_index("rollbacks_by_time", ["requested_at", "id"], unique=False)

    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.Column("received", sa.JSON(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_by", sa.JSON(), nullable=False),
        sa.Column("started_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Text(), nullable=False),
        sa.Column("last_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actions", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index("runs_by_agent", ["agent", "started_at", "run_id"], unique=False)
        batch_op.create_index("runs_by_agent_status", ["agent", "status", "started_at", "run_id"], unique=False)
        batch_op.create_index("runs_by_start", ["started_at", "run_id"], unique=False)
        batch_op.create_index("runs_by_status", ["status", "started_at", "run_id"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("created_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_person_id"), ["person_id"], unique=False)

    op.create_table(
        "sign_in_links",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("created_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "undos",
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("rollback_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("lease_until", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", assent.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("action_id"),
    )
    op.create_table(
        "usage",
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("action_type", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.Column("at", assent.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("action_id", "measure"),
    )
    with op.batch_alter_table("usage", schema=None) as batch_op:
        batch_op.create_index("usage_by_hour", ["agent", "action_type", "measure", "at"], unique=False)
        batch_op.create_index("usage_by_run", ["run_id", "action_type", "measure"], unique=False)

    _seal_the_ledger()


def _seal_the_ledger() -> None:
    """Let nobody change or delete what the ledger says."""
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute(
            "CREATE FUNCTION assent_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
        )
    for table in ("ledger_events", "ledger_links"):
        for verb in ("UPDATE", "DELETE"):
            name = f"{table}_no_{verb.lower()}"
            if postgres:
                action = "EXECUTE FUNCTION assent_append_only()"
            else:
                action = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW {action}")
        if postgres:
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION assent_append_only()"
            )
