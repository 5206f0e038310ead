"""Every input that cannot be read, with the whole message the user sees."""

import pytest

from rlscale.errors import ChoiceError, FormatError, InputError, SourceError
from rlscale.sources import ReadOptions, collect

HEAD = "run,compute,unit,reward\n"
KNOWN = (
    "trainer_state.json of TRL, console logs and metrics.jsonl of the other trainers, TensorBoard, W&B, MLflow and "
    "Trackio, and tables in CSV, Parquet and JSON lines (rlscale sources lists them)"
)

ADDRESS = (
    "write wandb://ENTITY/PROJECT, mlflow://HOST:PORT/EXPERIMENT, ledger:FILE, "
    "s3://BUCKET/FOLDER, or the path of a file"
)

TABLES = {
    "empty file": ("t.csv", "", {}, "the file is empty; nothing was logged yet"),
    "header only": ("t.csv", HEAD, {}, "holds a header and no rows; nothing was logged yet"),
    "no header": (
        "t.csv",
        "1,2\n3,4\n",
        {},
        "has no header row (line 1 is '1,2'); name the columns, for example run,compute,unit,reward",
    ),
    "no header, with words": (
        "t.csv",
        "a,base,0,10,.5\na,base,0,20,.6\n",
        {},
        "has no header row (line 1 is 'a,base,0,10,.5'); name the columns, for example run,compute,unit,reward",
    ),
    "two seeds in a run": (
        "t.csv",
        "run,seed,step,reward\na,0,1,.5\na,1,2,.5\n",
        {},
        "run 'a' has 2 values in column 'seed' (0, 1); give each job its own run name",
    ),
    "row without recipe": (
        "t.csv",
        "recipe,seed,step,reward\na,0,1,.5\n,1,2,.5\n",
        {},
        "1 row without a recipe and no run column; fill the column 'recipe'",
    ),
    "column twice": (
        "t.csv",
        "run,reward,reward\na,1,1\n",
        {},
        "column 'reward' appears twice in the header; rename one of them",
    ),
    "torn middle row": (
        "t.csv",
        HEAD + "a,1,steps,.5\na,2\na,3,steps,.6\n",
        {},
        "line 3 has 2 cells where the header names 4: 'a,2'; repair or remove the line",
    ),
    "open quote": (
        "t.csv",
        HEAD + 'a,1,steps,.5\na,"2,steps,.5\na,3,steps,.6\n',
        {},
        "line 3 has 2 cells where the header names 4: 'a,2,steps,.5\\na,3,steps,.6'; repair or remove the line",
    ),
    "word as reward": (
        "t.csv",
        HEAD + "a,1,steps,.5\na,2,steps,good\n",
        {},
        "line 3: reward 'good' is not a number; repair the cell or leave it empty",
    ),
    "row without run": (
        "t.csv",
        HEAD + "a,1,steps,.5\n,2,steps,.5\n",
        {},
        "1 row without a run; fill the column 'run'",
    ),
    "UTF-16 without a mark": (
        "t.csv",
        HEAD.encode("utf-16-le"),
        {},
        "line 1 holds NUL characters; save the file as UTF-8 text",
    ),
    "negative compute": (
        "t.csv",
        HEAD + "a,1,steps,.5\na,-2,steps,.5\n",
        {},
        "run 'a': negative compute -2; compute counts up from 0",
    ),
    "mixed units in a run": (
        "t.csv",
        HEAD + "a,1,steps,.5\na,2,tokens,.5\n",
        {},
        "run 'a' mixes the units steps and tokens; keep one unit for each run",
    ),
    "unknown unit": (
        "t.csv",
        HEAD + "a,1,epochs,.5\n",
        {},
        "run 'a': unknown compute unit 'epochs'; use one of gpu-hours, tokens, samples, steps, flops, dollars",
    ),
    "two recipes in a run": (
        "t.csv",
        "run,recipe,step,reward\na,x,1,.5\na,y,2,.5\n",
        {},
        "run 'a' has 2 values in column 'recipe' (x, y); give each job its own run name",
    ),
    "seed that is no number": (
        "t.csv",
        "run,seed,step,reward\na,first,1,.5\n",
        {},
        "run 'a': seed 'first' is not a whole number; mend it or leave it empty",
    ),
    "seed of the only run of a file": (
        "warm.csv",
        "seed,step,reward\nx,1,.5\nx,2,.6\n",
        {},
        "run 'warm': seed 'x' is not a whole number; mend it or leave it empty",
    ),
    "units of the only run of a file": (
        "warm.csv",
        "compute,unit,reward\n1,steps,.5\n2,tokens,.6\n",
        {},
        "run 'warm' mixes the units steps and tokens; keep one unit for each run",
    ),
    "percent": (
        "t.csv",
        HEAD + "a,1,steps,20\na,2,steps,55\n",
        {"bounds": (0.0, 1.0)},
        "run 'a': reward 55 is outside the bounds [0, 1] of 'reward'; "
        "the values look like percent: give bounds=(0, 100)",
    ),
    "outside the bounds": (
        "t.csv",
        HEAD + "a,1,steps,-.5\na,2,steps,.5\n",
        {"bounds": (0.0, 1.0)},
        "run 'a': reward -0.5 is outside the bounds [0, 1] of 'reward'; the values run from -0.5 to 0.5: "
        "give bounds=(LO, HI) with the lowest and highest reward possible",
    ),
    "zero n_eval": (
        "t.csv",
        "run,step,reward,n_eval\na,1,.5,0\n",
        {},
        "run 'a': n_eval must be positive and finite, got 0; leave it empty where unknown",
    ),
    "no finite reward": (
        "t.csv",
        HEAD + "a,1,steps,nan\na,2,steps,\n",
        {},
        "1 run without a point with a finite reward left out: a",
    ),
    "nothing in the stretch": (
        "t.csv",
        HEAD + "a,1,steps,.5\na,2,steps,.6\n",
        {"since": 5.0, "until": 9.0},
        "1 run without a point within since=5 until=9 left out: a",
    ),
    "no compute": (
        "t.csv",
        "run,reward\na,.5\na,.6\n",
        {},
        "run 'a' has no compute: its columns are run, reward; give compute=COLUMN, or compute=\"row\"",
    ),
    "no such compute": (
        "t.csv",
        HEAD + "a,1,steps,.5\n",
        {"compute": "computes"},
        "holds no compute column 'computes'; the closest are compute",
    ),
    "no such unit": (
        "t.csv",
        HEAD + "a,1,steps,.5\n",
        {"unit": "tokens"},
        "run 'a' has no compute in tokens: its columns are run, unit, compute, reward; give unit=\"steps\"",
    ),
    "no such metric": (
        "t.csv",
        "run,step,metric,value\na,1,val_acc,.5\n",
        {"metric": "val_ac"},
        "holds no metric 'val_ac'; the closest are val_acc",
    ),
    "not UTF-8": (
        "t.csv",
        HEAD.encode() + b"a,1,steps,.5\n\xff\xfe,2,steps,.5\n",
        {},
        "line 3 is not UTF-8 text (byte 0xff at offset 37); save the file as UTF-8",
    ),
    "not UTF-16": (
        "t.csv",
        b"\xff\xfea\x00\n",
        {},
        "line 1 is not UTF-16 text as the file's first bytes say; save it as UTF-8",
    ),
    "not Parquet": (
        "t.parquet",
        b"PAR1 and no more",
        {},
        "not a Parquet file that can be read (Parquet magic bytes not found in footer. Either the file is corrupted "
        "or this is not a parquet file.); write it again",
    ),
}

