"""Logs that grow in a store: only what is new is fetched, and every look equals a whole read."""

import json
import os

import numpy as np
import pytest

from rlscale.live.following import Following
from rlscale.sources import ReadOptions, bundled, collect
from rlscale.sources.follow import Follower
from tests.sources.test_follow import told, verl_file


def test_nothing_new_is_one_request(s3, s3_server):
    for k in range(20):
        s3.put(f"exp/run{k}/log.jsonl", verl_file(n=9))
    follower = Follower([f"{s3.url}/exp"])
    first = follower.poll()
    before = len(s3_server.requests())
    assert follower.poll() is first
    assert [line.partition(" ")[0] for line in s3_server.requests()[before:]] == ["GET"]


def test_an_object_alone_is_one_request(s3, s3_server):
    follower = Follower([s3.put("exp/log.jsonl", verl_file(n=9))])
    first = follower.poll()
    before = len(s3_server.requests())
    assert follower.poll() is first
    assert [line.partition(" ")[0] for line in s3_server.requests()[before:]] == ["HEAD"]


@pytest.mark.parametrize("named", ["exp", "exp/log.jsonl"])
def test_only_what_grew_is_fetched(bucket, monkeypatch, named):
    url = f"{bucket.url}/{named}"
    lines = verl_file(n=400).splitlines(keepends=True)
    begun = [len("".join(lines[:count])) + 30 for count in (100, 101, 250)]
    text, fetched = "".join(lines), []
    ranged = bucket.store.cat_ranges

    def counted(*args, **how):
        data = ranged(*args, **how)
        fetched.append(sum(map(len, data)))
        return data

    follower = Follower([url])
    for size in (*begun, len(text)):
        bucket.put("exp/log.jsonl", text[:size])
        with monkeypatch.context() as watched:
            watched.setattr(bucket.store, "cat_ranges", counted)
            look = follower.poll()
        assert told(look) == told(collect([url]))
    assert fetched[0] == begun[0]
    assert fetched[1:] == [new + 4096 for new in np.diff([*begun, len(text)])]


def test_logs_written_anew_erased_and_gone(bucket, tmp_path):
    """A folder that changes in the same way is followed beside the store."""

    def put(name, text):
        path = tmp_path / "exp" / name / "log.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(".new")
        new.write_text(text)
        new.replace(path)
        bucket.put(f"exp/{name}/log.jsonl", text)

    url, folder = f"{bucket.url}/exp", str(tmp_path / "exp")
    put("a", verl_file(n=30))
    put("b", verl_file(n=12))
    followers = [Follower([path]) for path in (url, folder)]
    changes = (
        lambda: put("a", verl_file(n=40, first=31)),
        lambda: put("a", verl_file(n=5)),
        lambda: put("c", verl_file(n=9)),
        lambda: (bucket.remove("exp/b/log.jsonl"), (tmp_path / "exp" / "b" / "log.jsonl").unlink()),
        lambda: put("c", ""),
        lambda: put("b", verl_file(n=20)),
    )
    for change in (lambda: None, *changes):
        change()
        there, here = (follower.poll() for follower in followers)
        assert told(there) == told(here)
        assert [str(error).replace(url, folder) for error in there.errors] == [str(error) for error in here.errors]


def test_a_state_is_read_anew(bucket):
    state = json.loads((bundled() / "base" / "seed0" / "trainer_state.json").read_text())
    history = state["log_history"]
    url = f"{bucket.url}/run"
    follower = Follower([url])
    for share in (0.5, 0.8, 1.0):
        part = {**state, "log_history": history[: int(len(history) * share)]}
        bucket.put("run/checkpoint-7/trainer_state.json", json.dumps(part))
        assert told(follower.poll()) == told(collect([url]))


def test_a_newer_checkpoint_takes_over(bucket):
    state = (bundled() / "base" / "seed0" / "trainer_state.json").read_bytes()
    bucket.put("run/checkpoint-100/trainer_state.json", state)
    follower = Follower([f"{bucket.url}/run"])
    first = told(follower.poll())
    for step in (200, 300):
        bucket.put(f"run/checkpoint-{step}/trainer_state.json", state)
        assert [run[:7] for run in told(follower.poll())] == [run[:7] for run in first]
    bucket.remove("run/checkpoint-300/trainer_state.json")
    bucket.remove("run/checkpoint-200/trainer_state.json")
    look = follower.poll()
    assert [run[:7] for run in told(look)] == [run[:7] for run in first]
    assert look.errors == ()


def test_a_store_that_cannot_be_reached_for_a_while(memory, monkeypatch):
    url = memory.put("exp/log.jsonl", verl_file(n=20))
    follower = Follower([url])
    first = follower.poll()

    def down(*_, **__):
        raise ConnectionError("secret")

    with monkeypatch.context() as broken:
        broken.setattr(memory.store, "info", down)
        look = follower.poll()
    assert told(look) == told(first)
    assert [str(error) for error in look.errors] == [
        f"{url}: the store cannot be reached; check the network and the endpoint, then try again"
    ]
    memory.put("exp/log.jsonl", verl_file(n=40))
    with monkeypatch.context() as broken:
        broken.setattr(memory.store, "cat_ranges", lambda names, *_, **__: [ConnectionError() for _ in names])
        look = follower.poll()
    assert told(look) == told(first)
    assert len(look.errors) == 1
    look = follower.poll()
    assert look.errors == ()
    assert told(look) == told(collect([url]))


def test_a_store_that_answers_later(memory):
    follower = Follower([f"{memory.url}/exp"])
    look = follower.poll()
    assert look.runs == ()
    assert [str(error) for error in look.errors] == [
        f"{memory.url}/exp: there is no such object, and none below it; check the address"
    ]
    memory.put("exp/log.jsonl", verl_file(n=20))
    look = follower.poll()
    assert look.errors == ()
    assert told(look) == told(collect([f"{memory.url}/exp"]))


def test_the_choice_of_a_metric_fetches_nothing_twice(memory, monkeypatch):
    url = memory.put("exp/log.jsonl", verl_file(n=20))
    requests = []
    ranged = memory.store.cat_ranges
    monkeypatch.setattr(memory.store, "cat_ranges", lambda *args, **how: requests.append(1) or ranged(*args, **how))
    following = Following([url], ReadOptions())
    assert following.poll().runs
    assert len(requests) == 1
    following.close()


def test_the_image_goes_with_its_follower(memory):
    follower = Follower([memory.put("exp/log.jsonl", verl_file(n=20))])
    follower.poll()
    root = follower.image.root
    assert root.is_dir()
    del follower
    assert not os.path.exists(root)
