"""A command that carries decisions out in tests: keeps what it is told in a file, and behaves as it is asked to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time


def main(path: str, behaviour: str) -> int:
    told = json.loads(sys.stdin.read())
    with open(path, "a", encoding="utf-8") as out:
        out.write(json.dumps({**told, "argv": sys.argv[1:], "pid": os.getpid()}) + "\n")
        out.flush()
        os.fsync(out.fileno())
    if behaviour == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # its child inherits that
        child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
        with open(path + ".hangs", "a", encoding="utf-8") as out:
            out.write(f"{os.getpid()} {child.pid}\n")
        signal.pause()
    while behaviour == "wait" and not os.path.exists(path + ".go"):
        time.sleep(0.02)
    if behaviour == "loud":
        sys.stdout.write("x" * 10_000_000 + " the end\n")
    if behaviour == "fail":
        sys.stderr.write("no such job\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
