import json

import pytest

from rlscale.sources import ReadOptions, collect


@pytest.fixture
def write(tmp_path):
    """Write a file below the test's folder: text, bytes, a list (JSON lines) or a dict (one JSON document)."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, list):
            path.write_text("".join(json.dumps(row) + "\n" for row in content))
        elif isinstance(content, dict):
            path.write_text(json.dumps(content))
        else:
            path.write_text(content)
        return path

    return write


@pytest.fixture
def one(write):
    """Write a file and read its only run."""

    def one(name, content, **options):
        reading = collect([write(name, content)], ReadOptions(**options))
        assert reading.errors == ()
        (run,) = reading.runs
        return run

    return one
