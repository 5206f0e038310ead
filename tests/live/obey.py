"""A command of ``--on-decision`` for the tests: appends what it is told to a file, for good, then does as it is told.

python obey.py FILE [fail | hang | loud]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

told = sys.stdin.read()
with open(sys.argv[1], "a", encoding="utf-8") as to:
    to.write(told + "\n")
    to.flush()
    os.fsync(to.fileno())
how = sys.argv[2] if len(sys.argv) > 2 else ""
if how == "fail":
    sys.exit("no such job")
if how == "hang":
    subprocess.Popen(["sleep", "300"])
    time.sleep(300)
if how == "loud":
    sys.stdout.write("x" * 10_000_000)
