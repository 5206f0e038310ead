"""Damaged files of every format: each gives runs or an error that says why, at once and in little memory.

Two ways, each with 5,000 inputs a format and a process of its own: small valid files after random changes (fixed seed,
always the same inputs), and atheris, which keeps what reaches new lines of the readers (skipped where it is not
installed: ``pip install atheris``). Whatever is read is asked for runs. A defect is any other exception, a warning, a
crash, or a process that does not come to its end.
"""

from __future__ import annotations

import importlib.util
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.sources.fuzzed import Format, damaged, formats, outcome

from benchmarks.common import Report, Table, main
from benchmarks.speed import here

#: Inputs for each format, each way.
EACH = 5_000
#: Seconds after which a process is given up; one takes about ten.
GIVEN_UP = 600
#: A file is damaged to at most this many bytes.
LONGEST = 1 << 16
ROOT = Path(__file__).resolve().parents[1]

_MUTATED = "from benchmarks import fuzz; fuzz.mutated({name!r}, {count}, {folder!r})"
_GUIDED = """
import atheris
with atheris.instrument_imports(include=["rlscale"]):
    import rlscale.sources
from benchmarks import fuzz
fuzz.guided({name!r}, {count}, {folder!r})
"""


@dataclass
class Tally:
    """What came of one format: inputs, seconds in all and of the slowest, MiB, outcomes, tracebacks of defects."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    growth: float = 0.0
    kinds: dict[str, int] = field(default_factory=dict)
    defects: dict[str, int] = field(default_factory=dict)


class _Reader:
    """Reads damaged files of one format and keeps the tally in the folder."""

    def __init__(self, form: Format, folder: str) -> None:
        self.form, self.home = form, Path(folder)
        self.path = form.lay(self.home / "files")
        self.tally, self.kinds = Tally(), Counter[str]()
        warnings.simplefilter("error")
        outcome(self.path)  # what is imported and compiled once is no growth
        self.before = _peak()

    def take(self, name: str, data: bytes) -> None:
        """Read the format with one of its files replaced."""
        file = self.home / "files" / name
        file.write_bytes(data)
        start = time.perf_counter()
        try:
            kind = outcome(self.path)
        except Exception:  # noqa: BLE001 - finding these is what this is for
            kind = "defect"
            said = traceback.format_exc(limit=-3)
            self.tally.defects[said] = self.tally.defects.get(said, 0) + 1
        taken = time.perf_counter() - start
        file.write_bytes(self.form.files[name])
        self.kinds[kind] += 1
        self.tally.inputs += 1
        self.tally.seconds += taken
        self.tally.slowest = max(self.tally.slowest, taken)
        if self.tally.inputs % 100 == 0:  # atheris leaves without a last word
            self.tally.growth, self.tally.kinds = _peak() - self.before, dict(self.kinds)
            (self.home / "tally.json").write_text(json.dumps(asdict(self.tally)))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mutated(name: str, count: int, folder: str) -> None:
    """Read ``count`` files of a format after random changes."""
    every = formats()
    form = next(one for one in every if one.name == name)
    others = [content for one in every for content in one.files.values()]
    reader, rng = _Reader(form, folder), random.Random(name)
    for _ in range(count):
        file = rng.choice(list(form.files))
        data = damaged(rng, form.files[file], rng.choice(others))
        reader.take(file, form.seal(data) if form.seal is not None and rng.random() < 0.7 else data)


def guided(name: str, count: int, folder: str) -> None:
    """Read ``count`` files of a format as atheris changes them; the package was imported with its instruments."""
    import atheris

    form = next(one for one in formats() if one.name == name)
    reader, corpus = _Reader(form, folder), Path(folder, "corpus")
    corpus.mkdir()
    files = sorted(form.files)
    for number, file in enumerate(files):  # the last byte says which file it is
        (corpus / str(number)).write_bytes(form.files[file] + bytes([number]))

    def take(data: bytes) -> None:
        content, which = data[:-1], data[-1] if data else 0
        reader.take(files[which % len(files)], content if form.seal is None else form.seal(content))

    options = [
        f"-runs={count}",
        "-seed=59",
        f"-max_len={LONGEST}",
        "-rss_limit_mb=0",
        "-verbosity=0",
        f"-artifact_prefix={folder}/",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *options], take)
    atheris.Fuzz()


def _run(script: str, name: str, count: int) -> Tally:
    """Run one process; one that crashes or does not end is a defect, told by its last words."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", script.format(name=name, count=count, folder=folder)]
        said = ""
        try:
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=here(), timeout=GIVEN_UP)
            said = f"exit code {done.returncode}: {done.stderr[-2000:]}" if done.returncode else ""
        except subprocess.TimeoutExpired:
            said = f"not done after {GIVEN_UP} s"
        kept = Path(folder, "tally.json")
        tally = Tally(**json.loads(kept.read_text())) if kept.exists() else Tally()
        if said:
            tally.defects[said] = 1
    return tally


def _row(table: Table, name: str, tally: Tally) -> None:
    errors = {kind: count for kind, count in sorted(tally.kinds.items()) if kind not in ("runs", "defect")}
    table.add(
        name,
        f"{tally.inputs:,}",
        f"{tally.inputs / tally.seconds:,.0f}" if tally.seconds else "-",
        tally.kinds.get("runs", 0),
        *(errors.get(kind, 0) for kind in ("SourceError", "FormatError", "ChoiceError")),
        sum(count for kind, count in errors.items() if kind not in ("SourceError", "FormatError", "ChoiceError")),
        sum(tally.defects.values()),
        f"{1000 * tally.slowest:.0f}",
        f"{tally.growth:.0f}",
    )


def measure(quick: bool = False) -> Report:
    """Damage, read and count."""
    report = Report(
        "fuzz", "Does every reader give runs or a typed error, whatever the bytes, at once and in little memory?"
    )
    count = EACH // 10 if quick else EACH
    ways = {"random changes": _MUTATED}
    if importlib.util.find_spec("atheris") is not None:
        ways["guided by coverage (atheris)"] = _GUIDED
    tallies: list[Tally] = []
    for way, script in ways.items():
        columns = ["format", "inputs", "inputs/s", "runs", "SourceError", "FormatError", "ChoiceError", "other errors"]
        table = report.table(f"{way}, {count:,} inputs a format", [*columns, "defects", "slowest ms", "growth MiB"])
        for form in formats():
            tallies.append(_run(script, form.name, count))
            _row(table, form.name, tallies[-1])
            for said, times in tallies[-1].defects.items():
                print(f"  {times} x {said}", file=sys.stderr)
    if len(ways) == 1:
        report.check("atheris", "not installed: random changes alone", "", None)
    inputs, defects = sum(one.inputs for one in tallies), sum(sum(one.defects.values()) for one in tallies)
    slowest, growth = max(one.slowest for one in tallies), max(one.growth for one in tallies)
    least = 100_000 // (10 if quick else 1)
    report.check("inputs", f"{inputs:,}", f">= {least:,}", inputs >= least)
    report.check("neither runs nor a typed error", str(defects), "0", defects == 0)
    report.check("slowest input", f"{slowest:.2f} s", "<= 2 s", slowest <= 2.0)
    report.check("growth of memory over all inputs of a format", f"{growth:.0f} MiB", "<= 300 MiB", growth <= 300.0)
    return report


if __name__ == "__main__":
    main(measure)
