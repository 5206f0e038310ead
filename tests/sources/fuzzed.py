"""A small valid file of every format, and ways to damage it: what ``test_fuzz.py`` and ``benchmarks/fuzz.py`` share."""

import io
import json
import random
import re
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet

from rlscale.curves import Run
from rlscale.errors import ChoiceError, InputError
from rlscale.sources import ReadOptions, collect
from tests.sources.trackers import made, made_stores

STEPS = range(1, 7)
TIMES = [f"2026-01-01T00:00:0{k}.5+00:00" for k in STEPS]


@dataclass(frozen=True)
class Format:
    """Files by name, as a trainer or tracker writes them; ``read`` is the file or folder given to the reader."""

    name: str
    read: str
    files: dict[str, bytes]
    seal: Callable[[bytes], bytes] | None = None  # mends checksums, so that damage gets behind them

    def lay(self, home: Path) -> Path:
        """Write the files below ``home``; return the path to read."""
        for name, content in self.files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return home / self.read


def formats() -> list[Format]:
    """Return every format that a reader knows."""
    alone = [*_states(), *_consoles(), *_tables(), *_event_files(), *_databases()]
    return [*(Format(name, file, {file: content}, seal) for name, file, content, seal in alone), _mlruns(), _export()]


def _states():
    trl = [{"step": k, "epoch": k / 6, "reward": 0.1 * k, "num_tokens": 1000.0 * k, "step_time": 2.5} for k in STEPS]
    trl += [{"step": 6, "eval_reward": 0.5, "eval_runtime": 3.0, "eval_samples_per_second": 8.0}]
    env = [{"step": k, "progress/batch": k, "env/all/reward/total": 0.1 * k, "time/total": 3.0} for k in STEPS]
    prime = [{"step": k, "time": 1.7e9 + k, "train/all/all/m/reward/mean": 0.1 * k, "time/step": 4.0} for k in STEPS]
    own = [{"step": k, "train": {"reward": 0.1 * k, "loss": 1.0}, "epoch": 1} for k in STEPS]
    logged = [{"step": k, "data": row} for k, row in zip(STEPS, _verl_rows(), strict=True)]
    yield "TRL", "trainer_state.json", json.dumps({"log_history": trl, "max_steps": 6}, indent=1).encode(), None
    yield "verl file", "verl.jsonl", _lines(logged), None
    yield "tinker", "metrics.jsonl", _lines(env), None
    yield "prime-rl", "metrics.jsonl", _lines(prime), None
    yield "own JSON lines", "own.jsonl", _lines(own), None
    roll = [{"system/step": k, "critic/score/mean": 0.1 * k, "time/step_total": 9.0} for k in STEPS]
    state = json.dumps({"step": 6, "kv": {}, "log_history": roll})
    yield "ROLL state", "worker_state_pipeline.json", state.encode(), None
    keyed = {"train/reward": {str(k): 0.1 * k for k in STEPS}, "eval": {"reward": {"3": 0.3, "6": 0.5}}, "name": "a"}
    yield "JSON of series", "series.json", json.dumps(keyed).encode(), None
    by_step = {str(k): {"eval/reward": 0.1 * k, "train": {"loss": 1.0}} for k in STEPS}
    yield "JSON of series by step", "steps.json", json.dumps(by_step).encode(), None


