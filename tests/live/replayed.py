"""A trainer of the tests: appends the points of all runs in turn to a ledger, slowly.

python replayed.py LEDGER SECONDS
"""

from __future__ import annotations

import sys
import time

from rlscale.ledger import Heading, Ledger, points_of
from tests.live.test_watch import CEILINGS, STEPS, reward

with Ledger(sys.argv[1], create=True) as ledger:
    rows = {name: ledger.book.enlist(Heading(name=name, recipe=name)) for name in CEILINGS}
    for step in STEPS:
        for name, row in rows.items():
            ledger.book.append({row.id: {"reward": points_of([step], [reward(name, step)])}})
            time.sleep(float(sys.argv[2]) / (len(STEPS) * len(rows)))
