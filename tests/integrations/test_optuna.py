"""The gate as Optuna's pruner: the bad trials of real studies are pruned, the best one is not."""

from __future__ import annotations

import math
import pickle

import numpy as np
import optuna
import pytest

from rlscale.errors import InputError
from rlscale.integrations.optuna_pruner import AsymptotePruner
from rlscale.ledger import Ledger

BUDGET = 24
CEILINGS = (0.8, 0.3, 0.35, 0.25, 0.45, 0.4, 0.2, 0.5)


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def pruner(tmp_path):
    made = AsymptotePruner(BUDGET, ledger=str(tmp_path / "ledger.db"))
    yield made
    made.close()


def reward(number, step):
    noise = np.random.default_rng([number, step]).normal(0.0, 0.005)
    return float(np.clip(0.1 + (CEILINGS[number] - 0.1) / (1.0 + (4.0 / step) ** 1.6) + noise, 0.0, 1.0))


def test_what_was_pruned_is_counted_and_said(pruner, caplog):
    assert pruner.savings is None
    study = optuna.create_study(direction="maximize", pruner=pruner)
    with caplog.at_level("INFO", logger="rlscale"):
        pruned, _ = play(study, len(CEILINGS))
    told = pruner.savings
    assert told.planned == len(CEILINGS) * BUDGET
    assert told.spent + told.saved <= told.planned
    assert told.saved > 0.0
    assert len([record for record in caplog.records if "is pruned. Spent" in record.message]) == len(pruned)


def test_what_another_process_saves_is_known_too(tmp_path):
    where = str(tmp_path / "ledger.db")
    first, second = (AsymptotePruner(BUDGET, ledger=where) for _ in range(2))
    study = optuna.create_study(direction="maximize", pruner=first)
    play(study, len(CEILINGS))
    trial = study.get_trials()[0]
    second.prune(study, trial)
    assert second.savings == first.savings
    second.close()
    first.close()


def play(study, count, until=BUDGET, trials=None):
    """Run trials side by side, a step of each in turn; return the step at which each was pruned."""
    trials = trials if trials is not None else [study.ask() for _ in range(count)]
    pruned = {}
    for step in range(1, until + 1):
        for trial in trials:
            if trial.number in pruned:
                continue
            trial.report(reward(trial.number, step), step)
            if trial.should_prune():
                pruned[trial.number] = step
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    return pruned, [trial for trial in trials if trial.number not in pruned]


def test_why_a_trial_was_pruned_stands_beside_it_and_in_the_log(pruner, caplog):
    study = optuna.create_study(direction="maximize", pruner=pruner)
    pruned, _ = play(study, len(CEILINGS))
    with Ledger(pruner.ledger) as held:
        last = {one.run: one for one in held.rulings.decisions()}
    for trial in study.trials:
        told = trial.user_attrs
        decision = last[f"{study.study_name}/{trial.number}"]
        if trial.number in pruned:
            assert told["rlscale_reason_code"] == decision.code
            assert f"{decision.run} (decision {decision.id}): {told['rlscale_reason']}" in caplog.text
        else:
            assert told == {}
    assert len([one for one in caplog.messages if "(decision " in one]) == len(pruned)


@pytest.mark.parametrize("scale", [1.3, 30.0])
def test_rewards_beyond_one_are_decided_on_all_the_same(pruner, monkeypatch, scale):
    plain = reward
    monkeypatch.setattr(f"{__name__}.reward", lambda number, step: scale * plain(number, step) - 0.1 * scale)
    pruned, _ = play(optuna.create_study(direction="maximize", pruner=pruner), len(CEILINGS))
    assert {1, 2, 3, 6} <= set(pruned)
    assert 0 not in pruned


def test_rewards_outside_the_bounds_given_are_told_once(tmp_path, monkeypatch, caplog):
    plain = reward
    monkeypatch.setattr(f"{__name__}.reward", lambda number, step: 30.0 * plain(number, step))
    made = AsymptotePruner(BUDGET, bounds=(0.0, 1.0), ledger=str(tmp_path / "ledger.db"))
    assert play(optuna.create_study(direction="maximize", pruner=made), 3)[0] == {}
    (said,) = [one for one in caplog.messages if "left out of decisions" in one]
    assert "is outside the bounds [0, 1]" in said
    made.close()


def test_the_bad_are_pruned_and_the_best_is_not(pruner):
    study = optuna.create_study(direction="maximize", pruner=pruner)
    pruned, left = play(study, len(CEILINGS))
    for trial in left:
        study.tell(trial, reward(trial.number, BUDGET))
    assert 0 not in pruned
    assert {1, 2, 3, 6} <= set(pruned)
    assert min(pruned.values()) >= BUDGET / 4
    assert study.best_trial.number == 0
    with Ledger(pruner.ledger) as ledger:
        stopped = {one.run for one in ledger.rulings.decisions() if one.action == "stop"}
        runs = ledger.book.runs()
    assert stopped == {f"{study.study_name}/{number}" for number in pruned}
    assert len(runs) == len(CEILINGS)


