"""Long work says on a terminal how far it is; nothing is said where nobody looks."""

from __future__ import annotations

import io
import sys

import pytest

from rlscale.cli.base import pace, watched


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch, runs, *steps):
    """Return what a terminal shows of some work."""
    stream = _Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", stream)  # here: pytest sets its own for each phase of a test
    with watched("working", runs) as watch:
        for step in steps:
            watch(*step)
    return stream.getvalue()


def test_the_pace_is_told_with_what_is_left():
    assert pace(250, 1000, 2.0) == "250 of 1,000 runs, 125 runs/s, 0:00:06 left"
    assert pace(1, 100, 4.0) == "1 of 100 runs, 0.25 runs/s, 0:06:36 left"
    assert pace(20_000, 20_000, 40.0) == "20,000 of 20,000 runs, 500 runs/s, 0:00:00 left"
    assert pace(0, 10, 1.0) == "0 of 10 runs"


def test_long_work_shows_its_rate_on_a_terminal(monkeypatch):
    text = shown(monkeypatch, 1000, (100, 1000))
    assert "working" in text
    assert "100 of 1,000 runs, " in text
    assert "runs/s" in text


def test_work_of_unknown_length_shows_that_it_goes_on(monkeypatch):
    assert "working" in shown(monkeypatch, None)


@pytest.mark.parametrize("runs", [3, 1000, None])
def test_nothing_is_shown_where_stderr_is_no_terminal(runs, capsys):
    with watched("fitting", runs) as watch:
        watch(1, 2)
    assert capsys.readouterr() == ("", "")


def test_nothing_is_shown_of_short_work(monkeypatch):
    assert shown(monkeypatch, 3, (1, 3)) == ""
