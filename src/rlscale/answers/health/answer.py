"""The answer of ``health``: a row a run, a column for each monitor that fired, the alarms as sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rlscale.answers.answer import Answer, Block, Definitions, Document, Figures, Section, Sentence
from rlscale.answers.health.chart import health_chart
from rlscale.answers.health.document import health_document
from rlscale.answers.health.view import TITLES, HealthView, first_alarms, headline, place
from rlscale.answers.numbers import count
from rlscale.answers.table import Cell, Column, Table
from rlscale.answers.views import listed
from rlscale.health import MONITORS, SEVERITIES, Alarm, NotMeasurable, RunHealth

__all__ = ["alarm_sentence", "explanation", "health_answer", "matrix"]

#: Alarms that a terminal tells one by one.
_TOLD = 12
#: Remarks on how series were read that a terminal tells.
_READ = 6
#: Judged only of runs that are watched: nobody misses it here.
_WATCHED = "stalled"
_FLAT = (
    Column("run", "run", "name"), Column("recipe", "recipe", "name"), Column("monitor", "monitor"),
    Column("severity", "severity"), Column("since", "since", "compute"), Column("step", "step", "number"),
    Column("raised", "raised", "compute"), Column("until", "until", "compute"), Column("value", "value", "number"),
    Column("threshold", "threshold", "number"), Column("unit", "unit"), Column("series", "series"),
    Column("message", "message"),
)  # fmt: skip


def health_answer(view: HealthView, *, charts: bool = False) -> Answer:
    """Return the answer.

    Parameters
    ----------
    view : HealthView
    charts : bool
        Also what a page and ``--plot`` draw.
    """
    chart = health_chart(view) if charts else None
    explained = view.explained
    blocks: list[Block] = [matrix(view.runs)]
    if view.named and explained is not None:
        blocks += explanation(explained)
    else:
        blocks += [_alarms(view), _rewards(view), _remarks(view)]
    blocks.append(_unseen(view))
    if chart is not None and explained is not None:
        title = f"{explained.run}: the series under the curve"
        blocks.append(Figures(title, chart.panels, f"{chart.note} --explain RUN draws another run."))
    blocks.append(_definitions())
    return Answer(
        headline=headline(view),
        table=_flat(view),
        document=Document(health_document, view),
        grouping=view.grouping,
        blocks=tuple(blocks),
        chart=chart,
        kicker=f"health · {count(len(view.runs), 'run')}",
        errors=view.errors,
        settings=view.settings,
    )


def _flat(view: HealthView) -> Table:
    """Return an alarm a row, for programs."""
    rows: list[tuple[Cell, ...]] = [
        (run.run, run.recipe, a.monitor, a.severity, a.since, a.step, a.raised, a.until, a.value, a.threshold, a.unit,
         a.series, a.message)
        for run in view.runs for a in run.alarms
    ]  # fmt: skip
    return Table(name="alarms", columns=_FLAT, rows=tuple(rows))


def matrix(runs: Sequence[RunHealth]) -> Table:
    """Return runs against the monitors that fired on any of them."""
    fired = [each for each in MONITORS if any(run.of(each.name) for run in runs)]
    columns = (
        Column("run", "run", "name"),
        Column("now", "now", "decision"),
        *(Column(each.name, each.title.replace(" ", "\n"), "text") for each in fired),
        Column("not_measurable", "not\nmeasured", "count", spare=True),
    )
    rows = tuple(
        (
            run.run, f"severity_{run.now}" if run.now else None, *(_cell(run, each.name) for each in fired),
            len(_missing(run)),
        )
        for run in runs
    )  # fmt: skip
    note = "the gravest alarm of each monitor; in brackets: over by the end; ok: judged and quiet; –: not measurable"
    return Table(name="runs", columns=columns, rows=rows, note=note if fired else "")


def _cell(run: RunHealth, name: str) -> str | None:
    alarms = run.of(name)
    if not alarms:
        return "ok" if name in run.quiet else None
    lasting = [alarm.severity for alarm in alarms if alarm.lasts]
    gravest = max((alarm.severity for alarm in alarms), key=SEVERITIES.index)
    return gravest if gravest in lasting else f"({gravest})"


def _alarms(view: HealthView) -> Section:
    """Return the alarms, the gravest first, one sentence for each monitor of each run."""
    pairs = [(run, alarm) for run in view.runs for alarm in first_alarms(run) if alarm.severity != "note"]
    pairs.sort(key=lambda item: (not item[1].lasts, -SEVERITIES.index(item[1].severity)))
    return Section("Alarms", tuple(alarm_sentence(alarm, run.run) for run, alarm in pairs), most=_TOLD)


def _rewards(view: HealthView) -> Section:
    """Return by which reward runs are judged, where it is not the same for all."""
    judged: dict[str, list[str]] = {}
    for run in view.runs:
        judged.setdefault(run.metric, []).append(run.run)
    sentences = tuple(Sentence(f"by {metric}.", listed(runs, 4)) for metric, runs in judged.items())
    return Section("Judged by their own rewards", sentences if len(judged) > 1 else (), most=_READ)


def _remarks(view: HealthView) -> Section:
    """Return what was read in another unit or left out, each once with the runs that it is said of."""
    said: dict[str, list[str]] = {}
    for run in view.runs:
        for remark in run.remarks:
            said.setdefault(remark, []).append(run.run)
    all_runs = len(view.runs)
    sentences = tuple(
        Sentence(f"{remark}.", "" if len(runs) == all_runs else listed(runs)) for remark, runs in said.items()
    )
    return Section("How the series were read", sentences, most=_READ)


def alarm_sentence(alarm: Alarm, subject: str) -> Sentence:
    """Return an alarm as a sentence: what it says, since when, how often it is false."""
    rate = "" if alarm.false_alarms is None else f"; {alarm.false_alarms}"
    return Sentence(f"{alarm.message}, {place(alarm)}{rate}.", subject, f"severity_{alarm.severity}")


def explanation(run: RunHealth) -> list[Block]:
    """Return all alarms of a run, with what to do, and what could not be judged."""
    sentences: list[Sentence | str] = []
    for alarm in first_alarms(run):
        again = len(run.of(alarm.monitor)) - 1
        more = f" ({again} more of this monitor.)" if again else ""
        alone = alarm_sentence(alarm, TITLES[alarm.monitor])
        sentences.append(Sentence(f"{alone.text}{more}", alone.subject, alone.mark))
        sentences.append(Sentence(f"To do: {alarm.advice}.", level=1))
        sentences.append(Sentence(f"Threshold: {alarm.source}.", level=1))
    missing = tuple(Sentence(blind.why, TITLES[blind.monitor]) for blind in _missing(run))
    return [
        Section(f"Alarms of {run.run}", tuple(sentences) or ("none",), most=60),
        Section(f"Not measurable in {run.run}", missing, most=20),
        Section("", run.remarks),
    ]


def _missing(run: RunHealth) -> list[NotMeasurable]:
    return [each for each in run.not_measurable if each.monitor != _WATCHED]


def _unseen(view: HealthView) -> Section:
    """Return what nobody can see: monitors that are blind on every run, or on some."""
    blind = Counter(each.monitor for run in view.runs for each in _missing(run))
    everywhere = [TITLES[name] for name, runs in blind.items() if runs == len(view.runs)]
    quiet = [
        each.title
        for each in MONITORS
        if each.name != _WATCHED and not blind[each.name] and not any(r.of(each.name) for r in view.runs)
    ]
    sentences = []
    if quiet:
        sentences.append(f"Judged and quiet on every run: {listed(quiet, 15)}.")
    if everywhere:
        sentences.append(f"Not measurable on any run, which is not healthy: {listed(everywhere, 15)}.")
    if view.runs and not view.named:
        sentences.append("rlscale health PATH --explain RUN says why, and what to do; with --plot it draws the series.")
    return Section("", tuple(sentences))


def _definitions() -> Definitions:
    items = tuple((f"{each.name}", f"{each.rule}. Source: {each.source}. To do: {each.advice}.") for each in MONITORS)
    note = "Rates of false alarms: of 1,000 simulated healthy runs, and of real healthy runs that log what is needed."
    return Definitions("Monitors", items, note)