LOGS = {
    "trainer state torn": (
        "trainer_state.json",
        '{"log_history": [{"step": 1, ',
        {},
        "not complete JSON (Expecting property name enclosed in double quotes at line 1); "
        "copy the file again once it is written",
    ),
    "trainer state of another kind": (
        "trainer_state.json",
        "{}",
        {},
        "holds no log_history; give the trainer_state.json that TRL writes",
    ),
    "trainer state without rows": (
        "trainer_state.json",
        '{"log_history": []}',
        {},
        "log_history is empty; the trainer logged nothing before this file was saved",
    ),
    "trainer state with words for rows": (
        "trainer_state.json",
        '{"log_history": [{"step": 1}, "x"]}',
        {},
        "entry 2 of log_history is 'x', not a row; repair the file",
    ),
    "trainer state without steps": (
        "trainer_state.json",
        '{"log_history": [{"reward": 1}]}',
        {},
        "no row of log_history has a step; is this a trainer's state?",
    ),
    "JSON nested beyond reason": (
        "trainer_state.json",
        "[" * 100_000,
        {},
        "the JSON holds numbers or nesting beyond reason; is this a log?",
    ),
    "torn middle line": (
        "metrics.jsonl",
        '{"step": 1, "reward": 0.5}\n{"step": 2, "rew\n{"step": 3, "reward": 0.5}\n',
        {},
        'line 2 is not JSON (Unterminated string starting at): \'{"step": 2, "rew\'; repair or remove the line',
    ),
    "a list among the lines": (
        "metrics.jsonl",
        '{"step": 1, "reward": 0.5}\n[2]\n{"step": 3, "reward": 0.5}\n',
        {},
        "line 2 is not a JSON object: '[2]'; remove the line",
    ),
    "no step": (
        "metrics.jsonl",
        '{"loss": 1}\n',
        {},
        "no row has a step; a metrics.jsonl needs one of the keys step, training_step, train/global_step, ..., "
        'or compute=KEY; compute="row" counts rows',
    ),
    "line without end": (
        "x.log",
        b"x" * ((16 << 20) + 2),
        {},
        "line 1 is longer than 16 MiB; is this a log?",
    ),
    "console log of something else": (
        "x.log",
        "hello\n",
        {},
        "holds no line 'step:N - key:value' (verl), 'Global step N: {...}' (OpenRLHF), 'perf N: {...}' (slime), "
        "'Step N:' (SkyRL), 'metrics_tag: {...}' (ROLL), tables (AReaL), 'Step N | Reward ...' (prime-rl) or "
        "'METRICS STEP N' (torchforge); give the trainer's metrics log",
    ),
    "what TRL prints": (
        "x.log",
        "loading\n{'loss': '0.216', 'grad_norm': '0.9593', 'epoch': '0.003906'}\n",
        {},
        "what TRL prints: rounded to 4 digits and without steps; give the trainer_state.json beside it "
        "(output_dir/checkpoint-N/, or trainer.save_state())",
    ),
    "file logger with another line": (
        "x.jsonl",
        '{"step": 1, "data": {"critic/score/mean": 0.5}}\n{"step": 2}\n{"step": 3}\n',
        {},
        "line 2 holds no data object; is this verl's file logger?",
    ),
    "a word for a compute": (
        "metrics.jsonl",
        '{"step": 1, "reward": 0.5, "loss": 2}\n{"step": 2, "reward": 0.5, "loss": 1}\n',
        {"compute": "loss"},
        "run 'metrics' does not count up",
    ),
    "a unit the log lacks": (
        "x.jsonl",
        '{"step": 1, "reward": 0.5}\n',
        {"unit": "tokens"},
        "run 'x' has no compute in tokens; give unit=\"steps\"",
    ),
    "GPUs unknown": (
        "x.trainer_state.json",
        '{"log_history": [{"step": 1, "reward": 0.5, "step_time": 3}]}',
        {"unit": "gpu-hours"},
        "run 'x' holds seconds and no GPU count; give gpus=N for gpu-hours",
    ),
    "seconds unknown": (
        "x.trainer_state.json",
        '{"log_history": [{"step": 1, "reward": 0.5}]}',
        {"unit": "gpu-hours", "gpus": 8.0},
        "run 'x' has no compute in gpu-hours: the log holds no step_time (TRL logs it from 0.29 on); "
        'give unit="steps"',
    ),
    "GPU-hours of a remote service": (
        "x.jsonl",
        '{"step": 0, "env/all/reward/total": 0.5, "env/all/total_episodes": 4}\n',
        {"unit": "gpu-hours"},
        "run 'x' has no compute in gpu-hours: tinker trains on a remote service and logs no GPUs; "
        'give unit="samples" or steps',
    ),
    "pickle": ("x.pkl", b"\x80\x04.", {}, f"pickles are never loaded; rlscale reads {KNOWN}"),
    "no reader": ("x.docx", b"\x50\x4b\x00", {}, f"no reader knows this file; rlscale reads {KNOWN}"),
    "W&B file": (
        "run-1.wandb",
        b":W&B\xe1\xbe\x00",
        {},
        "no run was logged yet; give a .wandb file that W&B has written to",
    ),
    "TensorBoard file": (
        "events.out.tfevents.1",
        b"\x00\x01",
        {},
        "holds no metric; nothing was logged yet",
    ),
    "W&B file that TRL printed into": (
        "run-2.wandb",
        b":W&B\xe1\xbe\x00 {'loss': '0.2160', 'reward': '0.5'}\n",
        {},
        "nothing in it can be read; give a .wandb file that W&B has written to",
    ),
    "tracker database": (
        "mlflow.db",
        b"SQLite format 3\x00",
        {},
        "the database is damaged (it is shorter than its header); copy it again, or run sqlite3 FILE .recover",
    ),
}
LOGS["a word for a compute"] = (
    "x.jsonl",
    *LOGS["a word for a compute"][1:3],
    "run 'x': 'loss' does not count up (it falls at step 2); give a cumulative compute=KEY",
)


