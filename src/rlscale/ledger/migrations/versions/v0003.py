"""Runs are kept whole: series, metrics and configuration of their logs; settings under canonical names."""

import json

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision = "0003"
down_revision: str | None = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
#: What the callback kept under TRL's names, and what it is called everywhere; what else it kept is configuration.
_CANONICAL = {
    "learning_rate": "learning_rate",
    "loss_type": "loss_type",
    "beta": "kl_coefficient",
    "num_generations": "generations",
    "temperature": "temperature",
    "max_completion_length": "max_response_length",
    "epsilon": "clip_low",
    "epsilon_high": "clip_high",
}


def upgrade() -> None:
    """Add the tables, and rename the settings of runs that recorded themselves."""
    op.create_table(
        "logs",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("metrics", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("trainer", sa.Text),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "series",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("header", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("run_id", "number"),
    )
    _rename()


def _rename() -> None:
    connection = op.get_bind()
    runs = sa.table("runs", sa.column("id"), sa.column("settings"), sa.column("source"))
    logs = sa.table("logs", *map(sa.column, ("run_id", "last", "config", "metrics", "trainer")))
    asked = sa.select(runs.c.id, runs.c.settings).where(runs.c.source == "trl")
    for number, text in connection.execute(asked).all():
        config = json.loads(text)
        settings = {_CANONICAL[key]: value for key, value in config.items() if key in _CANONICAL and value is not None}
        connection.execute(runs.update().where(runs.c.id == number).values(settings=json.dumps(settings)))
        connection.execute(
            logs.insert().values(run_id=number, last=0, config=json.dumps(config), metrics="{}", trainer="trl")
        )


def downgrade() -> None:
    """Take the tables away; settings keep their canonical names."""
    op.drop_table("series")
    op.drop_table("logs")
