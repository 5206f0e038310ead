"""The command about recipe knobs: what is known of them, and what it means for a configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rlscale.cli.base import answered, output
from rlscale.errors import InputError
from rlscale.options import OUTPUT, PARTIAL, bounds_of, example, with_options
from rlscale.typed import Bound, Count

if TYPE_CHECKING:
    from rlscale.answers.settings import Settings
    from rlscale.curves import Config, Run
    from rlscale.sources import Reading

__all__ = ["knobs"]

#: Files that are logs and no configurations, by their endings or names; so are folders and addresses.
_LOGS = (".jsonl", ".log", ".csv", ".tsv", ".parquet", ".wandb", ".db", ".sqlite")


#: Options that ask for a check.
_ASKS = (("--check", "configs"), ("--run", "logs"), ("--difficulty", "difficulty"))


@click.command(epilog=example("rlscale knobs --check grpo.yaml --difficulty hard --gpus 8"))
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--check", "configs", multiple=True, metavar="CONFIG", help="A trainer's configuration; repeat.")
@click.option("--run", "logs", multiple=True, metavar="PATH", help="Logs: their settings, pass rates, entropy; repeat.")
@click.option("--difficulty", metavar="D", help="Of the prompts: easy, hard or mixed.")
@click.option("--ablation", type=click.Path(path_type=Path), metavar="F.json", help="From rlscale ablate --json.")
@click.option("--diff", nargs=2, metavar="A B", help="What two configurations, or the logs of two runs, differ in.")
@click.option("--emit", metavar="RECIPE", help="Write a configuration with a published recipe: scalerl.")
@click.option("--for", "trainer", metavar="T", help="trl, verl or openrlhf; to read also nemo-rl. Else by the keys.")
@click.option("--trainer-version", "version", metavar="V", help="For --check: keys that it may lack are told.")
@click.option("--batch", type=Count(1), default=768, show_default=True, metavar="N", help="For --emit: completions.")
@click.option("--gpus", type=Count(1), metavar="N", help="GPUs that train: TRL counts its batch by GPU.")
@click.option("--metric", metavar="KEY", help="For --run: the pass rate, where several could be meant.")
@click.option("--unit", metavar="U", help="For --run: the compute axis, where several could be meant.")
@click.option("--bounds", type=Bound(), nargs=2, metavar="LO HI|open", callback=bounds_of,
              help="For --run: lowest and highest reward.")  # fmt: skip
@click.option("--strict", is_flag=True, help="For --check: exit code 2 where there are errors.")
@with_options(PARTIAL, OUTPUT)
def knobs(name: str | None, **given: Any) -> None:
    """Show what published studies measured of each knob, and what that means for a configuration.

    Without an option the catalogue, or one knob of it. CONFIG is YAML, JSON, Python source (never executed), or a
    script with flags or overrides, of TRL, verl, OpenRLHF or NeMo-RL.
    """
    checks = bool(given["configs"] or given["logs"] or given["difficulty"] is not None)
    asks = next((option for option, key in _ASKS if given[key]), "--check")
    questions = [what for what, wanted in (
        ("NAME", name is not None), (asks, checks), ("--diff", bool(given["diff"])),
        ("--emit", given["emit"] is not None),
    ) if wanted]  # fmt: skip
    if len(questions) > 1:
        raise InputError(f"{' and '.join(questions)} ask for different answers; give one of them")
    if given["ablation"] is not None and not checks:
        raise InputError("--ablation is for --check or --difficulty; give one of them")
    if given["version"] is not None and not (given["configs"] or given["diff"]):
        raise InputError("--trainer-version is for --check or --diff; give one of them")
    if given["strict"] and not given["configs"]:
        raise InputError("--strict is for --check; give a configuration")
    if given["plot"] is not None and (checks or given["diff"] or given["emit"] is not None):
        raise InputError("--plot draws the catalogue and its knobs; for the others give --report or --csv")
    if checks:
        _check(given)
    elif given["diff"]:
        _diff(given)
    elif given["emit"] is not None:
        _emit(given)
    else:
        _catalogue(name, given)


def _told(given: Mapping[str, Any]) -> Settings:
    from rlscale.answers.settings import Settings

    beside = ("as_json", "csv", "plot", "report", "partial")
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in given.items() if key not in beside}
    return Settings(command=click.get_current_context().obj, options=plain)


def _catalogue(name: str | None, given: dict[str, Any]) -> None:
    from rlscale.answers.knobs import KnobsView, catalogue_answer, drawn
    from rlscale.decisions.knobs import knob_catalogue

    to = output(given)
    answer = knob_catalogue(name)
    if given["plot"] is not None and not drawn(answer.knobs):
        raise InputError(f"--plot: no curve is published for {answer.knobs[0].name}; leave it out")
    view = KnobsView(answer, _told({**given, "name": name}))
    to.put(lambda charts: catalogue_answer(view, charts=charts))


def _check(given: dict[str, Any]) -> None:
    from rlscale.answers.knobs import KnobsView, check_answer
    from rlscale.answers.settings import bad_files
    from rlscale.decisions.knobs import check_config
    from rlscale.sources.configs import read_config

    to = output(given)
    options = {key: given[key] for key in ("trainer", "version", "gpus")}
    for path in given["configs"]:
        if _is_log(path):
            raise InputError(f"--check {path}: it is a log and no configuration; give it to --run")
    configs = [read_config(path, **options) for path in given["configs"]]
    reading = _read(given["logs"], given) if given["logs"] else None
    runs = () if reading is None else reading.runs
    logged, notes = _of_runs(runs)
    result = check_config(
        [*configs, *logged], difficulty=given["difficulty"], runs=runs, ablation=_ablation(given["ablation"]),
        left_out=() if reading is None else reading.left_out,
    )  # fmt: skip
    errors = () if reading is None else bad_files(reading.errors)
    view = KnobsView(replace(result, notes=notes), _told(given), errors)
    to.put(lambda charts: check_answer(view))
    wrong = list(dict.fromkeys(each.setting for each in result.findings if each.severity == "error"))
    if given["strict"] and wrong:
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        raise InputError(f"errors in {', '.join(wrong[:4])}{more}: mend them, or leave --strict out")
    answered(result.left_out, given)


def _read(paths: Sequence[str], given: dict[str, Any]) -> Reading:
    from rlscale.sources import ReadOptions, collect

    options = ReadOptions(metric=given["metric"], unit=given["unit"], bounds=given["bounds"])
    return collect(list(paths), options)


def _of_runs(runs: Sequence[Run]) -> tuple[list[Config], tuple[str, ...]]:
    """Return the configurations that logs hold, each once, and what is to be said of logs without one."""
    from rlscale.sources.configs import config_of_run

    unique: list[Config] = []
    members: list[int] = []
    without = [run.name for run in runs if not run.settings and not run.config]
    for run in runs:
        if run.name in without:
            continue
        config = config_of_run(run)
        same = next((k for k, other in enumerate(unique) if dict(other.settings) == dict(config.settings)), None)
        if same is None:
            unique.append(config)
            members.append(1)
        else:
            members[same] += 1
    named = [
        config if n == 1 else replace(config, name=f"{config.name} and {n - 1} more")
        for config, n in zip(unique, members, strict=True)
    ]
    if not without:
        return named, ()
    many = f" and {len(without) - 1} more" if len(without) > 1 else ""
    return named, (f"The log of {without[0]}{many} holds no settings: check what it was started with, --check CONFIG.",)


def _ablation(path: Path | None) -> dict[str, Any] | None:
    from rlscale.answers.documents import SCHEMA

    if path is None:
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--ablation {path}: cannot read it: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"--ablation {path}: it is no JSON; give what rlscale ablate --json printed") from error
    if not isinstance(document, dict):
        raise InputError(f"--ablation {path}: it is no document of rlscale ablate --json")
    if document.get("schema") != SCHEMA:
        raise InputError(
            f"--ablation {path}: its schema is {document.get('schema')!r}, and this rlscale knows {SCHEMA}; write it "
            "anew with this version, rlscale ablate PATH --json"
        )
    return document


def _diff(given: dict[str, Any]) -> None:
    from rlscale.answers.knobs import KnobsView, diff_answer
    from rlscale.decisions.knobs import diff_configs

    to = output(given)
    a, b = (_config_or_run(path, given) for path in given["diff"])
    view = KnobsView(diff_configs(a, b), _told(given))
    to.put(lambda charts: diff_answer(view))


def _is_log(path: str) -> bool:
    """Whether a path holds runs: a folder, an address, a log by its ending."""
    elsewhere = "://" in path or path.startswith("ledger:") or path == "bundled"
    return elsewhere or path.endswith((*_LOGS, "trainer_state.json")) or Path(path).is_dir()


def _config_or_run(path: str, given: dict[str, Any]) -> Config:
    """Return the configuration of a file, or that of the one recipe of a log."""
    from rlscale.sources.configs import read_config

    if not _is_log(path):
        return read_config(path, trainer=given["trainer"], version=given["version"], gpus=given["gpus"])
    configs, notes = _of_runs(_read([path], given).runs)
    if not configs:
        raise InputError(f"{path}: {notes[0]}", parameter="diff")
    if len(configs) > 1:
        names = ", ".join(config.name for config in configs[:4])
        raise InputError(f"--diff {path}: it holds runs of {len(configs)} settings ({names}); give the log of one")
    return configs[0]


def _emit(given: dict[str, Any]) -> None:
    from rlscale.answers.knobs import KnobsView, emit_answer
    from rlscale.decisions.knobs import emit_config

    if given["trainer"] is None:
        raise InputError("--emit writes for a trainer; give --for trl, verl or openrlhf")
    to = output(given)
    answer = emit_config(given["emit"], trainer=given["trainer"], batch=given["batch"], gpus=given["gpus"] or 1)
    view = KnobsView(answer, _told(given))
    if given["as_json"] or given["csv"] is not None or given["report"] is not None:
        to.put(lambda charts: emit_answer(view))
    else:
        click.echo(answer.text, nl=False)