@pytest.mark.parametrize("case", [*TABLES, *LOGS])
def test_the_message_names_file_value_and_remedy(write, case):
    name, content, options, message = {**TABLES, **LOGS}[case]
    path = write(name, content)
    with pytest.raises(SourceError) as caught:
        collect([path], ReadOptions(**options))
    assert str(caught.value) == f"{path}: {message}"
    assert caught.value.path == str(path)


@pytest.mark.parametrize("case", ["pickle", "no reader", "console log of something else", "no step"])
def test_formats_without_a_reader_are_format_errors(write, case):
    with pytest.raises(FormatError):
        collect([write(*LOGS[case][:2])])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("wandb:a/b", f"no tracker that rlscale reads is called 'wandb'; {ADDRESS}"),
        ("comet://a/b", f"no tracker that rlscale reads is called 'comet'; {ADDRESS}"),
        ("ledger:sqlite:///l.db", "no ledger l.db; rlscale ledger add PATH --ledger l.db makes one"),
    ],
)
def test_trackers(given, message):
    with pytest.raises(SourceError) as caught:
        collect([given])
    assert str(caught.value) == f"{given}: {message}"


def test_missing_paths(write, tmp_path):
    write("base.csv", HEAD)
    for name, advice in [
        ("bases.csv", f"did you mean '{tmp_path}/base.csv'?"),
        ("zzz", "check the path"),
        ("no/where.csv", f"the folder '{tmp_path}/no' is not there either"),
    ]:
        with pytest.raises(SourceError) as caught:
            collect([tmp_path / name])
        assert str(caught.value) == f"{tmp_path / name}: no such file or folder; {advice}"


