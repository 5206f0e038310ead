"""What logs hold, before anything is fitted: ``rlscale show``; and what can be read at all: ``rlscale sources``."""

from rlscale.render.logs.show import print_survey, survey_document
from rlscale.render.logs.sources import metrics_document, print_metrics, print_sources, sources_document

__all__ = [
    "metrics_document",
    "print_metrics",
    "print_sources",
    "print_survey",
    "sources_document",
    "survey_document",
]
