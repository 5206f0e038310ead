"""An answer as one HTML file that opens offline: its tables, its charts, its sentences."""

from __future__ import annotations

from html import escape

from rlscale.present.answers.answer import Answer
from rlscale.present.answers.writers import as_html
from rlscale.present.charts.spec import Chart
from rlscale.present.charts.svg import standalone_svg
from rlscale.present.views import Settings, versions

__all__ = ["answer_page"]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; padding: 32px 20px 56px; max-width: 1100px; background: Canvas; }}
footer {{ margin-top: 32px; font: 12.5px/1.5 system-ui, sans-serif; color: #808890; }}
@media print {{ body {{ padding: 0; }} }}
</style>
</head>
<body>
{body}
<footer>{command}<p>{versions}</p></footer>
</body>
</html>
"""


def answer_page(answer: Answer, chart: Chart | None, settings: Settings) -> str:
    """Return the page of an answer, with its charts where there are some."""
    figures = "" if chart is None else "".join(standalone_svg(panel) for panel in chart.panels)
    command = f"<p><code>{escape(settings.command)}</code></p>" if settings.command else ""
    return _PAGE.format(
        title=escape(answer.headline),
        body=as_html(answer, figures),
        command=command,
        versions=escape(" · ".join(f"{name} {number}" for name, number in versions().items())),
    )
