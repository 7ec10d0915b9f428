"""The journal's tables: the log, the snapshots folded from it, and data that is large or not about one recovery."""

import sqlalchemy as sa

SCHEMA_VERSION = 3

metadata = sa.MetaData()


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _text(name: str, server_default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=server_default)


def _time(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _number(name: str, kind: type[sa.Integer]) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False)


meta = sa.Table("spottui_meta", metadata, _key("key"), _text("value"))

# One row: the number of the last fact. A writer locks it first, so that there is one writer over all hosts.
log_head = sa.Table("log_head", metadata, sa.Column("id", sa.Integer, primary_key=True), _number("seq", sa.BigInteger))

fact = sa.Table(
    "fact",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _time("at"),
    _text("recovery_id"),
    _text("region"),
    _text("instance_id"),
    _text("kind"),
    _text("data"),
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
    _key("id"),
    _text("region"),
    _text("instance_id"),
    _number("epoch", sa.BigInteger),
    _text("state"),
    _time("ended", nullable=True),
    _text("driver"),
    _number("fence", sa.Integer),
    _number("version", sa.BigInteger),
    _text("data"),
    sa.Index("recovery_of_instance", "instance_id", "region", "epoch"),
    sa.Index("recovery_by_end", "ended"),
    sa.Index("recovery_by_epoch", "epoch"),
)

# A plan is long, and changes once or twice.
plan = sa.Table("plan", metadata, _key("recovery_id"), _text("data"))

fleet = sa.Table(
    "fleet",
    metadata,
    _key("region"),
    _key("instance_id"),
    _text("spec"),
    _time("details_at", nullable=True),
    _time("seen_at"),
)

image_timing = sa.Table(
    "image_timing",
    metadata,
    _key("image_id"),
    _time("at"),
    _number("gib", sa.Integer),
    sa.Column("seconds", sa.Double, nullable=False),
    _text("category", server_default=""),
)

cool_down = sa.Table(
    "cool_down",
    metadata,
    _key("region"),
    _key("instance_type"),
    _key("zone"),
    sa.Column("on_demand", sa.Boolean, primary_key=True),
    _time("until"),
    _text("reason"),
)

watermark = sa.Table("watermark", metadata, _key("name"), _time("at"))

# One row for each console that has armed auto-mode; it counts only while that console lives.
arming = sa.Table(
    "arming",
    metadata,
    _key("console"),
    sa.Column("armed", sa.Boolean, nullable=False),
    _text("who"),
    _time("at"),
    _text("stopped", server_default=""),
)

# Consoles of several hosts; on one host locked files show who is alive. Times are by the database's clock; `key` is
# that of the console's advisory lock.
lease = sa.Table(
    "lease",
    metadata,
    _key("console"),
    _text("host"),
    _number("pid", sa.Integer),
    _time("since"),
    _time("renewed"),
    _number("key", sa.BigInteger),
)

# The last batch of each writer of a shared database: the writer may not have received the answer to its commit.
last_batch = sa.Table("last_batch", metadata, _key("writer"), _text("batch"), _time("at"))

# How far each channel has read the log, and what it has not accepted yet.
channel = sa.Table("channel", metadata, _key("name"), _number("seq", sa.BigInteger))
delivery = sa.Table(
    "delivery",
    metadata,
    _key("channel"),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    _text("recovery_id"),
    _number("attempts", sa.Integer),
    _time("next_try"),
)

# `spottui launch`: the token is stored before the call, and `ended` when the outcome is known.
launch = sa.Table(
    "launch",
    metadata,
    _key("token"),
    _text("template"),
    _number("count", sa.Integer),
    _text("data"),
    _time("at"),
    _time("ended", nullable=True),
    _text("result", server_default=""),
)
