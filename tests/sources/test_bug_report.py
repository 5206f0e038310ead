"""The line for a bug report: what a file looks like, and none of its values."""

import json
import platform
import re

import pytest
from click.testing import CliRunner

import rlscale
from rlscale.cli import main
from rlscale.errors import InputError, SourceError
from rlscale.sources import collect
from rlscale.sources.bug_report import report_line

VERSIONS = f"rlscale {rlscale.__version__}, Python {platform.python_version()}"
NEMO = "📊 Training Results:\n  • Loss: 0.0123\n  • Avg Reward: 0.4567\n"
CASES = {
    "printed, no row": (
        "x.log", "job maze-77 a/gain=0.4321 on node9:8265, http://a/b:1\n", "console", "none", "a/gain",
    ),
    "NeMo-RL": ("driver.log", NEMO, "console", "nemo-rl", "none"),
    "a torn row": (
        "run.log", "Global step 1: {'reward': 0.1234, 'kl': 0.5\nINFO saved\n", "console", "openrlhf", "reward, kl",
    ),
    "no step": ("m.jsonl", json.dumps({"gain": 0.4321, "note": "maze-77"}), "jsonl", "none", "gain"),
    "a table of words": ("t.csv", "step,reward\n1,maze-77\n", "table", "none", "step, reward"),
    "no reader": ("x.xyz", "0.4321\n", ".xyz", "none", "none"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_format_trainer_and_keys_are_named_and_no_value(write, case):
    name, content, form, trainer, keys = CASES[case]
    path = write(name, content)
    with pytest.raises(InputError) as caught:
        collect([path])
    line = report_line(caught.value, rlscale.__version__)
    assert line == (
        f"for a bug report: {VERSIONS}; format guessed: {form}; trainer guessed: {trainer}; first keys: {keys}"
    )
    assert not re.search(r"0\.4|0\.1234|maze|node9|8265", line)
    assert str(path.parent) not in line


@pytest.mark.parametrize("error", [SourceError("no-such.log", "no such file"), InputError("--gpus 0"), OSError("disk")])
def test_what_is_no_file_that_cannot_be_read_has_none(error):
    assert report_line(error, "1.0") is None


@pytest.mark.parametrize("content", [b"\x80\x05pickled", b"", b"SQLite format 3\0" + bytes(900), b"PAR1" + bytes(90)])
@pytest.mark.parametrize("name", ["a.pkl", "a.db", "a.parquet", "a.bin", "a.log"])
def test_any_file_has_a_line_or_none(write, name, content):
    line = report_line(SourceError(str(write(name, content)), "damaged"), "1.0")
    assert line is None or line.startswith("for a bug report: ")


@pytest.mark.parametrize("command", ["show", "fit"])
def test_a_refused_log_ends_with_the_line(write, command):
    result = CliRunner().invoke(main, [command, str(write("driver.log", NEMO))])
    assert result.exit_code == 2
    error, line = result.stderr.splitlines()
    assert "what NeMo-RL prints is rounded" in error
    assert line.startswith(f"for a bug report: {VERSIONS}; format guessed: console; trainer guessed: nemo-rl")


def test_a_file_left_out_of_a_survey_has_the_line(write, tmp_path):
    write("bad.log", NEMO)
    write("good.csv", "step,reward\n1,.1\n2,.2\n")
    result = CliRunner().invoke(main, ["show", str(tmp_path)])
    assert result.stderr.count("for a bug report: ") == 1
