"""The tables of a ledger.

Rows are added and never changed, but for counters, leases, how a command ended, what is assumed of bounds, what the log
of a run says of it as a whole, and up to where trackers have been told.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = ["TABLES", "decisions", "deliveries", "events", "fits", "leases", "logs", "looks", "overrides", "points",
           "published", "reads", "runs", "series", "settings"]  # fmt: skip

TABLES = MetaData()
#: Numbers itself; SQLite does so for plain integers only.
_ID = BigInteger().with_variant(Integer, "sqlite")

runs = Table(
    "runs",
    TABLES,
    Column("id", _ID, primary_key=True),
    Column("name", String(500), nullable=False, unique=True),
    Column("recipe", String(500), nullable=False, index=True),
    Column("seed", BigInteger),
    Column("unit", String(20), nullable=False),
    Column("clock", String(20), nullable=False),
    Column("metric", String(500), nullable=False),
    Column("low", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("bounds_from", String(10), nullable=False, server_default="option"),
    Column("open", Text),
    Column("model_params", Double),
    Column("budget", Double),
    Column("ended", Double),
    Column("settings", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("created", Double, nullable=False),
)

# seq counts the points of a run, in the order in which they were taken in: what a look saw is (run, seq)
points = Table(
    "points",
    TABLES,
    Column("run_id", _ID, ForeignKey("runs.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("metric", String(500), nullable=False),
    Column("compute", Double, nullable=False),
    Column("value", Double, nullable=False),
    Column("n_eval", Double),
    Column("sd", Double),
    Column("at", Double, nullable=False),
    Index("points_by_compute", "run_id", "metric", "compute"),
    sqlite_with_rowid=False,  # the points of a run lie together
)

# what a run's log says of it as a whole; last is the number of its latest append
logs = Table(
    "logs",
    TABLES,
    Column("run_id", _ID, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("config", Text, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("source", Text),
    Column("trainer", Text),
)

# what came in at once of all series of a run, packed; see packed.py
series = Table(
    "series",
    TABLES,
    Column("run_id", _ID, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("header", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

settings = Table(
    "settings",
    TABLES,
    Column("hash", String(64), primary_key=True),
    Column("document", Text, nullable=False),
)

fits = Table(
    "fits",
    TABLES,
    Column("run_id", _ID, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("settings", String(64), ForeignKey("settings.hash"), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("at", Double, nullable=False),
    Column("compute", Double, nullable=False),
    Column("verdict", String(40), nullable=False),
    Column("a_q10", Double),
    Column("a_q50", Double),
    Column("a_q90", Double),
    Column("target", Double),
    Column("f_q10", Double),
    Column("f_q50", Double),
    Column("f_q90", Double),
    Column("f_mean", Double),
    Column("p_best", Double),
    Column("place", Integer),
    Column("contenders", Integer),
    Column("r_q10", Double),
    Column("r_q50", Double),
    Column("r_q90", Double),
    ForeignKeyConstraint(["run_id", "seq"], ["points.run_id", "points.seq"]),
)

looks = Table(
    "looks",
    TABLES,
    Column("id", _ID, primary_key=True),
    Column("at", Double, nullable=False),
    Column("acting", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("settings", String(64), ForeignKey("settings.hash"), nullable=False),
    Column("version", String(40), nullable=False),
    Column("unit", String(20), nullable=False),
    Column("spent", Double, nullable=False),
    Column("planned", Double),
    Column("risk", Double),
    Column("risk_spent", Double, nullable=False),
    Column("leader", String(500)),
    Column("inputs", String(64), nullable=False),
    UniqueConstraint("acting", "epoch", "number"),  # so that a look whose answer was lost is not written again
)

overrides = Table(
    "overrides",
    TABLES,
    Column("id", _ID, primary_key=True),
    Column("at", Double, nullable=False),
    Column("run_id", _ID, ForeignKey("runs.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("who", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("evaluations", BigInteger, nullable=False),
)

# what a look saw that the look before had not: a run not named stands as it stood
reads = Table(
    "reads",
    TABLES,
    Column("look_id", _ID, ForeignKey("looks.id"), primary_key=True),
    Column("run_id", _ID, ForeignKey("runs.id"), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("override_id", _ID, ForeignKey("overrides.id")),
    Column("forced", String(20)),
    Column("bounds", Text),
)

decisions = Table(
    "decisions",
    TABLES,
    Column("id", _ID, primary_key=True),
    Column("look_id", _ID, ForeignKey("looks.id"), nullable=False),
    Column("run_id", _ID, ForeignKey("runs.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("before", String(20)),
    Column("action", String(20), nullable=False),
    Column("code", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("look_id", "run_id"),
    Index("decisions_by_run", "run_id", "id"),
)

# a command is claimed before it is started, so that nobody else starts it
deliveries = Table(
    "deliveries",
    TABLES,
    Column("decision_id", _ID, ForeignKey("decisions.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("exit_code", Integer),
    Column("said", Text, nullable=False),
)

# up to where a tracker has been told what is believed of a run and decided on it, one row a target and settings
published = Table(
    "published",
    TABLES,
    Column("target", String(64), primary_key=True),
    Column("run_id", _ID, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("settings", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("decision_id", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
)

leases = Table(
    "leases",
    TABLES,
    Column("name", String(40), primary_key=True),
    Column("holder", String(300), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
)

events = Table(
    "events",
    TABLES,
    Column("id", _ID, primary_key=True),
    Column("at", Double, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("document", Text),
)
