"""When a fit should be resolved, and up to where trackers have been told of runs."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision = "0005"
down_revision: str | None = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_QUANTILES = ("r_q10", "r_q50", "r_q90")


def upgrade() -> None:
    """Add the columns, empty for fits of before, and the table."""
    for name in _QUANTILES:
        op.add_column("fits", sa.Column(name, sa.Double))
    op.create_table(
        "published",
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("run_id", _ID, autoincrement=False, nullable=False),
        sa.Column("settings", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("decision_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("target", "run_id", "settings"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("published")
    for name in _QUANTILES:
        op.drop_column("fits", name)