def _consoles():
    said = "'trainer': {'n_gpus_per_node': 8, 'nnodes': 2}\n"
    steps = [f"(TaskRunner pid=7) step:{k} - {_fields(row)}\n" for k, row in zip(STEPS, _verl_rows(), strict=True)]
    yield "verl console", "verl.log", (said + "".join(steps)).encode(), None
    roll = [{"step": k, "metrics": {"critic/score/mean": 0.1 * k, "time/step_total": 9.0}} for k in STEPS]
    yield "ROLL console", "roll.log", b"".join(b"metrics_tag: " + _lines([row]) for row in roll), None
    slime = [
        f"[2026-01-01 00:00:0{k}] data.py:9 - rollout {k}: {{'rollout/raw_reward': {0.1 * k}, 'rollout/n': 8}}\n"
        f"[2026-01-01 00:00:0{k}] data.py:9 - perf {k}: {{'perf/step_time': 9.5}}\neval {k}: {{'eval/aime': 0.3}}\n"
        for k in STEPS
    ]
    yield "slime console", "slime.log", "".join(slime).encode(), None
    skyrl = [f"2026-01-01 INFO Step {k}: \n{{'reward/avg_raw_reward': '{0.1 * k:.4f}',\n 'x': '1'}}\n" for k in STEPS]
    yield "SkyRL console", "skyrl.log", "".join(skyrl).encode(), None
    hybrid = [f"Global step {k}: {{'reward': {0.1 * k}, 'policy_loss': -0.5, 'kl': nan}}\n" for k in STEPS]
    yield "OpenRLHF console", "openrlhf.log", "".join(hybrid).encode(), None
    yield "OpenRLHF console, broken", "broken.log", "".join(hybrid).replace(", ", ",\n").encode(), None
    broken = "".join(f"{line[:70]}\n{line[70:]}" for line in steps)
    yield "verl console, broken", "broken.log", broken.encode(), None
    mirror = [f"INFO WANDB_MIRROR kind=train step={k} metrics={json.dumps({'x/y': 0.1 * k})}\n" for k in STEPS]
    yield "SkyRL mirror", "mirror.log", "".join(mirror).encode(), None
    boxed = [
        f"20260101-00:00:0{k}.5 StatsLogger INFO: Epoch 1/1 Step {k}/9 Train step {k}/9 done.\n╒══╤══╤══╤══╕\n"
        f"│ rollout/reward │ {0.1 * k:.4e} │ timeperf/rollout │ 3.0000e+01 │\n├──┼──┼──┼──┤\n"
        f"│ ppo_actor/update/lr │ 1.0000e-06 │ │ │\n╘══╧══╧══╧══╛\n"
        for k in STEPS
    ]
    yield "AReaL log", "main.log", "".join(boxed).encode(), None
    old = [
        f"00:00:0{k} SUCCESS Evaluated maze in 9.50s (Avg@4={0.1 * k:.4f}, Pass@4: 0.6, Truncated: 2.5%)\n"
        f"00:00:0{k} SUCCESS Step {k} | Time: 9.25s | Reward: {0.1 * k:.4f} | Throughput: 9.5 tokens/s\n"
        for k in STEPS
    ]
    yield "prime-rl log", "orchestrator.log", "".join(old).encode(), None
    later = [
        f"00:00:0{k} SUCCESS Step {k} |  1m 9s | Reward {0.1 * k:.4f} | Trainable 3/4 (75.0%) | Error 2.5%\n"
        f"00:00:0{k} SUCCESS Evaluated maze (Step {k}) | Policy v{k} | 30s | Reward {0.1 * k:.4f} | Turns 1.5\n"
        for k in STEPS
    ]
    yield "prime-rl log, later", "orchestrator.log", "".join(later).encode(), None
    forge = [
        f"=== [global_reduce] - METRICS STEP {k} ===\n  reward/evaluate_response/avg_total_reward: {0.1 * k}\n"
        f"  buffer/add/count_episodes_added: 16.0\n  episode/avg_response_tokens: 9.5\n{'=' * 30}\n"
        for k in STEPS
    ]
    yield "torchforge console", "forge.log", "".join(forge).encode(), None


def _tables():
    rows = [{"run": f"r-s{k % 2}", "compute": 1.5 * k, "unit": "steps", "reward": 0.1 * k, "n_eval": 64} for k in STEPS]
    csv = "run,compute,unit,reward,n_eval\n" + "".join(",".join(map(str, row.values())) + "\n" for row in rows)
    yield "CSV table", "table.csv", csv.encode(), None
    episodes = "".join(f"{0.1 * k},{9 + k},{k}.5\n" for k in STEPS)
    monitor = '#{"t_start": 1700000000.5, "env_id": "maze"}\nr,l,t\n' + episodes
    yield "SB3 monitor", "0.monitor.csv", monitor.encode(), None
    yield "TSV table, UTF-16", "table.tsv", csv.replace(",", "\t").encode("utf-16"), None
    yield "JSON table", "table.jsonl", _lines(rows), None
    yield "Parquet table", "table.parquet", _parquet(rows), None


