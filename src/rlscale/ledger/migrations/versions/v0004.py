"""Alarms are events, with all that programs are sent of them."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Add the column; events of before have none."""
    op.add_column("events", sa.Column("document", sa.Text()))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("events", "document")
