"""The numbers monitors compare with, each with its reason; ``benchmarks/health.py`` says what they are worth."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Thresholds of all monitors; shares in [0, 1], ratios without unit, rows as logged.

    Published numbers are named; the others were chosen on real and simulated runs (``benchmarks/health.py``).

    Parameters
    ----------
    persist : int
        Rows in a row that must satisfy a rule that is no single event.
    truncation_warn : float
        Truncated share of samples: 10 to 15 % destabilised published runs (ScaleRL, appendix A.15).
    truncation_stop : float
        Nothing but truncated samples are left to learn from.
    truncation_half : float
        Share that stops with a fallen reward.
    truncation_rise : float
        Rise above the run's own lowest level that goes with a stop; runs that begin above it may learn to stop. Below
        this share, truncation is a note while the reward rises.
    entropy_low : float
        Share of the first rows' entropy at which it counts as collapsed.
    entropy_ahead : float
        Warned of before, where the trend gets there within this share of the rows so far.
    entropy_high : float
        Times the lowest level so far at which it counts as exploding.
    entropy_rise : float
        Nats per token it must have risen as well.
    entropy_far : float
        Nats per token above the lowest level at which the text is noise, whatever the reward does.
    kl_ratio : float
        Times its own recent level, or that at half the run.
    kl_least : float
        Nats per token below which no KL is large.
    kl_far : float
        Nats per token to the reference that are worth a note; of a KL per sequence it means nothing.
    kl_huge : float
        Nats per token that, after such a jump, leave nothing of the reference.
    kl_old : float
        Divergence between updates, nats per token (verl's health warning: .1).
    mismatch_kl, mismatch_logp, mismatch_p : float
        Sampler against trainer: KL in nats (verl: .1), mean absolute difference of log-probabilities in nats (.016 to
        .022 is usual with bf16) and of probabilities (over .01 is a precision problem, verl).
    weight_low, weight_high, ess, chi2, weight_sd, veto : float
        Mean importance weight, effective sample size, chi-square, sd of the weights, share of vetoed samples (verl's
        health warnings).
    mismatch_ratio : float
        Times its own first rows.
    staleness_note, staleness_warn : float
        Policy versions: plain PPO lost 19 points at 4, decoupled PPO held up to 8 (AReaL, table of eta).
    groups_dead : float
        Share of groups without reward differences at which almost nothing is learned.
    groups_persist : int
        Rows of it.
    groups_solved : float
        Where the reward stands, as a share of its bounds, above which such groups are too easy.
    grad_warn, grad_stop : float
        Times the median of the rows before.
    length_grow, length_shrink : float
        Times the length at half the run, or that of the first rows where it was shorter.
    length_fast : float
        Times the length at half the run: a growth that goes with learning is slower.
    length_gone : float
        Share of the first rows' length that is warned of whatever the reward does.
    length_stop : float
        Share of the first rows' length at which, with a falling reward, answers are no longer given.
    hacking_rise : float
        Rise of what is trained, as a share of its start or a tenth of its bounds, that the true measure must follow.
    hacking_follow : float
        Share of that rise that it must show.
    hacking_share : float
        Judged share of hacks (where one is logged).
    reuse_epochs : float
        Passes over the data from which on it can be learned by heart (harmless up to 25 in Tan et al.).
    reuse_gap : float
        How far training pulls ahead of validation, as a share of the bounds.
    scale_jump : float
        Times the spread so far that a reward leaves its range by at once.
    silence : float
        Times the usual interval between evaluations.
    stalled : float
        Times the usual interval between steps.
    fall : float
        Share of the best level so far (of its scale) that the reward must have lost to count as fallen.
    """

    persist: int = 2
    truncation_warn: float = 0.10
    truncation_stop: float = 0.80
    truncation_half: float = 0.50
    truncation_rise: float = 0.30
    entropy_low: float = 0.10
    entropy_ahead: float = 0.10
    entropy_high: float = 3.0
    entropy_rise: float = 0.3
    entropy_far: float = 2.0
    kl_ratio: float = 10.0
    kl_least: float = 0.2
    kl_far: float = 1.0
    kl_huge: float = 10.0
    kl_old: float = 0.1
    mismatch_kl: float = 0.1
    mismatch_logp: float = 0.05
    mismatch_p: float = 0.01
    weight_low: float = 0.5
    weight_high: float = 2.0
    ess: float = 0.3
    chi2: float = 1.0
    weight_sd: float = 1.0
    veto: float = 0.1
    mismatch_ratio: float = 4.0
    staleness_note: float = 4.0
    staleness_warn: float = 8.0
    groups_dead: float = 0.9
    groups_persist: int = 16
    groups_solved: float = 0.8
    grad_warn: float = 10.0
    grad_stop: float = 100.0
    length_grow: float = 2.0
    length_shrink: float = 0.25
    length_fast: float = 2.0
    length_gone: float = 0.1
    length_stop: float = 0.25
    hacking_rise: float = 0.4
    hacking_follow: float = 0.15
    hacking_share: float = 0.5
    reuse_epochs: float = 25.0
    reuse_gap: float = 0.1
    scale_jump: float = 3.0
    silence: float = 3.0
    stalled: float = 10.0
    fall: float = 0.25
