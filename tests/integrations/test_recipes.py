"""Runs that enter a ledger by themselves: whose seed they are."""

import pytest

from rlscale.integrations.recipes import differing
from rlscale.ledger import Heading, Ledger
from rlscale.live import Table, WatchSettings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"learning_rate": 1e-6, "kl_coefficient": 0}, ()),
        ({"learning_rate": 1e-5, "kl_coefficient": 0.0}, ("learning_rate",)),
        ({"learning_rate": 1e-6, "seed": 4, "model": "/elsewhere/qwen"}, ()),
        ({"learning_rate": None, "loss_type": "dapo"}, ()),
    ],
)
def test_a_run_with_other_settings_is_no_seed_of_the_recipe(tmp_path, settings, expected):
    held = {"learning_rate": 1e-6, "kl_coefficient": 0.0, "seed": 8, "model": "models/qwen"}
    with Ledger(str(tmp_path / "r.db"), create=True) as ledger:
        ledger.book.enlist(
            Heading(name="a-seed0", recipe="a", unit="steps", metric="r", bounds=(0.0, 1.0), settings=held)
        )
        rows = ledger.book.runs()
    assert differing(rows, "a-seed1", "a", settings) == expected
    assert differing(rows, "a-seed0", "a", settings) == ()
    assert differing(rows, "b-seed0", "b", settings) == ()


def test_a_run_on_a_table_has_the_recipe_of_its_name_without_a_seed_mark(tmp_path):
    table = Table(str(tmp_path / "t.db"), WatchSettings(budget=100.0))
    names = ("a-seed0", "a-seed1", "b_42", "lr1e-5", "trial3")
    found = {name: table.enlist(name) for name in names}
    assert [(one.recipe, one.seed) for one in found.values()] == [
        ("a", 0), ("a", 1), ("b_42", None), ("lr1e-5", None), ("trial3", None),
    ]  # fmt: skip
    assert table.enlist("c", "given").recipe == "given"
    table.close()
