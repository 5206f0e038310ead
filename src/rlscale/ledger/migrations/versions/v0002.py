"""How the bounds of a run are known, and with which of them a look saw it."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Add the columns; the bounds of ledgers of before were stated."""
    op.add_column("runs", sa.Column("bounds_from", sa.String(length=10), nullable=False, server_default="option"))
    op.add_column("runs", sa.Column("open", sa.Text()))
    op.add_column("reads", sa.Column("bounds", sa.Text()))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("reads", "bounds")
    op.drop_column("runs", "open")
    op.drop_column("runs", "bounds_from")
