"""The gate on logs as they stand: which runs go on, which are held, which gets the budget."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.decisions.gate.answer import Decision, Evidence, GateAnswer, decided_savings
from rlscale.decisions.gate.contenders import NEAR, check, contenders, learned_tau, states_of, trace
from rlscale.decisions.gate.history import History
from rlscale.decisions.gate.hold import Gate, as_they_are
from rlscale.decisions.gate.known import Known
from rlscale.decisions.gate.policy import HOLD, Policy, frame_unit, scaled
from rlscale.decisions.gate.seeds import near_best
from rlscale.decisions.gate.sentences import Words, sentence, stop_said
from rlscale.decisions.gate.standing import Action, Memory, Round, Ruling, Standing, State
from rlscale.decisions.runs import by_recipe
from rlscale.decisions.team import Watch
from rlscale.errors import InputError
from rlscale.inference.entry import runs_of
from rlscale.inference.fit import Fit, FitOptions
from rlscale.inference.forecast import LEVELS
from rlscale.inference.verdict import shown
from rlscale.keywords import checked_keywords
from rlscale.left_out import lacked
from rlscale.numerals import quantity

__all__ = ["gate"]


@checked_keywords
def gate(
    runs: Iterable[Run | Curve | Fit],
    budget: float,
    *,
    horizon: float | None = None,
    policy: Policy = HOLD,
    options: FitOptions | None = None,
    seed_sd: float | None = None,
    held: Collection[str] = (),
    ended: Collection[str] = (),
    stopped: Collection[str] = (),
    risk_spent: float = 0.0,
    known: Known | None = None,
    watch: Watch | None = None,
) -> GateAnswer:
    """Decide for every run whether to continue, hold, stop or commit, from its log as it stands.

    Earlier looks are made again from the same logs, so that two looks in a row can be asked for: a look back leaves out
    the last ``horizon / looks`` of each running run.

    Parameters
    ----------
    runs : iterable of Run, Curve or Fit
        With one unit, clock, metric and range; the runs of one recipe are judged together.
    budget : float
        Compute that one run may get, in the runs' unit: the reward there is what is compared.
    horizon : float, optional
        Compute of one run at which the comparison ends; the budget by default.
    policy : Policy
    options : FitOptions, optional
        Without model error by default: the discrepancy of the policy takes its place.
    seed_sd : float, optional
        Run-to-run sd as a share of the range; learned where a recipe has several runs; 0 judges these runs.
    held, ended, stopped : collection of str
        Runs that are paused now, that ended before the horizon, and that were stopped for good.
    risk_spent : float
        Risk that earlier stops of a ``kill`` policy have spent, as their answers said.
    known : Known, optional
        Fits made before, where a live gate has them, with this budget and these options; they are not made again.
    watch : callable, optional

    Raises
    ------
    InputError
        No runs, runs that cannot be compared, a budget that every run has passed, a horizon beyond the budget, or a
        name that no run has.

    Examples
    --------
    >>> import rlscale
    >>> answer = rlscale.gate(rlscale.read("bundled", until=9.2e5), budget=1.84e6)
    >>> [decision.run for decision in answer.decisions if decision.action == "commit"]
    ['long10/seed0', 'long10/seed1']
    """
    left_out = lacked(runs)
    runs = runs_of(runs, "gate")
    horizon = budget if horizon is None else horizon
    named = {"held": held, "ended": ended, "stopped": stopped}
    check(runs, budget, horizon, named)
    if not 0.0 <= risk_spent <= 1.0:
        raise InputError(f"--risk-spent {risk_spent:g} is not a probability; give what the last answer said")
    traced = trace(runs, budget, horizon, policy, options, known=known, watch=watch)
    groups = by_recipe(runs)
    seeded = any(len(group) > 1 for group in groups.values())
    tau = learned_tau(runs, groups, seed_sd, seeded, options, known)
    unit = frame_unit(runs[0].curve)
    field = contenders(traced, runs, groups, tau * unit)
    table = _Table(runs, groups, field, states_of(runs, horizon, named), policy, scaled(policy, unit), budget, horizon,
                   risk_spent)  # fmt: skip
    ruled, standings = table.decide()
    answer = table.answer(ruled, standings, tau, "recipes" if seeded or seed_sd else "runs", frozenset(ended))
    return replace(answer, left_out=left_out)


@dataclass(frozen=True, eq=False)
class _Table:
    """All that decisions are made of."""

    runs: Sequence[Run]
    groups: Mapping[str, Sequence[int]]
    contenders: tuple[History, ...]
    states: Mapping[str, State]
    stated: Policy
    policy: Policy  # its rewards in shares of the frame
    budget: float
    horizon: float
    risk_spent: float

    def decide(self) -> tuple[Round, tuple[Standing, ...]]:
        """Decide look by look, as often as patience asks for; only the last round counts."""
        beliefs = [one.prospects(self.policy, self.policy.patience) for one in self.contenders]
        states = [self._state_of(group) for group in self.groups.values()]
        memory = Memory(spent=self.risk_spent)
        for back in range(self.policy.patience - 1, -1, -1):
            # what does not run stood where it stands at the look before, too
            at = [
                len(one.looks) - 1 - (back if state is State.RUNNING else 0)
                for one, state in zip(self.contenders, states, strict=True)
            ]
            field = tuple(
                one.standing(max(k, 0), state, k - 1 if k > 0 else None, belief[max(k, 0)])
                for one, k, state, belief in zip(self.contenders, at, states, beliefs, strict=True)
            )
            ruled = self._round(field, memory)
            # what a stop would have spent at an earlier look was not spent: only this look's decisions are carried out
            memory = Memory(ruled.memory.qualified, self.risk_spent)
        return ruled, field

    def _round(self, field: tuple[Standing, ...], memory: Memory) -> Round:
        if len(field) == 1:
            code = "nothing_to_compare" if len(self.runs) == 1 else "one_recipe"
            return Round((Ruling(name=field[0].name, action=Action.CONTINUE, code=code),), None, memory)
        if not any(one.learning for one in field):
            return Round(tuple(as_they_are(one, "no_learning") for one in field), None, Memory(spent=memory.spent))
        return Gate(self.policy).decide(field, memory)

    def _state_of(self, group: Sequence[int]) -> State:
        """Return what a recipe does: it runs while any of its runs does, and is held while any of them is."""
        own = {self.states[self.runs[k].name] for k in group}
        return next(state for state in State if state in own)

    def answer(
        self, ruled: Round, field: Sequence[Standing], tau: float, claim: str, ended: Collection[str]
    ) -> GateAnswer:
        """Return the decisions on the runs of every contender; ``ended`` names those that are over by themselves."""
        curve = self.runs[0].curve
        words = Words(
            reward=lambda share: shown(_reward(share, curve.frame), curve),
            difference=lambda share: shown(share * (curve.frame[1] - curve.frame[0]), curve),
            compute=lambda share: quantity(share * self.horizon, curve.unit),
            budget=quantity(self.budget, curve.unit),
            policy=self.policy,
        )
        rulings = self._by_run(ruled.rulings, field)
        found: dict[int, Decision] = {}
        for place, (recipe, group) in enumerate(self.groups.items()):
            one = field[place]
            looks = ruled.memory.qualified.get(one.name, 0)
            for k in group:
                ruling = rulings[k]
                told = sentence(one, ruling, words, ruled.risk, looks)
                evidence = self._evidence(k, one, ruling, ruled, looks, self.contenders[place])
                found[k] = Decision(
                    run=self.runs[k].name, recipe=recipe, action=ruling.action, code=ruling.code, reason=told,
                    evidence=evidence,
                )  # fmt: skip
        decisions = tuple(found[k] for k in range(len(self.runs)))
        paused = [name for name, state in self.states.items() if state in (State.HELD, State.STOPPED)]
        return GateAnswer(
            budget=self.budget,
            horizon=self.horizon,
            spent=float(sum(run.curve.compute_last for run in self.runs)),
            unit=curve.unit,
            clock=curve.clock,
            metric=curve.metric,
            bounds=curve.shown_in,
            decisions=decisions,
            risk=ruled.risk,
            leader=ruled.leader,
            policy=self.stated,
            claim=claim,
            seed_sd=tau,
            notes=self._notes(),
            runs=tuple(self.runs),
            savings=decided_savings(decisions, self.budget, curve.unit, paused=paused, over=ended),
        )

    def _by_run(self, rulings: Sequence[Ruling], field: Sequence[Standing]) -> dict[int, Ruling]:
        """Return the ruling on each run: that on its contender, but for what has finished and for staged seeds."""
        lead_done = self._leads_done()
        known = [one.prospect.mean if one.prospect is not None else -np.inf for one in field]
        near = near_best(known, self.policy.seed_band)
        found: dict[int, Ruling] = {}
        for place, group in enumerate(self.groups.values()):
            ruling = rulings[place]
            lead = self._lead(group)
            for k in group:
                state = self.states[self.runs[k].name]
                if state is State.STOPPED:
                    found[k] = replace(ruling, action=Action.STOP, code="stopped", guard=None)
                elif state is State.FINISHED:
                    over = ruling.action not in (Action.CONTINUE, Action.HOLD)
                    found[k] = ruling if over else replace(ruling, action=Action.CONTINUE, code="finished", guard=None)
                elif self.policy.seeds == "staged" and k != lead and ruling.action is not Action.STOP:
                    found[k] = self._staged(ruling, lead_done, near[place])
                else:
                    found[k] = ruling
        return found

    def _lead(self, group: Sequence[int]) -> int:
        """Return the first seed of a recipe: the one with the most compute."""
        return max(group, key=lambda k: (self.runs[k].curve.compute_last, -k))

    def _leads_done(self) -> bool:
        """Whether no first seed of any recipe still runs."""
        leads = map(self._lead, self.groups.values())
        return all(self.states[self.runs[k].name] is not State.RUNNING for k in leads)

    def _staged(self, ruling: Ruling, lead_done: bool, near: bool) -> Ruling:
        """Return the ruling on a further seed: more seeds only for recipes near the best, once one of each has run."""
        if lead_done and near:
            return replace(ruling, action=Action.CONTINUE, code="near_best")
        return replace(ruling, action=Action.HOLD, code="not_near_best" if lead_done else "one_seed_first")

    def _evidence(self, k: int, one: Standing, ruling: Ruling, ruled: Round, looks: int, history: History) -> Evidence:
        run, believed = self.runs[k], one.prospect
        low, high = run.curve.frame
        size = high - low
        verdict = history.looks[-1].verdict
        return Evidence(
            contender=one.name,
            spent=run.curve.compute_last,
            evaluations=run.curve.n_trained,
            reward=_reward(one.recent, run.curve.frame),
            forecast=None if believed is None else tuple(low + size * believed.quantile(q) for q in LEVELS),
            mean=None if believed is None else low + size * believed.mean,
            h=ruling.h,
            joint_risk=ruled.risk,
            guard=ruling.guard,
            looks=looks,
            drift=None if believed is None else believed.drift,
            discrepancy=None if believed is None else size * believed.discrepancy,
            collapsed=believed is not None and believed.collapsed,
            verdict=None if verdict is None else verdict.name,
            alarm=history.looks[-1].alarm,
        )

    def _notes(self) -> tuple[str, ...]:
        notes = []
        past = [run.name for run in self.runs if run.curve.compute_last > self.budget * (1 + NEAR)]
        if past:
            notes.append(
                f"{', '.join(past[:5])}{' and more' if len(past) > 5 else ''} went beyond the budget: judged at it."
            )
        latest = [(one.name, one.looks[-1]) for one in self.contenders]
        sick = [
            f"{name}: {stop_said(look.alarm)}" for name, look in latest if look.alarm is not None and not look.collapsed
        ]
        if sick:
            more = f"; and {len(sick) - 3} more" if len(sick) > 3 else ""
            notes.append(f"{'; '.join(sick[:3])}{more}: judged by the reward now; --no-health judges by the forecast.")
        last = [run.curve.compute_last for run in self.runs if self.states[run.name] is State.RUNNING]
        if last and min(last) < 0.5 * max(last):
            slow = [run.name for run in self.runs if self.states[run.name] is State.RUNNING
                    and run.curve.compute_last < 0.5 * max(last)]  # fmt: skip
            notes.append(
                f"{', '.join(slow[:5])}{' and more' if len(slow) > 5 else ''} stands at less than half of the others' "
                "compute: if it has ended or is paused, say so with --ended or --held."
            )
        return tuple(notes)


def _reward(share: float, bounds: tuple[float, float]) -> float:
    return bounds[0] + share * (bounds[1] - bounds[0])