@pytest.mark.parametrize("given", ["a\x00b", "x" * 5_000, "", "~/nope", "/dev/null"])
def test_names_no_system_takes(given):
    with pytest.raises(SourceError):
        collect([given])


def test_a_file_that_may_not_be_read(write, monkeypatch):
    path = write("t.csv", HEAD + "a,1,steps,.5\n")

    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(SourceError) as caught:
        collect([path])
    assert str(caught.value) == f"{path}: cannot be opened (Permission denied); check the path and its rights"


def test_a_disk_that_fails(write, monkeypatch):
    path = write("t.csv", HEAD + "a,1,steps,.5\n")

    def fail(*args, **kwargs):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("rlscale.sources.tables.csv_table.line_blocks", fail)
    with pytest.raises(SourceError) as caught:
        collect([path])
    assert str(caught.value) == f"{path}: cannot be read (Input/output error); check the disk"


def test_no_path_and_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match=r"^no path is given; give a log, or a folder of logs$"):
        collect([])
    with pytest.raises(SourceError) as caught:
        collect([tmp_path])
    assert str(caught.value) == f"{tmp_path}: no log in this folder; rlscale reads {KNOWN}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gpus": 0.0}, "gpus=0 is not a number of GPUs; give how many the run used"),
        (
            {"bounds": (1.0, 0.0)},
            "bounds=(1, 0) are not two finite numbers, lowest first; give bounds=(LO, HI) or open",
        ),
        (
            {"unit": "epochs"},
            "unknown compute unit 'epochs'; use one of gpu-hours, tokens, samples, steps, flops, dollars",
        ),
        ({"since": 5.0, "until": 1.0}, "since=5 lies after until=1; give an earlier since"),
        ({"since": float("nan")}, "since and until need numbers, got nan; give a compute"),
        (
            {"recipe": "("},
            "recipe='(' is not a regular expression (missing ), unterminated subpattern at position 0); mend it",
        ),
        (
            {"recipe": "x"},
            "recipe='x' has no group; put the recipe in parentheses, for example '([a-z]+)-s[0-9]'",
        ),
        ({"recipe": "(x+)"}, "recipe='(x+)' finds no recipe in the run 'a'; widen the pattern"),
    ],
)
def test_options_that_cannot_be(write, options, message):
    with pytest.raises(InputError) as caught:
        collect([write("t.csv", HEAD + "a,1,steps,.5\n")], ReadOptions(**options))
    assert str(caught.value) == message


