"""Versions of the tables; Alembic runs those that a ledger lacks."""
