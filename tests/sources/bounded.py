"""Reading in a process of its own, bounded in seconds of a processor and in memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlscale.errors import SourceError
from rlscale.sources import ReadOptions, collect
from tests.waiting import LIMIT

SECONDS, ROOM = 20, 3 << 29
ROOT = Path(__file__).resolve().parents[2]

#: The reader alone: what makes runs of 100,000 kept metrics takes ten times as long.
READ_RECORDS = """
import json, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
from rlscale.sources.discover import Found
from rlscale.sources.readers import read_found
for path in map(Path, sys.argv[2:]):
    start = time.process_time()
    (record,) = read_found(Found(path, asked=True, given=path))
    print(json.dumps([f"{len(record.columns)} keys", *record.repairs, time.process_time() - start]), flush=True)
"""

_READ = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
from rlscale.errors import InputError
from rlscale.sources import ReadOptions, collect
for path in sys.argv[2:]:
    start = time.process_time()
    try:
        reading = collect([path], ReadOptions(gpus=2.0, bounds=(-1e300, 1e300)))
        said = [f"runs {len(reading.runs)}", *(r for run in reading.runs for r in run.source.repairs)]
    except InputError as error:
        said = [type(error).__name__, str(error)]
    print(json.dumps([*said[:3], time.process_time() - start]), flush=True)
"""


def told(*paths, script=_READ):
    """Read each path in a process of 1.5 GiB; return what was said of each, joined: ``runs 1; repair`` or an error."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "PYTHONPATH": str(ROOT / "src"),
    }
    command = [sys.executable, "-W", "error", "-c", script, str(ROOM), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=LIMIT * len(paths))
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(paths)
    assert max(line[-1] for line in found) < SECONDS, found
    return ["; ".join(line[:-1]) for line in found]


def refused(path, **options):
    with pytest.raises(SourceError) as caught:
        collect([path], ReadOptions(**options))
    return caught.value.message