def test_choices_are_listed_with_the_option_that_makes_them(write):
    state = {"log_history": [{"step": 1, "eval_x_reward": 0.5, "eval_y_reward": 0.5}]}
    path = write("x.trainer_state.json", state)
    with pytest.raises(ChoiceError) as caught:
        collect([path])
    assert str(caught.value) == (f"{path} holds 2 validation metrics; give metric=KEY: eval_x_reward, eval_y_reward")
    path = write("y.jsonl", [{"step": 1, "loss": 2, "kl": 0.5}])
    with pytest.raises(ChoiceError) as caught:
        collect([path])
    assert str(caught.value) == f"{path}: no reward is recognised; give metric=KEY: loss, kl"


def test_no_common_unit(write):
    path = write("t.csv", HEAD + "a,1,steps,.5\nb,1,tokens,.5\n")
    with pytest.raises(ChoiceError) as caught:
        collect([path])
    assert str(caught.value) == (
        "the runs share no unit of compute; read them apart, or give unit=U: 'a' has steps, 'b' has tokens"
    )


def test_rewards_of_different_names(write, tmp_path):
    write("x.trainer_state.json", {"log_history": [{"step": 1, "eval_reward": 0.5}]})
    write("y.jsonl", [{"step": 1, "reward": 0.5}])
    with pytest.raises(ChoiceError) as caught:
        collect([tmp_path])
    assert str(caught.value) == (
        "the runs log different rewards; give metric=KEY: "
        f"eval_reward ({tmp_path / 'x.trainer_state.json'}), reward ({tmp_path / 'y.jsonl'})"
    )
    assert caught.value.candidates == ("eval_reward", "reward")
    for name in ("z", "zz", "zzz"):
        write(f"{name}.jsonl", [{"step": 1, "reward": 0.5}])
    with pytest.raises(ChoiceError, match=r"reward \(.*y\.jsonl, .*z\.jsonl and 2 more\)$"):
        collect([tmp_path])
