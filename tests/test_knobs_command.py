"""``rlscale knobs`` end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rlscale.cli import main

EXAMPLES = Path(__file__).parent / "sources" / "configs" / "examples"


def knobs(*args: object) -> Result:
    return CliRunner().invoke(main, ["knobs", *map(str, args)])


def test_catalogue_and_one_knob() -> None:
    everything = knobs()
    assert everything.exit_code == 0
    assert everything.stdout.startswith("22 knobs: 13 were seen to move the ceiling")
    one = json.loads(knobs("generation_length", "--json").stdout)
    assert [knob["name"] for knob in one["knobs"]] == ["max_response_length"]


@pytest.mark.parametrize("name", ["trl.yaml", "trl.py", "verl.sh", "verl.yaml", "openrlhf.sh", "nemo_rl.yaml"])
def test_check(name: str) -> None:
    result = knobs("--check", EXAMPLES / name, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["configs"][0]["trainer"] == name.split(".")[0].replace("_", "-")
    assert {"generations", "learning_rate", "loss_type"} <= {found["knob"] for found in document["findings"]}


def test_check_with_difficulty_gpus_and_version() -> None:
    options = ("--difficulty", "hard", "--gpus", "8", "--trainer-version", "0.16.1", "--json")
    document = json.loads(knobs("--check", EXAMPLES / "trl.yaml", *options).stdout)
    found = {(one["setting"], one["severity"]) for one in document["findings"]}
    assert {("beta", "warning"), ("loss_type", "error"), ("total_batch", "note")} <= found
    assert {one["difficulty"] for one in document["advice"]} == {"hard", "any"}
    assert document["options"]["gpus"] == 8


def test_csv_and_report(tmp_path: Path) -> None:
    result = knobs("--check", EXAMPLES / "verl.sh", "--csv", tmp_path / "a.csv", "--report", tmp_path / "a.html")
    assert result.exit_code == 0
    assert (tmp_path / "a.csv").read_text().startswith("severity,config,setting,value,")
    assert "As published" in (tmp_path / "a.html").read_text().replace("\N{NO-BREAK SPACE}", " ")


def test_plot(tmp_path: Path) -> None:
    assert knobs("--plot", tmp_path / "a.png", "--report", tmp_path / "a.html").exit_code == 0
    assert (tmp_path / "a.png").stat().st_size > 10_000
    assert "<svg" in (tmp_path / "a.html").read_text()
    assert "no curve is published for kl_coefficient" in knobs("kl", "--plot", tmp_path / "b.png").stderr
    assert "--plot draws the catalogue" in knobs("--difficulty", "hard", "--plot", tmp_path / "b.png").stderr
    assert not (tmp_path / "b.png").exists()


def test_diff_of_two_configurations_and_of_two_runs(tmp_path: Path) -> None:
    result = knobs("--diff", EXAMPLES / "trl.yaml", EXAMPLES / "trl.py")
    assert result.exit_code == 0, result.output
    assert "differ in" in result.stdout
    paths = []
    for n in (8, 16):
        path = tmp_path / f"run{n}.csv"
        rows = "".join(f"run{n},{step},{0.3 + 0.01 * step},{n}\n" for step in range(12))
        path.write_text(f"run,step,accuracy,num_generations\n{rows}")
        paths.append(path)
    document = json.loads(knobs("--diff", *paths, "--json").stdout)
    assert [(one["setting"], one["a"], one["b"], one["matters"]) for one in document["differences"]] == [
        ("generations", "8", "16", "ceiling")
    ]


@pytest.mark.parametrize(("trainer", "line"), [
    ("trl", "loss_type: cispo"), ("verl", "actor_rollout_ref.actor.policy_loss.loss_mode=cispo"),
    ("openrlhf", "--actor.policy_loss_type gspo"),
])  # fmt: skip
def test_emit_can_be_checked(trainer: str, line: str, tmp_path: Path) -> None:
    result = knobs("--emit", "scalerl", "--for", trainer, "--batch", "1k", "--gpus", "8")
    assert result.exit_code == 2  # 1,000 is no multiple of 16
    assert "--batch 1000 is no multiple of 16 rollouts; give 992" in result.stderr
    result = knobs("--emit", "scalerl", "--for", trainer, "--batch", "1024", "--gpus", "8")
    assert line in result.stdout.replace("  ", " ").replace(" \n", "\n") or line in result.stdout
    path = tmp_path / ("config.yaml" if trainer == "trl" else "config.sh")
    path.write_text(result.stdout)
    checked = json.loads(knobs("--check", path, "--gpus", "8", "--difficulty", "mixed", "--json").stdout)
    assert not [one for one in checked["findings"] if one["severity"] in ("error", "warning")]
    document = json.loads(knobs("--emit", "scalerl", "--for", trainer, "--json").stdout)
    assert document["missing"]


@pytest.mark.parametrize("trainer", ["trl", "verl", "openrlhf"])
@pytest.mark.parametrize(("batch", "gpus"), [("768", "8"), ("768", "64"), ("2048", "8"), ("4096", "24")])
def test_what_is_written_is_read_without_an_ending_and_contradicts_nothing(
    trainer: str, batch: str, gpus: str, tmp_path: Path
) -> None:
    result = knobs("--emit", "scalerl", "--for", trainer, "--batch", batch, "--gpus", gpus)
    if batch == "4096" and gpus == "24":
        assert result.exit_code == 2
        assert "--gpus 24 does not divide a batch of 4096; give 16, for example" in result.stderr
        return
    path = tmp_path / "written"
    path.write_text(result.stdout)
    for options in ((), ("--gpus", gpus), ("--difficulty", "mixed"), ("--difficulty", "hard")):
        document = json.loads(knobs("--check", path, *options, "--json").stdout)
        assert document["configs"][0]["trainer"] == trainer
        assert not [found for found in document["findings"] if found["severity"] in ("error", "warning")]


def test_impossible_values_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_text(
        "loss_type: grop\nlearning_rate: .nan\nnum_generations: 8.5\nbeta: -1\nepsilon: -0.2\nbf16: true\nfp16: true\n"
        "max_completion_length: 0\nuse_vllm: maybe\nlr_scheduler_type: cosin\nentropy_coef: .inf\ntemperature: [1]\n"
    )
    result = knobs("--check", path, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout, parse_constant=pytest.fail)
    wrong = {found["setting"] for found in document["findings"] if found["severity"] == "error"}
    assert wrong == {
        "loss_type", "learning_rate", "num_generations", "beta", "epsilon", "fp16", "max_completion_length", "use_vllm",
        "lr_scheduler_type", "entropy_coef", "temperature",
    }  # fmt: skip
    assert not [found for found in document["findings"] if found["severity"] == "agrees"]
    assert "Loss_type" not in result.stdout
    assert "It must be one of grpo" in " ".join(knobs("--check", path).stdout.split())


def test_difficulty_of_bundled_runs() -> None:
    document = json.loads(knobs("--run", "bundled", "--json").stdout)
    assert {one["difficulty"] for one in document["difficulty"]} == {"mixed"}
    assert {one["trend"] for one in document["difficulty"]} == {"falls"}


def test_a_run_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    rows = "".join(f"a,{step},{0.03 + 0.01 * step},8\n" for step in range(12))
    (tmp_path / "good.csv").write_text(f"run,step,accuracy,num_generations\n{rows}")
    (tmp_path / "bad.csv").write_text("run,step,accuracy\na,1,x\nb,zwei,drei\n")
    result = knobs("--run", tmp_path, "--json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert document["left_out"]
    assert [one["setting"] for one in document["findings"]][:1] == ["generations"]
    assert document["difficulty"][0]["difficulty"] == "hard"
    assert knobs("--run", tmp_path, "--partial").exit_code == 0


def test_an_own_ablation(tmp_path: Path) -> None:
    path = tmp_path / "ablation.json"
    effect = {"q10": -0.01, "q50": 0.0, "q90": 0.01}
    path.write_text(json.dumps({"schema": 1, "knobs": [{"knob": "generations", "ceiling": {"effect": effect}}]}))
    result = knobs("--check", EXAMPLES / "verl.sh", "--ablation", path)
    assert "Over-split: your own ablation finds the split second-order" in " ".join(result.stdout.split())
    path.write_text("[]")
    assert knobs("--check", EXAMPLES / "verl.sh", "--ablation", path).exit_code == 2
    path.write_text('{"schema": 2, "knobs": []}', encoding="utf-8")
    newer = knobs("--check", EXAMPLES / "verl.sh", "--ablation", path)
    assert newer.exit_code == 2
    said = "its schema is 2, and this rlscale knows 1; write it anew with this version, rlscale ablate PATH --json"
    assert said in " ".join(newer.stderr.split())


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("nothing_like_it",), "error: no knob is named 'nothing_like_it'; rlscale knobs lists all"),
        (("kl_coeficient",), "did you mean kl_coefficient"),
        (("--check", "nothing.yaml"), "error: nothing.yaml: cannot read this configuration: No such file"),
        (("--check", EXAMPLES / "trl.yaml", "--difficulty", "medium"), "error: --difficulty medium is none; give easy"),
        (("--check", EXAMPLES / "trl.yaml", "--for", "trll"), "error: --for trll: configurations of this trainer"),
        (("--emit", "scalerl"), "error: --emit writes for a trainer; give --for trl, verl or openrlhf"),
        (("--emit", "dapo", "--for", "trl"), "error: --emit dapo: this recipe is not known"),
        (("--emit", "scalerl", "--for", "skyrl"), "error: --for skyrl: no configuration is written for it"),
        (("kl", "--difficulty", "easy"), "error: NAME and --difficulty ask for different answers"),
        (("--emit", "scalerl", "--diff", "a", "b"), "error: --diff and --emit ask for different answers"),
        (
            ("--check", EXAMPLES / "trl.yaml", "--trainer-version", "abc"),
            "error: --trainer-version 'abc' is no version; give one like 0.19.1",
        ),
        (("--check", "bundled"), "error: --check bundled: it is a log and no configuration; give it to --run"),
        (("--check", "run.jsonl"), "error: --check run.jsonl: it is a log and no configuration; give it to --run"),
        (("--trainer-version", "0.19.1"), "error: --trainer-version is for --check or --diff"),
        (("--check", EXAMPLES / "trl.yaml", "--gpus", "1e30"), "error: --gpus 1e+30: give a whole number from 1 to"),
        (
            ("--emit", "scalerl", "--for", "trl", "--batch", "1e30"),
            "error: --batch 1e+30: give a whole number from 1 to 100,000,000",
        ),
        (("--emit", "scalerl", "--for", "trl", "--gpus", "1e30"), "error: --gpus 1e+30: give a whole number from 1 to"),
        (("--ablation", "a.json"), "error: --ablation is for --check or --difficulty"),
        (("--check", EXAMPLES / "trl.yaml", "--ablation", "none.json"), "error: --ablation none.json: cannot read it"),
    ],
)
def test_bad_input(args: tuple[object, ...], says: str) -> None:
    result = knobs(*args)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("text", "says"), [
    ("- a\n- b\n", "a configuration is a mapping of names to values, this YAML is a list"),
    ("a: &a\n  b: *a\n", "a.b contains itself"),
    ("colour: red\n", "of no trainer whose configurations are known"),
])  # fmt: skip
def test_bad_yaml(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    result = knobs("--check", path)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_wrong_value_is_compared_as_it_stands_and_told_once(tmp_path: Path) -> None:
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    a.write_text("num_generations: 8\nbeta: -1\nepsilon: foo\n", encoding="utf-8")
    b.write_text("num_generations: 16\nbeta: 0.0\nepsilon: 0.2\n", encoding="utf-8")
    document = json.loads(knobs("--diff", a, b, "--for", "trl", "--json").stdout)
    pairs = {each["setting"]: (each["a"], each["b"]) for each in document["differences"]}
    assert pairs["kl_coefficient"] == ("-1 (wrong)", "0")
    assert pairs["clip_low"] == ("foo (wrong)", "0.2")
    assert not {"beta", "epsilon"} & pairs.keys()
    same = knobs("--diff", a, a, "--for", "trl").stdout
    assert same.count("2 wrong settings") == 1
    assert "differ" not in same


@pytest.mark.parametrize("option", [("--check", "grpo.yaml"), ("--run", "bundled"), ("--difficulty", "hard")])
def test_two_questions_are_named_as_they_were_asked(option: tuple[str, str]) -> None:
    result = knobs(*option, "--diff", "a.yaml", "b.yaml")
    assert result.exit_code == 2
    assert f"{option[0]} and --diff ask for different answers; give one of them" in result.stderr


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("9.9", "TRL 9.9 was never looked at: keys and defaults are those of 1.16.0, the newest known"),
        ("1.16.0", None),
        ("0.19.1", None),
    ],
)
def test_a_version_that_was_never_looked_at_is_said(version: str, says: str | None) -> None:
    document = json.loads(knobs("--check", EXAMPLES / "trl.yaml", "--trainer-version", version, "--json").stdout)
    about = [each["says"] for each in document["findings"] if each["setting"] == "trainer version"]
    assert about == ([] if says is None else [says])


def test_strict_ends_with_2_where_there_are_errors_after_the_whole_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("num_generations: 8\nbeta: -1\n", encoding="utf-8")
    plain, strict = (knobs("--check", path, "--for", "trl", *more) for more in ((), ("--strict",)))
    assert (plain.exit_code, strict.exit_code) == (0, 2)
    assert strict.stdout == plain.stdout
    assert "errors in beta: mend them, or leave --strict out" in strict.stderr
    path.write_text("num_generations: 8\nbeta: 0.0\n", encoding="utf-8")
    assert knobs("--check", path, "--for", "trl", "--strict").exit_code == 0
    assert "--strict is for --check" in knobs("--strict").stderr
