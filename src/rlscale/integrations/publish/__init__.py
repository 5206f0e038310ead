"""What a watcher believes and decides, written to the trackers where people look at their runs already."""

from rlscale.integrations.publish.contract import Account, Row, Tracker
from rlscale.integrations.publish.publisher import PATIENCE, Publisher
from rlscale.integrations.publish.targets import opened

__all__ = ["PATIENCE", "Account", "Publisher", "Row", "Tracker", "opened"]