def _event_files():
    curves = {"train/reward": {k: 0.1 * k for k in STEPS}, "eval/reward": {3: 0.3, 6: 0.5}}
    text = made.written("args/text_summary", json.dumps({"num_generations": 8, "lr": 1e-6}))
    first = [text, made.hparams(lr=0.1, name="a", flag=True), made.tensor("x", 2, made.packed(4, bytes(8)))]
    events = made.events(1.7e9, curves, first)
    yield "TensorBoard", "events.out.tfevents.1.host", events, sealed_events
    rows = [made.history(k, {"train/reward": 0.1 * k, ("a", "b"): 1, "train/global_step": k}) for k in STEPS]
    start = made.run("id1", 1.7e9, "name", "group", lr=0.1, trainer={"n_gpus_per_node": 8})
    printed = [made.output(f"step:{k} - critic/score/mean:0.{k}\n") for k in STEPS]
    history = [start, made.config(beta=0.0), *rows, made.gpus(8)]
    yield "W&B", "run-id1.wandb", made.wandb(*history), sealed_wandb
    yield "W&B, killed", "run-id2.wandb", made.wandb(start, *printed), sealed_wandb


def _databases():
    points = [("eval/reward", 0.1 * k, 1_700_000_000_000 + k, k) for k in STEPS]
    with tempfile.TemporaryDirectory() as folder:
        run = {"run_id": "abc", "name": "a", "points": points, "params": {"lr": "0.1", "n": "[1]"}, "tags": {"k": "v"}}
        mlflow = made_stores.mlflow_db(Path(folder, "mlflow.db"), [run]).read_bytes()
        rows = [("a", "one", k, {"train/reward": 0.1 * k, "train/global_step": k}) for k in STEPS]
        trackio = made_stores.trackio_db(Path(folder, "p.db"), rows, [("a", "one", {"lr": 0.1})]).read_bytes()
    yield "MLflow database", "mlflow.db", mlflow, None
    yield "Trackio database", "p.db", trackio, None


def _mlruns():
    lines = "".join(f"{1_700_000_000_000 + k} 0.{k} {k}\n" for k in STEPS)
    run = {"run_id": "abc", "name": "a", "metrics": {"eval/reward": lines, "loss": lines}, "params": {"lr": "0.1"}}
    with tempfile.TemporaryDirectory() as folder:
        root = made_stores.mlruns(Path(folder, "mlruns"), [{**run, "tags": {"mlflow.runName": "b"}}])
        files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    return Format("MLflow folder", "mlruns", files)


def _export():
    rows = [
        {"id": k, "run_id": "a", "run_name": "one", "timestamp": TIMES[k - 1], "step": k, "train/reward": 0.1 * k}
        for k in STEPS
    ]
    config = [{"run_id": "a", "run_name": "one", "created_at": TIMES[0], "lr": 0.1}]
    return Format("Trackio export", "p.parquet", {"p.parquet": _parquet(rows), "p_configs.parquet": _parquet(config)})


def _verl_rows():
    graded = "val-core/math/acc/mean@8"
    one = {"timing_s/step": 60.0, "perf/total_num_tokens": 5000}
    return [{"critic/score/mean": 0.1 * k, graded: 0.05 * k, **one} for k in STEPS]


def _fields(row):
    return " - ".join(f"{key}:{value}" for key, value in row.items())


