"""The journal's own tables; DBOS keeps its tables beside them in the same file and nobody else writes those."""

import sqlalchemy as sa

SCHEMA_VERSION = 2

metadata = sa.MetaData()

meta = sa.Table(
    "spottui_meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

interruption = sa.Table(
    "interruption",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("instance_id", sa.Text, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("interruption_of_instance", "region", "instance_id", "epoch"),
)

# What the workflow writes is in `data`; what a person says is in columns of its own: neither overwrites the other.
recovery = sa.Table(
    "recovery",
    metadata,
    sa.Column("id", sa.Text, sa.ForeignKey("interruption.id"), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("decision", sa.Text, nullable=False, server_default=""),
    sa.Column("decided_at", sa.Float),
    sa.Column("who", sa.Text, nullable=False, server_default=""),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("recovery_by_state", "state"),
    sa.Index("recovery_by_decision", "state", "decision"),
)

# Releases are kept apart from interruptions: the word that an instance is gone can come before the word why.
release = sa.Table(
    "release",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("instance_id", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)

watermark = sa.Table(
    "watermark",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)

# A plan is long: in the rows above, every count of recoveries would read all of them.
plan = sa.Table(
    "plan",
    metadata,
    sa.Column("recovery_id", sa.Text, sa.ForeignKey("recovery.id"), primary_key=True),
    sa.Column("plan", sa.Text, nullable=False),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("instance_id", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("recovery_id", sa.Text, nullable=False, server_default=""),
    sa.Column("request_id", sa.Text, nullable=False, server_default=""),
    sa.Column("body", sa.Text, nullable=False, server_default=""),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("recovery_id", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("client_token", sa.Text, nullable=False, server_default=""),
    sa.Column("request_id", sa.Text, nullable=False, server_default=""),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Index("audit_of_recovery", "recovery_id"),
)

# What a recovery showed from when on: its row holds only what it shows now.
outlook = sa.Table(
    "outlook",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("recovery_id", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("outlook_of_recovery", "recovery_id"),
)

fleet = sa.Table(
    "fleet",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("instance_id", sa.Text, primary_key=True),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("details_at", sa.Float),
    sa.Column("seen_at", sa.Float, nullable=False),
)

image_timing = sa.Table(
    "image_timing",
    metadata,
    sa.Column("image_id", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("gib", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("category", sa.Text, nullable=False, server_default=""),
)

# What a journal of an earlier schema version lacks; new tables are made by themselves.
UPGRADES = {
    2: (
        "ALTER TABLE image_timing ADD COLUMN category TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX IF NOT EXISTS recovery_by_decision ON recovery (state, decision)",
        "INSERT INTO plan (recovery_id, plan) SELECT id, json_set(plan, '$.routes', json_array(json_extract(plan, "
        "'$.route'))) FROM recovery WHERE plan IS NOT NULL",
        "UPDATE recovery SET plan = NULL",
    )
}


cool_down = sa.Table(
    "cool_down",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("instance_type", sa.Text, primary_key=True),
    sa.Column("zone", sa.Text, primary_key=True),
    sa.Column("on_demand", sa.Boolean, primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

# One row for each console that has armed auto-mode; it counts only while that console lives.
arming = sa.Table(
    "arming",
    metadata,
    sa.Column("executor_id", sa.Text, primary_key=True),
    sa.Column("armed", sa.Boolean, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

# What auto-mode was last told about a run of a recovery, and how that run ended.
auto_answer = sa.Table(
    "auto_answer",
    metadata,
    sa.Column("recovery_id", sa.Text, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("asked_at", sa.Float, nullable=False),
    sa.Column("deadline", sa.Float, nullable=False),
    sa.Column("added_cost", sa.Float, nullable=False),
    sa.Column("veto_until", sa.Float),
    sa.Column("outcome", sa.Text, nullable=False, server_default=""),
    sa.Column("ended_at", sa.Float),
    sa.Index("auto_answer_by_answer", "answer", "at"),
    sa.Index("auto_answer_by_end", "ended_at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("recovery_id", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_try", sa.Float, nullable=False),
    sa.Column("sent_at", sa.Float),
    sa.Index("outbox_of_recovery", "recovery_id"),
)

# Which channel was told of which letter: `channel` is a name without a secret.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("letter_id", sa.Integer, sa.ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", sa.Float, nullable=False),
    sa.Column("sent_at", sa.Float),
)

# `spottui launch`: the token is here before the call, and `ended` when it is known what came of it.
launch = sa.Table(
    "launch",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("ended", sa.Float),
    sa.Column("result", sa.Text, nullable=False, server_default=""),
)
