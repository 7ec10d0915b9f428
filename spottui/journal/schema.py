"""The journal's tables: the log, the snapshots folded from it, and data that is large or not about one recovery."""

import sqlalchemy as sa

SCHEMA_VERSION = 3

metadata = sa.MetaData()

meta = sa.Table(
    "spottui_meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# One row: the number of the last fact. A writer locks it first, so that there is one writer over all hosts.
log_head = sa.Table(
    "log_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)

fact = sa.Table(
    "fact",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("recovery_id", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("instance_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("fact_of_recovery", "recovery_id", "seq"),
)

# The release of an instance can be reported before its reclaim: it is looked up when a reclaim is opened. For
# PostgreSQL `spottui.journal.postgres` says so: to name its option here would load that dialect at every start.
RELEASES = sa.text("kind = 'released'")
fact_of_release = sa.Index("fact_of_release", fact.c.instance_id, sqlite_where=RELEASES)

# `data` is the fold of all facts so far; the other columns are for queries.
recovery = sa.Table(
    "recovery",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("instance_id", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ended", sa.Double),
    sa.Column("driver", sa.Text, nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("recovery_of_instance", "instance_id", "region", "epoch"),
    sa.Index("recovery_by_end", "ended"),
    sa.Index("recovery_by_epoch", "epoch"),
)

# A plan is long, and changes once or twice.
plan = sa.Table(
    "plan",
    metadata,
    sa.Column("recovery_id", sa.Text, primary_key=True),
    sa.Column("data", sa.Text, nullable=False),
)

fleet = sa.Table(
    "fleet",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("instance_id", sa.Text, primary_key=True),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("details_at", sa.Double),
    sa.Column("seen_at", sa.Double, nullable=False),
)

image_timing = sa.Table(
    "image_timing",
    metadata,
    sa.Column("image_id", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("gib", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("category", sa.Text, nullable=False, server_default=""),
)

cool_down = sa.Table(
    "cool_down",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("instance_type", sa.Text, primary_key=True),
    sa.Column("zone", sa.Text, primary_key=True),
    sa.Column("on_demand", sa.Boolean, primary_key=True),
    sa.Column("until", sa.Double, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

watermark = sa.Table(
    "watermark",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
)

# One row for each console that has armed auto-mode; it counts only while that console lives.
arming = sa.Table(
    "arming",
    metadata,
    sa.Column("console", sa.Text, primary_key=True),
    sa.Column("armed", sa.Boolean, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("stopped", sa.Text, nullable=False, server_default=""),
)

# Consoles of several hosts; on one host locked files show who is alive. Times are by the database's clock; `key` is
# that of the console's advisory lock.
lease = sa.Table(
    "lease",
    metadata,
    sa.Column("console", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("renewed", sa.Double, nullable=False),
    sa.Column("key", sa.BigInteger, nullable=False),
)

# The last batch of each writer of a shared database: the writer may not have received the answer to its commit.
last_batch = sa.Table(
    "last_batch",
    metadata,
    sa.Column("writer", sa.Text, primary_key=True),
    sa.Column("batch", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)

# How far each channel has read the log, and what it has not accepted yet.
channel = sa.Table(
    "channel",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("recovery_id", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", sa.Double, nullable=False),
)

# `spottui launch`: the token is stored before the call, and `ended` when the outcome is known.
launch = sa.Table(
    "launch",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("ended", sa.Double),
    sa.Column("result", sa.Text, nullable=False, server_default=""),
)
