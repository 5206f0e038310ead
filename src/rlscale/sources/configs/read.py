"""Configurations of trainers: a file, a mapping, a list of arguments, or what the log of a run holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rlscale.curves import Config, KeyRemark, Run
from rlscale.curves.config import MOST_GPUS
from rlscale.errors import InputError, SourceError
from rlscale.keywords import checked_keywords
from rlscale.sources.configs.contradictions import contradictions
from rlscale.sources.configs.python_file import python_written
from rlscale.sources.configs.schema import (
    TRAINERS,
    checked_version,
    identified,
    key_remarks,
    schema_of,
    sound_values,
)
from rlscale.sources.configs.settings import DEFAULTS, settings_of
from rlscale.sources.configs.shell_file import arguments_written, shell_written
from rlscale.sources.configs.written import Written, flat_keys, literal, masked, shown
from rlscale.sources.configs.yaml_file import json_written, yaml_written
from rlscale.sources.limits import CONFIG_CAP

__all__ = ["config_of_run", "read_config"]

_READERS = {".yaml": yaml_written, ".yml": yaml_written, ".json": json_written, ".py": python_written,
            ".sh": shell_written}  # fmt: skip
#: What a Python source is told by.
_CALL = re.compile(r"\bGRPOConfig\s*\(")
#: ``key: value``, and the beginning of a document.
_YAML = re.compile(r"---|['\"]?[\w.-]+['\"]?\s*:(?:\s|$)|\{|- ")
#: ``${policy.max_total_sequence_length}``: the value of another key.
_OTHER = re.compile(r"\$\{([\w.]+)\}")


@checked_keywords
def read_config(
    source: str | Path | Mapping[str, Any] | Sequence[str] | Run,
    *,
    trainer: str | None = None,
    version: str | None = None,
    gpus: int | None = None,
    name: str | None = None,
) -> Config:
    """Read a trainer's configuration: its keys, in canonical words, and what is wrong with them.

    Parameters
    ----------
    source : path, mapping, sequence of str, or Run
        YAML or JSON (TRL, verl, NeMo-RL), Python source with one ``GRPOConfig(...)`` (never executed), a shell script
        (flags of OpenRLHF and TRL, overrides of verl); the same as a mapping or as a list of arguments; or a run, whose
        log holds its configuration.
    trainer : str, optional
        ``trl``, ``verl``, ``openrlhf`` or ``nemo-rl``; by default told from the keys.
    version : str, optional
        Of the trainer: keys that it may lack are told. By default the newest whose keys are known.
    gpus : int, optional
        GPUs that train: TRL counts its batch by GPU, so that without them its size is not known.
    name : str, optional
        What it is called; by default the file or the run.

    Returns
    -------
    Config

    Raises
    ------
    SourceError
        A file that cannot be read, is no configuration, or is too large, too deep or contains itself.
    InputError
        No trainer is known by the keys, or no PyYAML.

    Examples
    --------
    >>> config = read_config({"loss_type": "cispo", "num_generations": 16, "learning_rte": 5e-7})
    >>> config.title, config.settings["generations"]
    ('TRL', 16)
    >>> [remark.says for remark in config.remarks if remark.kind == "unknown"]
    ['TRL up to 1.16.0 has no such key; did you mean learning_rate?']
    """
    version = None if version is None else checked_version(version)
    if gpus is not None and not (isinstance(gpus, int) and 1 <= gpus <= MOST_GPUS):
        shown_gpus = f"{gpus:.6g}" if isinstance(gpus, int | float) else gpus
        raise InputError(f"--gpus {shown_gpus}: give a whole number from 1 to {MOST_GPUS:,}", parameter="gpus")
    if isinstance(source, Run):
        return config_of_run(source, version=version)
    label = name or (str(source) if isinstance(source, str | Path) else "config")
    written = _written(source, label)
    known = trainer or identified(written.values)
    if known is None:
        first = ", ".join(list(written.values)[:3]) or "none"
        raise SourceError(
            label,
            f"its keys ({first}) are of no trainer whose configurations are known; give --for "
            f"{', '.join(TRAINERS)}, or another file",
        )
    return _config(label, known, written, version, gpus)


def _written(source: str | Path | Mapping[str, Any] | Sequence[str], name: str) -> Written:
    if isinstance(source, Mapping):
        return Written(flat_keys(name, source))
    if not isinstance(source, str | Path):
        return arguments_written(source)
    text = _text(Path(source), name)
    by_content = _reader(text)
    by_name = _READERS.get(Path(source).suffix.lower(), by_content)
    try:
        return by_name(name, text)
    except SourceError as error:
        if by_name is by_content:
            raise
        try:
            return by_content(name, text)
        except SourceError:
            raise error from None


def _reader(text: str) -> Callable[[str, str], Written]:
    """Return what reads a text by what stands in it: its name may say nothing, or something else."""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    if text.lstrip().startswith("{"):
        return json_written
    if _CALL.search(text):
        return python_written
    if first.startswith(("-", "+")) and not first.startswith(("---", "- ")):
        return shell_written
    if _YAML.match(first):
        return yaml_written
    return shell_written


def _text(path: Path, name: str) -> str:
    """Return the text of a file, if it is of a size that a configuration has."""
    try:
        with path.open("rb") as opened:
            data = opened.read(CONFIG_CAP + 1)
    except OSError as error:
        raise SourceError(name, f"cannot read this configuration: {error.strerror}") from error
    if len(data) > CONFIG_CAP:
        raise SourceError(
            name, f"it is larger than {CONFIG_CAP >> 20} MB, which no configuration is; give another file"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(name, "it is no text in UTF-8; give a configuration") from error
    if not text.strip():
        raise SourceError(name, "it is empty; give a configuration")
    return text


def _config(
    name: str, trainer: str, written: Written, version: str | None, gpus: int | None = None, *, logged: bool = False
) -> Config:
    """Return what was written in canonical words; what a run logged has started, so that its values are not doubted."""
    schema = schema_of(trainer)
    flat = _resolved(written)
    sound, wrong = sound_values(trainer, flat, version=version, valued=frozenset(written.valued))
    if logged:
        sound, wrong = flat, []
    stated = settings_of(trainer, sound, gpus)
    remarks = [
        *written.remarks, *key_remarks(trainer, written, version), *wrong, *contradictions(trainer, sound, gpus),
    ]  # fmt: skip
    if trainer == "nemo-rl" and "defaults" in flat:
        says = "the settings that it builds on are not read; check that file too"
        remarks.append(KeyRemark("defaults", shown(flat["defaults"]), "unread", says))
    return Config(
        name=name,
        trainer=trainer,
        title=TRAINERS[trainer],
        version=version or schema.versions[-1],
        settings={setting: value for setting, (value, _) in stated.items()},
        keys={setting: key for setting, (_, key) in stated.items()},
        defaults=_defaults(trainer, written, {remark.key for remark in wrong if remark.refused}),
        raw=flat,
        remarks=tuple(remarks),
    )


def _defaults(trainer: str, written: Written, wrong: set[str]) -> dict[str, Any]:
    """Return the trainer's defaults of what is not written; of a key that is unread or wrong nothing is known."""
    unread = {remark.key for remark in written.remarks if remark.kind == "unread"} | wrong
    if "**" in unread:
        return {}
    hidden = settings_of(trainer, dict.fromkeys(unread, "?"))
    return {name: value for name, value in DEFAULTS[trainer].items() if name not in hidden}


