"""What a published scaling fit must state, after the (mis)fitting checklist (arXiv 2502.18969)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rlscale.answers.answer import Definitions
from rlscale.answers.numbers import count, quantity
from rlscale.answers.views import FitView, RankView
from rlscale.inference import Fit
from rlscale.inference.families import Family
from rlscale.inference.least_squares import least_squares
from rlscale.inference.priors import Priors, priors_for

__all__ = ["MADE", "bounds_hit", "checklist"]

#: Title of the block that says what an answer rests on; a page adds the options to it.
MADE = "How these numbers were made"

_COUNTS = {
    "gpu-hours": "wall-clock hours times GPUs, as the log counts them",
    "tokens": "prompt and completion tokens processed in training, all ranks; not evaluation",
    "samples": "completions trained on",
    "steps": "optimizer steps of the trainer: comparable only between runs of one batch size and model",
    "flops": "floating-point operations, as logged or counted from tokens and parameters",
    "dollars": "gpu-hours times the price given",
}
#: Which hours.
_CLOCKS = {
    "": "",
    "train": "; training steps alone",
    "train+eval": "; training, validation and checkpoints by the trainer's timers",
    "elapsed": "; all the time the run was up, with what restarts threw away",
}
#: Runs cross-fitted by least squares, some 50 ms each.
_CHECKED = 60
_FIT = (
    "Posterior by deterministic quadrature: a zooming grid over (ln C_mid, ln B), R0 and A in closed form inside the "
    "bounds. No starting points, no random seed, no optimizer to stop early."
)
_NOISE = (
    "Gaussian, autocorrelated along the run (AR(1)) with unknown correlation and variance. The sampling error of the "
    "evaluation set moves the level of a whole curve and is reported apart (sd of its level)."
)
_HELD_OUT = (
    "Nothing: no part of these runs was kept back, so this report does not say how good such forecasts were. "
    "Compare it with the runs once they have gone on."
)


def checklist(
    view: FitView | RankView, fits: Sequence[Fit], hits: Callable[[Fit], tuple[str, ...]] | None = None
) -> Definitions:
    """Return what the whole analysis rests on; ``hits`` is the field of each run, :func:`bounds_hit` by default."""
    families, options = fits[0].options.families, fits[0].options
    points = [run.n_points for run in view.runs]
    first, last = min(run.compute_first for run in view.runs), max(run.compute_last for run in view.runs)
    unit = view.runs[0].unit
    late = sum(not run.has_baseline for run in view.runs)
    started = "all start with an evaluation before training" if not late else f"{count(late, 'run')} start late"
    data = (
        f"{count(len(fits), 'run')} of {_range(points)} points, {quantity(first)} to {quantity(last, unit)}; {started}."
        " Checkpoints of one run are one curve, not independent samples."
    )
    exponents = "; ".join(_prior_b(family) for family in families if family.rises)
    prior = options.priors or priors_for(options.model_error)
    priors = (
        f"ln C_mid ~ N(ln C_last, {prior.log_c_mid_sd:g}); ln B ~ {exponents}; (R0, A) uniform inside the bounds, "
        f"density × {prior.falling_weight:g} where A < R0.{_open_prior(view)}"
    )
    intervals = (
        f"80 % (and 50 %) quantiles of the noise-free reward, {_model_error(options.model_error, prior)}, up to 4 × "
        f"the compute so far. {_pooling(view)}"
    )
    fields = (
        ("Form", _form(families)),
        ("Data", data),
        ("Compute", f"{unit}: {_COUNTS[unit]}{_CLOCKS[view.runs[0].clock]}."),
        ("Fit", _FIT),
        ("Noise", _NOISE),
        ("Priors", priors),
        ("Intervals", intervals),
        ("Bounds hit", _bounds_summary(fits, hits or bounds_hit)),
        ("Held out", _HELD_OUT),
    )
    return Definitions(MADE, fields, "Fields follow the (mis)fitting checklist, arXiv 2502.18969.")


def _model_error(given: float | None, prior: Priors) -> str:
    if given is not None:
        return f"with a model error of {given:g} of the range for each e-fold of compute ahead"
    return (
        "with the model error learned from each curve (a random walk in log compute) and a probability of up to "
        f"{100 * prior.ahead.stay:g} % that the reward stays where it is"
    )


def _open_prior(view: FitView | RankView) -> str:
    if not any(run.bounds_from == "open" for run in view.runs):
        return ""
    return " Open bounds: A falls above the highest level seen as a half-Cauchy, cut at ten times its scale."


def _form(families: Sequence[Family]) -> str:
    if len(families) == 1:
        (only,) = families
        return f"{only.formula} ({only.name}; {only.source}): it saturates, and is linear in (R0, A)."
    told = "; ".join(f"{each.formula} ({each.name}, probability {each.prior:g}; {each.source})" for each in families)
    return f"An average of families, each weighted by its evidence: {told}."


def _prior_b(family: Family) -> str:
    low, high = family.b_limits
    return f"N({family.log_b_mean:.2f}, {family.log_b_sd:g}) in [{low:g}, {high:g}] ({family.name})"


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _pooling(view: FitView | RankView) -> str:
    if isinstance(view, FitView):
        return "Runs are fitted apart."
    tau = view.ranking.seed_sd
    return f"Runs of a recipe are pooled, with a run-to-run sd of {tau.value:.3g} of the range ({tau.source})."


def bounds_hit(fit: Fit) -> tuple[str, ...]:
    """Return the parameters of the least-squares fit that ended on the edge of what was allowed."""
    return () if fit.posterior is None else least_squares(fit.posterior.curve, family=fit.options.families[0]).at_bound


def _bounds_summary(fits: Sequence[Fit], hit: Callable[[Fit], tuple[str, ...]]) -> str:
    checked = fits[:_CHECKED]
    hits = {fit.run.name: hit(fit) for fit in checked}
    of = "" if len(checked) == len(fits) else f" of the first {len(checked)} runs"
    told = [f"{name} ({', '.join(edges)})" for name, edges in hits.items() if edges]
    if not told:
        return f"None: every least-squares cross-fit{of} ends inside its limits."
    more = f"; {len(told) - 8} more" if len(told) > 8 else ""
    return (
        f"Least-squares cross-fits{of} that end on a limit: {'; '.join(told[:8])}{more}. Read their ceilings with care."
    )
