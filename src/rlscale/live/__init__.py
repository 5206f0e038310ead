"""Runs that are under way: their logs followed into a ledger, looked at, decided on, and decisions carried out."""

from rlscale.live.courier import Courier, Ended, check_program, command_of
from rlscale.live.decided import answer_of, decision_of
from rlscale.live.explain import Explanation, explain
from rlscale.live.following import Following
from rlscale.live.intake import Intake, Taken, heading_of
from rlscale.live.saved import saved, saved_by
from rlscale.live.scene import Scene
from rlscale.live.settings import WatchSettings
from rlscale.live.sight import Looker, Seen, Sight, run_of, seen
from rlscale.live.standing import standing
from rlscale.live.table import Table
from rlscale.live.view import View
from rlscale.live.watch import Source, Watch, carried

__all__ = [
    "Courier",
    "Ended",
    "Explanation",
    "Following",
    "Intake",
    "Looker",
    "Scene",
    "Seen",
    "Sight",
    "Source",
    "Table",
    "Taken",
    "View",
    "Watch",
    "WatchSettings",
    "answer_of",
    "carried",
    "check_program",
    "command_of",
    "decision_of",
    "explain",
    "heading_of",
    "run_of",
    "saved",
    "saved_by",
    "seen",
    "standing",
]
