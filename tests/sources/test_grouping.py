"""Which recipe each run belongs to and which seed it is, and the line that says so."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlscale.errors import InputError
from rlscale.sources import Log, ReadOptions, collect, named_recipe, survey
from rlscale.sources.grouping import Member, grouping_of, identities
from rlscale.sources.naming import Place
from rlscale.sources.seed_marks import seed_mark


def member(name, around="around", *, inside=False, **log):
    """A run known by its name; ``inside`` a file that holds several."""
    told = {"path": name, "format": "jsonl", "rows": 1, "series": {}, "validation": (), "train": (), "axes": {}}
    place = Place("file" if inside else name, "file.csv" if inside else f"{name}.jsonl", around)
    bare = name if inside else ""
    return Member(re.sub(r"#\d+$", "", name), name, bare, place, Log(name=bare, **{**told, **log}))


def recipes(*names, option=None):
    """Return the recipe of each of several runs."""
    return [one.recipe for one in identities([member(name) for name in names], option)]


def note(*members, option=None):
    return grouping_of(identities(members, option)).note


@pytest.mark.parametrize(
    ("name", "rest", "seed"),
    [
        ("base/seed0", "base", 0),
        ("base_seed_3", "base", 3),
        ("base-seed-3", "base", 3),
        ("base-seed=3", "base", 3),
        ("baseSeed12", "base", 12),
        ("Seed_003-long", "long", 3),
        ("a-seed3-b", "a-b", 3),
        ("seed7/wide/out", "wide/out", 7),
        ("wide(seed=4)", "wide", 4),
        ("lr=1e-5,seed=1", "lr=1e-5", 1),
        ("kl0.1-seed2-20260301", "kl0.1-20260301", 2),
        ("base-seed" + "9" * 30, "base", None),
    ],
)
def test_the_word_seed_and_a_number_is_a_mark(name, rest, seed):
    mark = seed_mark(name)
    assert (mark.rest, mark.number) == (rest, seed)


@pytest.mark.parametrize(
    "name", ["base3", "lr-0.0003", "seeds3", "gridseed3", "seed", "seed-long", "seed3b", "seed0.5", "seed1e5", "trial3"]
)
def test_other_names_have_no_mark(name):
    assert seed_mark(name) is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["grpo-lr3e-5", "grpo-lr3e-6", "grpo-lr3e-7"], None),
        (["ppo_bs_128", "ppo_bs_512"], None),
        (["slurm-51213", "slurm-51277"], None),
        (["run_20260401_081500", "run_20260401_193000"], None),
        (["x-lr2e-6-r16-20260214-103011", "x-lr2e-6-r32-20260215-081544"], None),
        (["sweep/arm_x_1337", "sweep/arm_y_1337", "sweep/control_1337"], None),
        (["group-4", "group-8", "group-16"], None),
        (["DQN_1", "DQN_2", "DQN_3"], None),
        (["trial0", "trial1", "trial_2", "trial-3"], None),
        (["base/0", "base/1"], None),
        (["3f2a91c", "9be01d7"], None),
        (["log#2", "log"], None),
        (["base/seed0", "base/seed1", "wide/seed0"], ["base", "base", "wide"]),
        (["base/seed0", "base/seed1", "base/long"], ["base", "base", "base/long"]),
        (["s0", "s1", "s2"], ["around", "around", "around"]),
        (["base-s1", "base-s2", "base-s3"], ["base", "base", "base"]),
        (["base/rep0/out", "base/rep1/out"], ["base/out", "base/out"]),
        (["base-s2", "base-s3"], None),
        (["base-s0", "base-s2"], None),
        (["base-s42", "wide-s42"], None),
        (["a-s1", "a-rep1"], ["a", "a (other seed marks)"]),
        (["base", "base-seed1", "base-seed2"], ["base (no seed mark)", "base", "base"]),
        (["base-seed0", "base-seed0#2"], ["base", "base#2"]),
    ],
)
def test_a_recipe_is_a_name_without_its_seed_mark(names, expected):
    assert sorted(recipes(*names)) == sorted(expected or names)
    assert len(set(recipes(*reversed(names)))) == len(set(expected or names))


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([member("a-seed0"), member("a-seed1")], "by seed mark (`seed0`); --recipe '(.+)' would keep each run apart"),
        (
            [member(f"ppo_bs_{k}") for k in (128, 512)],
            "each run its own: no seed marks; --recipe '^(.*)_bs' would pool ppo_bs_128 and ppo_bs_512",
        ),
        (
            [member(f"DQN_{k}") for k in (1, 2, 3)],
            "each run its own: no seed marks; --recipe '^(.*)_' would pool DQN_1, DQN_2 and DQN_3",
        ),
        ([member("wide"), member("deep")], "each run its own: no seed marks"),
        ([member(f"run{k:03}") for k in range(1, 106)], "each run its own: no seed marks"),  # numbers, no seeds
        (
            [member(f"r{k}", format="table", recipe=m, recipe_by=("method",), seed=k % 2, seed_by=("seed",))
             for k, m in enumerate("xxyy")],
            "by column `method`; seeds by column `seed`; --recipe '(.+)' would keep each run apart",
        ),
        (
            [member(f"r{k}", format="wandb", recipe="g", recipe_by=("group",), seed=k) for k in (0, 1)],
            "by the group in wandb; seeds as logged; --recipe '(.+)' would keep each run apart",
        ),
        (
            [member(f"r{k}", format="ledger", recipe="kept", seed=k) for k in (0, 1)],
            "as the ledger keeps them; --recipe '(.+)' would keep each run apart",
        ),
        (
            [member("x", format="table", recipe="long", recipe_by=("method", "size")), member("a-seed0"), member("z")],
            "1 by columns `method` and `size`, 1 by seed mark (`seed0`), 1 each run its own: no seed marks",
        ),
        ([member("grpo")], "of one run: no seed mark"),
    ],
)  # fmt: skip
def test_the_line_says_how_runs_are_pooled(members, expected):
    assert re.sub(r"^Recipes: \d+, ", "", note(*members)) == expected


def test_the_option_decides_for_all():
    assert recipes("lr3-seed0", "lr4-seed0", option=r"(lr)\d") == ["lr", "lr"]
    assert note(member("lr3-x"), member("lr4-x"), option=r"(lr)\d").startswith(r"Recipes: 1, by --recipe '(lr)\d'")
    with pytest.raises(InputError, match=re.escape("recipe='(q)' finds no recipe in the run 'lr3'; widen")):
        recipes("lr3", option="(q)")


def test_seeds_go_by_column_then_mark_then_log():
    seeds = [one.seed for one in identities([
        member("a-seed3", format="table", seed=5, seed_by=("seed",)), member("b-seed3", seed=42), member("c", seed=42),
    ])]  # fmt: skip
    assert seeds == [5, 3, 42]


def test_recipes_of_a_table_and_of_names_meet_by_what_both_state():
    table = member("r", inside=True, format="table", recipe="base", recipe_by=("recipe",))
    assert [one.recipe for one in identities([table, member("base/seed1"), member("base")])] == [
        "base", "base", "base (no seed mark)",
    ]  # fmt: skip


def test_runs_of_two_files_under_one_name_are_two_recipes():
    first, second = (
        [Member(f"{file}/{name}" if name == "a-seed0" else name, f"{file}/{name}", name,
                Place(file, f"{file}.csv", ""), member(name, inside=True).log) for name in names]
        for file, names in (("p", ("a-seed0", "a-seed1")), ("q", ("a-seed0",)))
    )  # fmt: skip
    found = identities([*first, *second])
    assert found[0].recipe.endswith("a")
    assert len({one.recipe for one in found}) == 2
    assert found[0].recipe.split("/")[0] != found[2].recipe.split("/")[0]


def test_settings_set_runs_of_one_name_apart():
    runs = [member(f"base-seed{k}", settings={"learning_rate": rate, "seed": k, "eval_generations": k}) for k, rate in
            enumerate((1e-6, "1e-06", 1e-5))]  # fmt: skip
    found = identities(runs)
    assert [one.recipe for one in found] == [
        "base (learning_rate=1e-06)", "base (learning_rate=1e-06)", "base (learning_rate=1e-05)",
    ]  # fmt: skip
    grouping = grouping_of(found)
    assert (grouping.by, grouping.recipes) == ("settings", 2)
    assert "recipes of one name differ in learning_rate" in grouping.note


@pytest.mark.parametrize(
    "settings",
    [
        [{"model": "/home/a/Qwen2.5-7B"}, {"model": "/scratch/b/Qwen2.5-7B/"}],
        [{"model": "out/sft-seed0"}, {"model": "out/sft-seed1"}],
        [{"learning_rate": 1e-6}, {}],
        [{"temperature": 1}, {"temperature": "1.0"}],
        [{"seed": 1, "eval_generations": 4}, {"seed": 2, "eval_generations": 8}],
        [{"kl_coefficient": None}, {"kl_coefficient": "None"}],
    ],
)
def test_settings_that_are_no_knob_set_nothing_apart(settings):
    found = identities([member(f"base-seed{k}", settings=one) for k, one in enumerate(settings)])
    assert [one.recipe for one in found] == ["base", "base"]


def test_a_ledgers_recipes_stay_whatever_the_settings():
    kept = [member(f"r{k}", format="ledger", recipe="base", settings={"learning_rate": k + 1.0}) for k in (0, 1)]
    assert {one.recipe for one in identities(kept)} == {"base"}


words = st.sampled_from(["grpo", "lr", "bs", "kl", "qwen", "arm", "run", "slurm", "trial", "x"])
joints = st.sampled_from(["", "-", "_", ".", "="])
numbers = st.sampled_from(["0", "1", "2", "3", "8", "16", "42", "1e-5", "1e-6", "0.1", "20260301", "48213", "3f2a91c"])
plain = st.lists(st.tuples(words, joints, numbers), min_size=1, max_size=3).map(
    lambda parts: "-".join("".join(part) for part in parts)
)
unmarked = st.lists(plain, min_size=1, max_size=2).map("/".join)


@given(st.lists(unmarked, min_size=1, max_size=12, unique=True))
def test_names_without_a_mark_are_never_pooled(names):
    assert recipes(*names) == names


@given(st.lists(unmarked, min_size=2, max_size=8, unique=True), st.permutations(list("0123456789")))
def test_other_numbers_in_the_names_never_pool(names, digits):
    other = [name.translate(str.maketrans("0123456789", "".join(digits))) for name in names]
    assert len(set(recipes(*other))) == len(names)


@given(unmarked, st.lists(st.integers(0, 10**6), min_size=2, max_size=6, unique=True), st.sampled_from(["-", "_", "/"]))
def test_seeds_of_one_name_are_pooled_and_told(name, seeds, joint):
    found = identities([member(f"{name}{joint}seed{seed}") for seed in seeds])
    assert {one.recipe for one in found} == {name}
    assert [one.seed for one in found] == seeds


@given(st.lists(st.one_of(unmarked, unmarked.map(lambda name: f"{name}-seed3")), min_size=2, max_size=8, unique=True))
def test_the_pattern_of_the_line_does_what_the_line_says(names):
    found = identities([member(name) for name in names])
    told = re.search(r"recipe .*? would (pool|keep)", grouping_of(found).note)
    if told is None:
        return
    _, pattern, *_ = shlex.split(told[0])
    again = len({one.recipe for one in identities([member(name) for name in names], pattern)})
    assert again < len(names) if told[1] == "pool" else again == len(names)


def test_the_name_alone_tells_a_callback_its_recipe():
    assert named_recipe("base-seed3") == ("base", 3)
    assert named_recipe("base-s3") == ("base-s3", None)
    assert named_recipe("grpo-lr1e-5") == ("grpo-lr1e-5", None)


RISE = [{"step": k, "eval_reward": 0.1 + 0.6 * k / (k + 4)} for k in range(0, 20, 2)]


def scaled(rows, share):
    return [{**row, "eval_reward": share * row["eval_reward"]} for row in rows]


def test_a_sweep_in_a_folder_is_not_pooled(write, tmp_path):
    for rate in ("2e-5", "2e-6"):
        write(f"ppo-lr{rate}/metrics.jsonl", RISE if rate == "2e-6" else scaled(RISE, 0.5))
    reading = collect([tmp_path])
    assert [(run.recipe, run.seed) for run in reading.runs] == [("ppo-lr2e-5", None), ("ppo-lr2e-6", None)]
    assert (reading.grouping.by, reading.grouping.recipes) == ("none", 2)
    assert survey([tmp_path]).grouping == reading.grouping


def test_a_chart_of_numbered_runs_is_not_pooled(write):
    names = ("llama-kl_0", "llama-kl_1", "samples-8", "samples-16")
    head = ",".join(f'"{name} - eval/reward","{name} - eval/reward__MIN","{name} - eval/reward__MAX"' for name in names)
    rows = "".join(f'"{k}",' + ",".join([f'"0.{k + 1}"'] * 12) + "\n" for k in range(5))
    assert {run.recipe for run in collect([write("chart.csv", f'"Step",{head}\n{rows}')]).runs} == set(names)


def test_copies_of_one_recipe_count_once(write, tmp_path):
    for name in ("base-seed1", "copy/base-seed1"):
        write(f"{name}/metrics.jsonl", RISE)
    write("base-seed2/metrics.jsonl", scaled(RISE, 0.9))
    reading = collect([tmp_path], ReadOptions(recipe="(base)"))
    assert [run.name for run in reading.runs] == ["base-seed1", "base-seed2"]
    (copy,) = reading.left_out
    assert (copy.run, copy.counted) == ("copy/base-seed1", False)
    assert copy.why == "equal to 'base-seed1' of the same recipe in all 10 evaluations: they count once"
    assert reading.runs[0].source.repairs == (
        "'copy/base-seed1' of the same recipe is equal in all 10 evaluations: they count once",
    )


def test_equal_runs_of_different_recipes_all_count(write, tmp_path):
    for name in ("wide", "deep"):
        write(f"{name}.jsonl", RISE)
    reading = collect([tmp_path])
    assert [run.name for run in reading.runs] == ["deep", "wide"]
    told = "equal in all 10 evaluations to 'wide'; both count: is one a copy of the other?"
    assert told in reading.runs[0].warnings


@pytest.mark.parametrize("rows", [RISE[:7], [{**row, "eval_reward": 0.5} for row in RISE]])
def test_short_and_constant_runs_all_count(write, tmp_path, rows):
    for name in ("base-seed1", "copy/base-seed1"):
        write(f"{name}/metrics.jsonl", rows)
    reading = collect([tmp_path], ReadOptions(recipe="(base)"))
    assert (len(reading.runs), reading.left_out) == (2, ())


def test_one_seed_with_different_values_is_a_replicate(write, tmp_path):
    write("p/base-seed1/metrics.jsonl", RISE)
    write("q/base-seed1/metrics.jsonl", scaled(RISE, 0.9))
    for run in collect([tmp_path], ReadOptions(recipe="(base)")).runs:
        assert "2 runs of 'base' have the seed 1 and different values: they count as replicates" in run.warnings


def test_runs_are_chosen_and_left_out_by_name(write, tmp_path):
    for name in ("base-seed0", "base-seed1", "wide"):
        write(f"{name}.jsonl", RISE[: 5 + len(name)])
    write("torn.jsonl", '{"step": 1, "eval_reward": 0.5}\n{"st\n{"step": 2, "eval_reward": 0.5}\n')
    names = [run.name for run in collect([tmp_path], ReadOptions(exclude=("base-*", "torn"))).runs]
    assert names == ["wide"]
    kept = collect([tmp_path], ReadOptions(exclude=("torn.jsonl",), run=("base-*",)))
    assert ([run.name for run in kept.runs], kept.left_out) == (["base-seed0", "base-seed1"], ())
    with pytest.raises(InputError, match=re.escape("exclude='wide*er' matches no run; they are ")):
        collect([tmp_path], ReadOptions(exclude=("wide*er",)))
    with pytest.raises(InputError, match=re.escape("run='x*' matches no run; they are torn, base-seed0")):
        collect([tmp_path], ReadOptions(exclude=("torn",), run=("x*",)))
    with pytest.raises(InputError, match="exclude and run leave no run; widen them"):
        collect([tmp_path], ReadOptions(exclude=("torn", "wide"), run=("wide",)))
    with pytest.raises(InputError, match=r"^exclude leaves no run; exclude less$"):
        collect([tmp_path], ReadOptions(exclude=("*",)))
