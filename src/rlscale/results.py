"""What every result can do in a notebook and a program: show itself, become a table, JSON or a chart."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rlscale.left_out import LeftOut

__all__ = ["Result"]

#: What knows how results look: loaded when one is shown, so that the core knows nothing of text, pages and charts.
_SHOWN = "rlscale.render.results"


class Result:
    """A result that can be shown: ``Fit``, ``Ranking``, ``Plan``, ``GateAnswer``, ``Backtest``, ``Replay``.

    Examples
    --------
    >>> import rlscale
    >>> from rlscale.sources import bundled
    >>> ranking = rlscale.rank([rlscale.fit(run) for run in rlscale.read(bundled())])
    >>> ranking.to_dict()["recipes"][0]["recipe"]
    'long10'
    """

    #: What was named and is not in the answer.
    left_out: tuple[LeftOut, ...] = ()

    def summary(self) -> str:
        """Return the text that the command line prints."""
        text: str = _shown().summary(self)
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of the command line, as plain values."""
        document: dict[str, Any] = _shown().document(self)
        return document

    def to_frame(self) -> Any:
        """Return the table of the answer as a pandas ``DataFrame``: an interval fills three columns.

        Raises
        ------
        InputError
            No pandas.
        """
        return _shown().frame(self)

    def to_csv(self) -> str:
        """Return the table of the answer as CSV."""
        text: str = _shown().csv(self)
        return text

    def plot(self, ax: Any = None) -> Any:
        """Draw the chart of the answer.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where its first panel is drawn; without one a figure is made.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        InputError
            No matplotlib, or nothing to draw: a ranking of thousands keeps no fits.
        """
        return _shown().plot(self, ax)

    def _repr_html_(self) -> str:
        text: str = _shown().html(self)
        return text


def _shown() -> Any:
    return import_module(_SHOWN)
