"""Runs, points, fits, looks and decisions in SQL: an SQLite file, or PostgreSQL for a team."""

from rlscale.ledger.address import Address, address
from rlscale.ledger.database import PATIENCE, Replaced, Unreachable
from rlscale.ledger.deliveries import Delivery
from rlscale.ledger.events import ALARM, ALARMS, CHANGE, DRY_ALARM, WELL, Event, NewEvent
from rlscale.ledger.fits import FitRow
from rlscale.ledger.lease import Lease, LeaseLost, Standby
from rlscale.ledger.ledger import Ledger
from rlscale.ledger.logs import Kept, Logged
from rlscale.ledger.marks import Marks
from rlscale.ledger.overrides import KINDS, Override, forced
from rlscale.ledger.published import Backlog, Cursor
from rlscale.ledger.rulings import DecisionRow, LookRow, Read, Ruled
from rlscale.ledger.values import (
    Heading,
    Points,
    RunRow,
    Stated,
    canonical,
    digest,
    heading_bounds,
    points_of,
    restated,
    unknown_bounds,
)

__all__ = [
    "ALARM",
    "ALARMS",
    "CHANGE",
    "DRY_ALARM",
    "KINDS",
    "PATIENCE",
    "WELL",
    "Address",
    "Backlog",
    "Cursor",
    "DecisionRow",
    "Delivery",
    "Event",
    "FitRow",
    "Heading",
    "Kept",
    "Lease",
    "LeaseLost",
    "Ledger",
    "Logged",
    "LookRow",
    "Marks",
    "NewEvent",
    "Override",
    "Points",
    "Read",
    "Replaced",
    "Ruled",
    "RunRow",
    "Standby",
    "Stated",
    "Unreachable",
    "address",
    "canonical",
    "digest",
    "forced",
    "heading_bounds",
    "points_of",
    "restated",
    "unknown_bounds",
]