def _lines(rows):
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _parquet(rows):
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def sealed_events(data):
    """Return an event file with the checksums of its lengths made right, as far as its frames reach."""
    mended, at = bytearray(data), 0
    while at + 12 <= len(mended):
        length = mended[at : at + 8]
        mended[at + 8 : at + 12] = struct.pack("<I", made.crc32c(length))
        at += 16 + int.from_bytes(length, "little")
    return bytes(mended)


def sealed_wandb(data):
    """Return a ``.wandb`` file with header and checksums made right, as far as its chunks reach."""
    mended, at = bytearray(b":W&B\xe1\xbe\x00" + data[7:]), 7
    while at + 7 <= len(mended):
        stop = at + 7 + int.from_bytes(mended[at + 4 : at + 6], "little")
        mended[at + 6] = mended[at + 6] if 1 <= mended[at + 6] <= 4 else 1
        mended[at : at + 4] = struct.pack("<I", zlib.crc32(mended[at + 6 : stop]))
        at = stop
    return bytes(mended)


#: What readers stumble over.
TOKENS = (
    *(b"NaN", b"-Infinity", b"1e999", b"-0", b"1e-320", b"9" * 400, b"0x1p3", b"1_0", b"null", b"true", b"{}", b"[]"),
    *(b"", b"\n", b"\r", b"\0", b'"', b"'", b",", b" - ", b":", b"\\", b"{", b"}", b"[" * 3000, b'{"a":' * 3000),
    *(b"\x1b[31m", b"[red]", b"<script>", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", "\u0663\u2028\u202e".encode()),
    *(b"\xff" * 9 + b"\x7f", b"\xff" * 12, b"\x7f" * 8, b"\x80" * 9 + b"\x01", bytes(8), b"\x0b\x0c", b"step"),
    *(b"a" * 5000, b"\\ud800", b"\\u0000", b"2026-13-45T99:99", b"0001-01-01T00:00:00+23:59", b"steps", b"#2"),
)  # fmt: skip
NUMBER = re.compile(rb"\d+(?:\.\d+)?")


def damaged(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Return ``data`` after one to six random changes; ``other`` is a file to take pieces from."""
    mended = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        size = len(mended)
        at = rng.randrange(size + 1)
        stop = min(size, at + rng.choice((1, 1, 2, 4, 8, 30, 200)))
        kind = rng.randrange(9)
        if kind == 0 and at < size:
            mended[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            mended[at:stop] = rng.randbytes(stop - at)
        elif kind == 2:
            del mended[at:stop]
        elif kind == 3:
            mended[at:at] = mended[at:stop] * rng.choice((1, 2, 50))
        elif kind == 4:
            token = rng.choice(TOKENS)
            mended[at : at + rng.choice((0, len(token)))] = token
        elif kind == 5:
            place = rng.randrange(len(other) + 1)
            mended[at:stop] = other[place : place + rng.choice((4, 30, 300))]
        elif kind == 6 and rng.random() < 0.3:
            del mended[at:]
        elif kind == 7:
            found = list(NUMBER.finditer(mended))
            if found:
                one = rng.choice(found)
                mended[one.start() : one.end()] = rng.choice(TOKENS)
        elif kind == 8:
            mended = bytearray(b"\n".join(_shuffled(rng, bytes(mended).split(b"\n"))))
    return bytes(mended)


def _shuffled(rng, lines):
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one] if rng.random() < 0.5 else lines[two]
    return lines


def outcome(path: Path) -> str:
    """Read a path; return what came of it: ``runs`` or the name of the error. Anything else raised is a defect.

    Where several metrics could be meant, the first is asked for, so that runs are made of as many inputs as possible.
    """
    options = {"gpus": 2.0, "bounds": (-1e300, 1e300)}
    try:
        try:
            reading = collect([path], ReadOptions(**options))
        except ChoiceError as error:
            reading = collect([path], ReadOptions(**options, metric=error.candidates[0]))
    except InputError as error:
        return type(error).__name__
    assert reading.runs
    assert all(isinstance(run, Run) for run in reading.runs)
    assert len({run.name for run in reading.runs}) == len(reading.runs)
    return "runs"
