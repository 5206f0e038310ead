"""Knobs of a recipe: what published studies measured, and what it means for a configuration.

``catalogue`` is the data; ``batch_rules`` and ``loss_rules`` judge a configuration by it, ``check`` asks them all;
``advice`` is on KL and entropy terms by difficulty, ``diff`` compares two configurations, ``emit`` writes one.
"""

from rlscale.decisions.knobs.advice import advice_on, difficulty_of
from rlscale.decisions.knobs.catalogue import KNOBS, PUBLISHED
from rlscale.decisions.knobs.check import check_config, second_order_knobs
from rlscale.decisions.knobs.diff import diff_configs
from rlscale.decisions.knobs.emit import emit_config
from rlscale.decisions.knobs.finding import SEVERITIES, Advice, Check, Diff, Difference, Difficulty, Finding
from rlscale.decisions.knobs.knob import GRADES, Catalogue, Interaction, Knob, PublishedFit, Study
from rlscale.decisions.knobs.lookup import knob_catalogue
from rlscale.decisions.knobs.recipe import ConfigLine, EmittedConfig, Missing

__all__ = [
    "GRADES",
    "KNOBS",
    "PUBLISHED",
    "SEVERITIES",
    "Advice",
    "Catalogue",
    "Check",
    "ConfigLine",
    "Diff",
    "Difference",
    "Difficulty",
    "EmittedConfig",
    "Finding",
    "Interaction",
    "Knob",
    "Missing",
    "PublishedFit",
    "Study",
    "advice_on",
    "check_config",
    "diff_configs",
    "difficulty_of",
    "emit_config",
    "knob_catalogue",
    "second_order_knobs",
]