def test_one_after_another_with_optimize(pruner):
    def objective(trial):
        for step in range(1, BUDGET + 1):
            trial.report(reward(trial.number, step), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return reward(trial.number, BUDGET)

    study = optuna.create_study(direction="maximize", pruner=pruner)
    study.optimize(objective, n_trials=3)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "PRUNED"]
    assert all(len(trial.intermediate_values) < BUDGET for trial in study.trials[1:])
    with Ledger(pruner.ledger) as ledger:
        assert [run.ended is not None for run in ledger.book.runs()] == [True, True, False]


def test_not_a_number_is_left_out(pruner):
    study = optuna.create_study(direction="maximize", pruner=pruner)
    trial = study.ask()
    for step, value in enumerate([0.1, math.nan, 0.3], start=1):
        trial.report(value, step)
        assert not trial.should_prune()
    with Ledger(pruner.ledger) as ledger:
        (points,) = ledger.book.points(ledger.book.runs()).values()
    assert points.compute.tolist() == [1.0, 3.0]


def test_compute_of_the_steps(tmp_path):
    attr = AsymptotePruner(1000.0, compute_attr="tokens", ledger=str(tmp_path / "attr.db"))
    unit = AsymptotePruner(1000.0, unit=50.0, ledger=str(tmp_path / "unit.db"))
    found = []
    for pruner in (attr, unit):
        study = optuna.create_study(direction="maximize", pruner=pruner)
        trial = study.ask()
        for step in (1, 2, 3):
            if step < 3:
                trial.set_user_attr("tokens", {str(k): 40.0 * k for k in range(1, step + 1)})
            trial.report(0.1 * step, step)
            assert not trial.should_prune()
        pruner.close()
        with Ledger(pruner.ledger) as ledger:
            (points,) = ledger.book.points(ledger.book.runs()).values()
        found.append(points.compute.tolist())
    assert found == [[40.0, 80.0], [50.0, 100.0, 150.0]]


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "maximize"]])
def test_wrong_direction(pruner, directions):
    study = optuna.create_study(directions=directions, pruner=pruner)
    with pytest.raises(InputError, match="to be high"):
        pruner.prune(study, study.ask()._get_latest_trial())


@pytest.mark.parametrize("wrong", [{"budget": 0.0}, {"budget": 10.0, "unit": -1.0}])
def test_wrong_numbers(wrong):
    with pytest.raises(InputError, match="not a compute above 0"):
        AsymptotePruner(**wrong)


def test_resumed_study(tmp_path, pruner):
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'study.db'}")
    study = optuna.create_study(direction="maximize", pruner=pruner, storage=storage, study_name="resumed")
    before, left = play(study, len(CEILINGS), until=12)
    assert before
    pruner.close()
    again = pickle.loads(pickle.dumps(pruner))  # as another process would have it
    study = optuna.load_study(study_name="resumed", pruner=again, storage=storage)
    trials = [optuna.trial.Trial(study, trial._trial_id) for trial in left]
    after = {}
    for step in range(13, BUDGET + 1):
        for trial in trials:
            if trial.number not in after:
                trial.report(reward(trial.number, step), step)
                if trial.should_prune():
                    after[trial.number] = step
                    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    assert 0 not in before | after
    assert {1, 2, 3, 6} <= set(before | after)
    with Ledger(again.ledger) as ledger:
        stops = [one.run for one in ledger.rulings.decisions() if one.action == "stop"]
    assert len(stops) == len(set(stops)) == len(before | after)
    again.close()
    storage.remove_session()
    storage.engine.dispose()


def test_a_ledger_that_fails_prunes_nothing(tmp_path, caplog):
    pruner = AsymptotePruner(BUDGET, ledger=str(tmp_path / "missing" / "ledger.db"))
    study = optuna.create_study(direction="maximize", pruner=pruner)
    pruned, left = play(study, 2)
    assert not pruned
    assert len(left) == 2
    assert len([one for one in caplog.records if "without decisions" in one.getMessage()]) == 1


def test_a_trial_that_failed_is_no_rival(pruner):
    study = optuna.create_study(direction="maximize", pruner=pruner)
    trials = [study.ask() for _ in CEILINGS]
    for step in range(1, 5):
        for trial in trials:
            trial.report(reward(trial.number, step), step)
            assert not trial.should_prune()
    study.tell(trials[0], state=optuna.trial.TrialState.FAIL)
    rest = {}
    for step in range(5, BUDGET + 1):
        for trial in trials[1:]:
            if trial.number not in rest:
                trial.report(reward(trial.number, step), step)
                if trial.should_prune():
                    rest[trial.number] = step
                    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    assert 7 not in rest  # the best of those that are left
    assert {3, 6} <= set(rest)
    with Ledger(pruner.ledger) as ledger:
        assert [(one.run, one.kind) for one in ledger.overrides.all()] == [(f"{study.study_name}/0", "lost")]
