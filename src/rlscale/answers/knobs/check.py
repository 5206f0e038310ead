"""The answer of ``knobs --check`` and ``--difficulty``: findings by severity, and advice on KL and entropy terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rlscale.answers.answer import Answer, Document, Section, Sentence
from rlscale.answers.coverage import coverage_document, lacking
from rlscale.answers.documents import SCHEMA
from rlscale.answers.knobs.view import KnobsView, graded, listed, moved
from rlscale.answers.numbers import count
from rlscale.answers.table import Column, Table
from rlscale.decisions.knobs import SEVERITIES, Advice, Check, Difficulty, Finding

__all__ = ["check_answer"]

_TITLES = {
    "error": "Errors: the trainer stops, or keys contradict each other",
    "warning": "Warnings: the evidence says that it costs",
    "note": "Notes: not as published, or disputed",
    "agrees": "As published, or without an effect",
}
_PEOPLE_NAMES = {"agrees": "as published"}
#: Letters of a value in the table.
_VALUE = 14


def check_answer(view: KnobsView[Check]) -> Answer:
    """Return the answer."""
    check = view.result
    several = len(check.configs) > 1
    table = _table(check.findings, several)
    sections = [
        Section(title, tuple(_sentence(each, several) for each in check.findings if each.severity == name), most=60)
        for name, title in _TITLES.items()
    ]
    return Answer(
        headline=f"{lacking(check.left_out, len(check.observed))}{_headline(check)}",
        lead=_lead(check),
        table=table,
        document=Document(_document, view),
        blocks=(
            *((table,) if check.findings else ()),
            *sections,
            Section("How hard the prompts are", tuple(_observed(each) for each in check.observed)),
            Section("KL and entropy terms by difficulty", tuple(_advised(each) for each in check.advice)),
        ),
        kicker=", ".join(config.title or "a run" for config in check.configs) or "difficulty",
        errors=view.errors,
        settings=view.settings,
    )


def _headline(check: Check) -> str:
    if not check.configs:
        classes = dict.fromkeys(each.difficulty for each in check.observed)
        if set(classes) == {"unknown"}:
            return "How hard the prompts are is not known."
        classes_advised = [each.difficulty for each in check.advice if each.difficulty != "any"]
        wanted: dict[str, None] = dict.fromkeys([*classes] or classes_advised)
        return f"Prompts: {', '.join(wanted)}. {next((each.says for each in check.advice), '')}"
    counts = check.counts()
    names = ", ".join(f"{each.name} ({each.title})" if each.title else each.name for each in check.configs[:3])
    more = f" and {len(check.configs) - 3} more" if len(check.configs) > 3 else ""
    remarks = listed(counts) or "nothing to remark"
    return f"{names}{more}: {remarks}; {count(counts['agrees'], 'setting')} as published or without an effect."


def _lead(check: Check) -> tuple[str, ...]:
    if not check.configs:
        return check.notes
    grave = [each for each in check.findings if each.severity in ("error", "warning")]
    first: tuple[str, ...] = ()
    if grave:
        keys = list(dict.fromkeys(each.setting for each in grave))
        more = f" and {len(keys) - 4} more" if len(keys) > 4 else ""
        first = (f"Look first at {', '.join(keys[:4])}{more}.",)
    basis = "Evidence is of other models and data, mostly one stack: it says where to look, not what you will get."
    return (*first, basis, *check.notes)


def _table(findings: Sequence[Finding], several: bool) -> Table:
    columns = (
        Column("severity", audience="programs"),
        Column("short_severity", "severity", "text", audience="people"),
        Column("config", "config", "text", audience="all" if several else "programs"),
        Column("setting", "setting", "name"),
        Column("value", audience="programs"),
        Column("short_value", "value", "text", audience="people"),
        Column("moves", "knob moves", "text", spare=True),
        Column("knob", audience="programs"),
        Column("stated", audience="programs"),
        Column("says", audience="programs"),
        Column("source", audience="programs"),
    )
    rows = tuple(
        (
            each.severity, _PEOPLE_NAMES.get(each.severity, each.severity), each.config, each.setting, each.value,
            _end(each.value, _VALUE), moved(each.moves) if each.knob else "", each.knob, each.stated, each.says,
            each.source,
        )
        for each in findings
    )  # fmt: skip
    return Table(name="findings", columns=columns, rows=rows)


def _end(text: str, most: int) -> str:
    """Return the end of a value, or the whole where it is short."""
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _sentence(finding: Finding, several: bool) -> Sentence:
    where = f"{finding.config}: " if several else ""
    value = f" = {finding.value}" if finding.value != "" else ""
    with_ = f" Goes together with: {', '.join(finding.with_)}." if finding.with_ else ""
    end = "" if finding.says.endswith("?") else "."
    return Sentence(f"{finding.says}{end}{with_} [{finding.source}]", subject=f"{where}{finding.setting}{value}")


def _observed(each: Difficulty) -> Sentence:
    entropy = ""
    if each.entropy is not None:
        entropy = f" Entropy {each.trend}: {each.entropy[0]:.2g} to {each.entropy[1]:.2g} nats per token."
    return Sentence(f"{each.difficulty}: {each.why}.{entropy}", subject=each.run)


def _advised(each: Advice) -> Sentence:
    known = graded(each.grade)
    return Sentence(f"{each.says} [{each.source}{f', {known}' if known else ''}]", subject=each.difficulty)


def _document(view: KnobsView[Check]) -> dict[str, Any]:
    check = view.result
    coverage = coverage_document(None, check.left_out)
    return {
        "schema": SCHEMA,
        "findings": [
            {
                "setting": each.setting,
                "value": each.value,
                "severity": each.severity,
                "says": each.says,
                "source": each.source,
                "config": each.config,
                "knob": each.knob or None,
                "moves": list(each.moves),
                "with": list(each.with_),
                "stated": each.stated,
            }
            for each in check.findings
        ],
        "advice": [asdict(each) for each in check.advice],
        "configs": [
            {
                "name": each.name,
                "trainer": each.trainer or None,
                "version": each.version or None,
                "settings": dict(each.settings),
            }
            for each in check.configs
        ],
        "difficulty": [asdict(each) for each in check.observed],
        "severities": dict(SEVERITIES),
        "notes": list(check.notes),
        "left_out": coverage["left_out"],
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }
