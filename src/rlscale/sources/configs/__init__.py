"""Configurations of trainers: read from files, arguments and logs, in canonical words, with what is wrong with them.

``written`` is a file's keys and values, ``schema`` which keys there are, ``settings`` what they mean,
``contradictions`` which of them cannot stand together; ``read`` puts them together.
"""

from rlscale.sources.configs.read import config_of_run, read_config
from rlscale.sources.configs.schema import TRAINERS
from rlscale.sources.configs.settings import SETTINGS

__all__ = ["SETTINGS", "TRAINERS", "config_of_run", "read_config"]
