"""FLOPs of a run, from its tokens and the size of its policy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rlscale.errors import InputError

__all__ = ["FlopRule"]


@dataclass(frozen=True, kw_only=True)
class FlopRule:
    """What turns tokens into FLOPs.

    For every token of prompt and response, generation is one forward pass, each set of log-probabilities (old policy,
    reference) another, each epoch of the update a forward and a backward pass:

    ``FLOPs = tokens x [N (2 + 2 k + 6 e) + L d s (4 + 4 k + 12 e)]``

    with ``N`` active parameters, ``k`` log-probability passes, ``e`` epochs, ``L`` layers, ``d`` hidden size and ``s``
    tokens of a sample; 8 takes the place of 6, and 16 of 12, where the forward pass is computed twice. The second term,
    attention, is left out where ``L``, ``d`` or ``s`` is unknown. Groups that a filter threw away cost ``2 N`` a token
    too, but no trainer logs them.

    Parameters
    ----------
    params : float, optional
        ``N``: parameters of the policy, of a mixture of experts those active for one token.
    logp_passes : float, optional
        ``k``.
    epochs : float, optional
        ``e``.
    layers, width, length : float, optional
        ``L``, ``d`` and ``s``.
    recompute : bool
        Whether activations are recomputed in the backward pass.

    Raises
    ------
    InputError
        A number that cannot be one.
    """

    params: float | None = None
    logp_passes: float | None = None
    epochs: float | None = None
    layers: float | None = None
    width: float | None = None
    length: float | None = None
    recompute: bool = False

    def __post_init__(self) -> None:
        least = {"logp_passes": 0.0, "epochs": 0.0}
        for name in ("params", "logp_passes", "epochs", "layers", "width", "length"):
            value = getattr(self, name)
            if value is not None and not (
                math.isfinite(value) and (value >= least[name] if name in least else value > 0)
            ):
                flag = name.replace("_", "-")
                raise InputError(f"--{flag} {value:g} is not a number to count FLOPs with; give a positive --{flag}")

    def per_token(self) -> float:
        """Return FLOPs for each token of prompt and response; ``params`` must be known."""
        assert self.params is not None
        passes = 1.0 if self.logp_passes is None else self.logp_passes
        epochs = 1.0 if self.epochs is None else self.epochs
        update = 8 if self.recompute else 6
        dense = self.params * (2 + 2 * passes + update * epochs)
        if self.layers is None or self.width is None or self.length is None:
            return dense
        return dense + self.layers * self.width * self.length * (4 + 4 * passes + 2 * update * epochs)

    def sentence(self) -> str:
        """Return how the FLOPs were counted."""
        passes = f"{self.logp_passes:g}" if self.logp_passes is not None else "1 (assumed)"
        epochs = f"{self.epochs:g}" if self.epochs is not None else "1 (assumed)"
        update = 8 if self.recompute else 6
        attention = (
            f"with attention over {self.length:g} tokens"
            if self.layers is not None and self.width is not None and self.length is not None
            else "without the attention term"
        )
        return (
            f"flops count tokens x {self.params:.4g} parameters x (2 + 2 k + {update} e), {attention}: "
            f"k = {passes} log-probability passes, e = {epochs} epochs"
        )