def _resolved(written: Written) -> dict[str, Any]:
    """Return the values with ``${other.key}`` filled in; what refers to something else is left out."""
    flat: dict[str, Any] = {}
    for key, value in written.values.items():
        for _ in range(8):
            match = _OTHER.fullmatch(value) if isinstance(value, str) else None
            if match is None:
                break
            value = written.values.get(match[1], "${")
        if not (isinstance(value, str) and "${" in value):
            flat[key] = value
    return flat


def config_of_run(run: Run, *, version: str | None = None) -> Config:
    """Return the configuration that the log of a run holds, else the settings that it states.

    Parameters
    ----------
    run : Run
    version : str, optional

    Raises
    ------
    InputError
        The log holds no setting.

    Examples
    --------
    >>> from rlscale.curves import Curve, Run
    >>> curve = Curve(compute=[1, 2, 3], reward=[0.1, 0.2, 0.3], unit="steps")
    >>> config_of_run(Run(name="a", recipe="a", curve=curve, settings={"generations": 8})).settings["generations"]
    8
    """
    from rlscale.sources.trainers.base import flat as flat_config

    trainer = run.source.trainer if run.source is not None else None
    if run.config and trainer in TRAINERS:
        values = {
            key: masked(key, literal(value) if isinstance(value, str) else value)
            for key, value in flat_config(run.config).items()
        }
        logged = _config(run.name, trainer, Written(values), version, logged=True)
        # a tracker holds the trainer's whole state: keys of others than the configuration are no mistakes
        keep = tuple(remark for remark in logged.remarks if remark.kind == "contradiction" and not remark.refused)
        settings = {**logged.settings, **{k: v for k, v in run.settings.items() if k not in logged.settings}}
        return replace(logged, settings=settings, remarks=keep, defaults={})
    if not run.settings:
        raise InputError(
            f"run {run.name!r}: its log holds no settings; give the configuration that it was started with, --check "
            "CONFIG"
        )
    settings = dict(run.settings)
    prompts, n = settings.get("prompts_per_step"), settings.get("generations")
    if isinstance(prompts, int | float) and isinstance(n, int | float):
        settings.setdefault("total_batch", prompts * n)
    title = TRAINERS.get(trainer or "", "")
    return Config(name=run.name, trainer=trainer or "", title=title, settings=settings, raw=settings)
