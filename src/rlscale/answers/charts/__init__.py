"""Charts: what is shown as one plain value, drawn by two renderers (SVG for pages, matplotlib for files)."""

from __future__ import annotations

from rlscale.answers.charts.spec import Axis, Band, Chart, End, Key, Label, Line, Panel, Part, Points, Whisker

__all__ = ["Axis", "Band", "Chart", "End", "Key", "Label", "Line", "Panel", "Part", "Points", "Whisker"]
