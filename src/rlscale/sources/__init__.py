"""Logs to runs: one module a format, the canonical metric table, the choices, the repairs, and the bundled runs.

``files/`` holds trainers' own files, ``tables/`` long tables, ``trackers/`` TensorBoard, W&B, MLflow and Trackio;
``trainers/`` says what each trainer's keys mean, whichever of them holds the log.
"""

from rlscale.sources.assemble import Named
from rlscale.sources.assembled import assembled
from rlscale.sources.collect import Survey, bundled, collect, read, survey
from rlscale.sources.flops import FlopRule
from rlscale.sources.grouping import Grouping, named_recipe
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.reading import Reading
from rlscale.sources.settings_file import settings_file
from rlscale.sources.tables.pass_counts import PromptTable, prompt_table, without_prompt_tables

__all__ = [
    "FlopRule",
    "Grouping",
    "Log",
    "Named",
    "PromptTable",
    "ReadOptions",
    "Reading",
    "Survey",
    "assembled",
    "bundled",
    "collect",
    "named_recipe",
    "prompt_table",
    "read",
    "settings_file",
    "survey",
    "without_prompt_tables",
]
