"""The first tables."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision = "0001"
down_revision: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them."""
    _logged()
    _fitted()
    _looked()
    _acted()


def downgrade() -> None:
    """Take them away."""
    for name in ("events", "leases", "deliveries", "decisions", "reads", "overrides", "looks", "fits", "settings"):
        op.drop_table(name)
    for name in ("points", "runs"):
        op.drop_table(name)


def _logged() -> None:
    """Make the tables of what was logged: runs and their points."""
    op.create_table(
        "runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("recipe", sa.String(length=500), nullable=False),
        sa.Column("seed", sa.BigInteger),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("clock", sa.String(length=20), nullable=False),
        sa.Column("metric", sa.String(length=500), nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("model_params", sa.Double),
        sa.Column("budget", sa.Double),
        sa.Column("ended", sa.Double),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_runs_recipe", "runs", ["recipe"], unique=False)
    op.create_table(
        "points",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("metric", sa.String(length=500), nullable=False),
        sa.Column("compute", sa.Double, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("n_eval", sa.Double),
        sa.Column("sd", sa.Double),
        sa.Column("at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("run_id", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("points_by_compute", "points", ["run_id", "metric", "compute"], unique=False)


def _fitted() -> None:
    """Make the tables of fits and of settings."""
    op.create_table(
        "settings",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "fits",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("settings", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("compute", sa.Double, nullable=False),
        sa.Column("verdict", sa.String(length=40), nullable=False),
        sa.Column("a_q10", sa.Double),
        sa.Column("a_q50", sa.Double),
        sa.Column("a_q90", sa.Double),
        sa.Column("target", sa.Double),
        sa.Column("f_q10", sa.Double),
        sa.Column("f_q50", sa.Double),
        sa.Column("f_q90", sa.Double),
        sa.Column("f_mean", sa.Double),
        sa.Column("p_best", sa.Double),
        sa.Column("place", sa.Integer),
        sa.Column("contenders", sa.Integer),
        sa.ForeignKeyConstraint(["run_id", "seq"], ["points.run_id", "points.seq"]),
        sa.ForeignKeyConstraint(["settings"], ["settings.hash"]),
        sa.PrimaryKeyConstraint("run_id", "seq", "settings", "version"),
    )


def _looked() -> None:
    """Make the tables of looks, what people had said by then, and what a look saw."""
    op.create_table(
        "looks",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("acting", sa.Integer, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("settings", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("spent", sa.Double, nullable=False),
        sa.Column("planned", sa.Double),
        sa.Column("risk", sa.Double),
        sa.Column("risk_spent", sa.Double, nullable=False),
        sa.Column("leader", sa.String(length=500)),
        sa.Column("inputs", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["settings"], ["settings.hash"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("acting", "epoch", "number"),
    )
    op.create_table(
        "overrides",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("evaluations", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "reads",
        sa.Column("look_id", _ID, nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("override_id", _ID),
        sa.Column("forced", sa.String(length=20)),
        sa.ForeignKeyConstraint(["look_id"], ["looks.id"]),
        sa.ForeignKeyConstraint(["override_id"], ["overrides.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("look_id", "run_id"),
    )


def _acted() -> None:
    """Make the tables of what was decided and done."""
    op.create_table(
        "decisions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("look_id", _ID, nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("before", sa.String(length=20)),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["look_id"], ["looks.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("look_id", "run_id"),
    )
    op.create_index("decisions_by_run", "decisions", ["run_id", "id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("decision_id", _ID, nullable=False),
        sa.Column("attempt", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("exit_code", sa.Integer),
        sa.Column("said", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"]),
        sa.PrimaryKeyConstraint("decision_id", "attempt"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=300), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
