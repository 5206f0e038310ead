"""What the server answers to whom: a real one on loopback."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from rlscale.errors import InputError
from rlscale.ledger import Heading, Ledger, points_of
from rlscale.serve import Limits, LogBoard, ServeOptions, open_board
from rlscale.serve.guard import COOKIE
from rlscale.serve.server import listen
from rlscale.sources import bundled
from tests.serve.server import Answer, Served, serving

TOKEN = "correct horse battery staple"


@pytest.fixture(scope="module")
def board() -> LogBoard:
    return LogBoard([bundled()])


@pytest.fixture(scope="module")
def served(board: LogBoard) -> Iterator[Served]:
    with serving(board) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(board: LogBoard) -> Iterator[Served]:
    with serving(board, ServeOptions(port=0, token=TOKEN)) as server:
        yield server


def test_documents_are_those_of_the_commands(served: Served) -> None:
    overview = json.loads(served.ask("/api/overview").body)
    assert [row["recipe"] for row in overview["recipes"]] == ["long10", "lr1.5e-4", "base"]
    run = json.loads(served.ask("/api/run?name=base/seed0").body)
    assert [row["run"] for row in run["runs"]] == ["base/seed0"]
    assert json.loads(served.ask("/api/health").body)["schema"] == 1


@pytest.mark.parametrize("path", ["/nope", "/api/nope", "/api/run?name=nobody", "/?view=nope", "/events/",
                                  "/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/api/",
                                  "/static/%2fetc%2fpasswd", "/api/overview/x"])  # fmt: skip
def test_what_is_not_there_is_404(served: Served, path: str) -> None:
    answer = served.ask(path)
    assert answer.status == 404
    assert "Traceback" not in answer.text


def test_a_bad_number_is_400_and_names_the_parameter(served: Served) -> None:
    answer = served.ask("/api/overview?target=lots")
    assert answer.status == 400
    assert "target" in json.loads(answer.body)["error"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_pages_only_read(served: Served, method: str) -> None:
    assert served.ask("/", method).status == 405


def test_an_action_needs_to_be_allowed(served: Served) -> None:
    assert served.ask("/actions", "POST", "action=hold&name=base/seed0").status == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost:8765@evil.example", "a b"])
def test_it_answers_to_its_own_name_only(served: Served, host: str) -> None:
    assert served.ask("/api/overview", Host=host).status in (400, 421)


@pytest.mark.parametrize(
    "header", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}]
)
def test_other_sites_are_refused(served: Served, header: dict[str, str]) -> None:
    assert served.ask("/api/overview", **header).status == 403


def test_every_answer_carries_the_headers_of_safety(served: Served) -> None:
    for path in ("/", "/nope", "/api/overview", "/static/page.js"):
        headers = served.ask(path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_the_same_content_is_sent_once(served: Served) -> None:
    first = served.ask("/api/overview", Accept_Encoding="gzip")
    assert json.loads(gzip.decompress(first.body))["schema"] == 1
    again = served.ask("/api/overview", If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_large_requests_are_refused(served: Served) -> None:
    assert served.ask("/actions", "POST", "x" * 5000).status == 413
    with socket.create_connection(("127.0.0.1", served.port), 30) as client:
        try:
            client.sendall(b"GET /?" + b"a" * 200_000 + b" HTTP/1.1\r\n")
            assert b" 400 " in client.recv(100) + b" 400 "
        except ConnectionError:
            pass  # closed while we were talking: refused, too


def test_a_body_that_grows_past_the_limit_is_refused(guarded: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=30)
    parts = (b"x" * 1000 for _ in range(20))
    try:
        connection.request("POST", "/login", parts, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        assert connection.getresponse().status == 413
    except ConnectionError:
        pass
    finally:
        connection.close()


def test_a_slow_client_is_let_go(board: LogBoard) -> None:
    options = ServeOptions(port=0, limits=Limits(seconds=0.2))
    with serving(board, options) as served, socket.create_connection(("127.0.0.1", served.port), 30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        assert client.recv(10) == b""


def test_a_client_that_does_not_read_is_let_go(board: LogBoard) -> None:
    options = ServeOptions(port=0, limits=Limits(seconds=0.2))
    with serving(board, options) as served, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(30)
        client.connect(("127.0.0.1", served.port))
        for _ in range(20):
            client.sendall(b"GET /static/plotly.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while served.app.state.counts.by_status[200] == 0:  # type: ignore[attr-defined]
            pass
        assert served.ask("/healthz").status == 200


def test_streams_are_limited(board: LogBoard) -> None:
    with serving(board, ServeOptions(port=0, limits=Limits(streams=1))) as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        connection.request("GET", "/events")
        assert connection.getresponse().readline() == b"id: 1\n"
        assert served.ask("/events").status == 503
        connection.close()


def test_a_change_reaches_every_stream(tmp_path: Path) -> None:
    log = tmp_path / "run.csv"
    log.write_text("step,accuracy\n" + "".join(f"{k},{0.1 * k}\n" for k in range(6)))
    board = LogBoard([log])
    with serving(board) as served:
        streams = [http.client.HTTPConnection("127.0.0.1", served.port, timeout=30) for _ in range(5)]
        answers = []
        for stream in streams:
            stream.request("GET", "/events")
            answers.append(stream.getresponse())
            assert answers[-1].readline() == b"id: 1\n"
        with log.open("a") as file:
            file.write("6,0.62\n")
        for answer in answers:
            while (line := answer.readline()) != b"id: 2\n":
                assert line
        assert json.loads(served.ask("/api/run?name=run").body)["runs"][0]["n_points"] == 7
        for stream in streams:
            stream.close()


def test_metrics_are_what_prometheus_reads(served: Served) -> None:
    families = {each.name: each for each in text_string_to_metric_families(served.ask("/metrics").text)}
    medians = {
        sample.labels["recipe"]: sample.value
        for sample in families["rlscale_ceiling"].samples if sample.labels["quantile"] == "0.5"
    }  # fmt: skip
    overview = json.loads(served.ask("/api/overview").body)
    assert medians == {row["recipe"]: pytest.approx(row["ceiling"]["q50"]) for row in overview["recipes"]}
    assert families["rlscale_troubles"].samples[0].value == 0


def test_hostile_names_are_labels(tmp_path: Path) -> None:
    name = 'a"} 1\\nevil{x="<script>alert(1)</script>'
    rows = "".join(f'"{name.replace(chr(34), chr(34) * 2)}",{k},{0.1 * k}\n' for k in range(8))
    (tmp_path / "runs.csv").write_text("run,step,accuracy\n" + rows)
    with serving(LogBoard([tmp_path / "runs.csv"])) as served:
        families = {each.name: each for each in text_string_to_metric_families(served.ask("/metrics").text)}
        assert "evil" not in families
        assert len(families["rlscale_p_best"].samples) == 1
        assert "<script>alert" not in served.ask("/").text


class TestToken:
    def test_other_addresses_need_one(self) -> None:
        with pytest.raises(InputError, match="needs a token"):
            ServeOptions(host="0.0.0.0")
        with pytest.raises(InputError, match="could be guessed"):
            ServeOptions(token="secret")
        with pytest.raises(InputError, match="--allow-actions needs a token"):
            ServeOptions(actions=True)
        assert TOKEN not in repr(ServeOptions(token=TOKEN))

    def test_without_it_nothing_is_shown(self, guarded: Served) -> None:
        assert guarded.ask("/").status == 303
        for path in ("/api/overview", "/events", "/metrics", "/nope", f"/api/overview?token={TOKEN.replace(' ', '+')}"):
            assert guarded.ask(path).status == 401
        assert guarded.ask("/api/overview", Authorization="Bearer wrong").status == 401
        assert guarded.ask("/healthz").status == 200

    def test_a_program_shows_it_in_a_header(self, guarded: Served) -> None:
        assert guarded.ask("/api/overview", Authorization=f"Bearer {TOKEN}").status == 200

    def test_a_browser_gets_a_cookie(self, guarded: Served) -> None:
        assert guarded.ask("/login", "POST", "token=wrong").status == 401
        answer = guarded.ask("/login", "POST", "token=correct+horse+battery+staple")
        cookie = answer.headers["set-cookie"]
        assert answer.status == 303
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert guarded.ask("/", Cookie=cookie.partition(";")[0]).status == 200
        assert guarded.ask("/", Cookie=f"{COOKIE}=0").status == 303


@contextmanager
def command(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "rlscale", "serve", *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


class TestActions:
    """What people say from the page, on a real ledger."""

    @pytest.fixture
    def address(self, tmp_path: Path) -> str:
        address = f"sqlite:///{tmp_path / 'runs.db'}"
        with Ledger(address, create=True) as ledger:
            for name in ("a", "b"):
                row = ledger.book.enlist(Heading(name=name, recipe=name, metric="reward", unit="steps"))
                reward = 0.7 * np.arange(12.0) / (np.arange(12.0) + 3.0)
                ledger.book.append({row.id: {"reward": points_of(np.arange(12.0), reward)}})
        return address

    def _say(self, served: Served, body: str, *, origin: str = "", token: str = TOKEN) -> Answer:
        origin = origin or f"http://127.0.0.1:{served.port}"
        return served.ask("/actions", "POST", body, Origin=origin, Authorization=f"Bearer {token}")

    def test_hold_is_kept_in_the_ledger(self, address: str) -> None:
        with serving(open_board([f"ledger:{address}"]), ServeOptions(port=0, token=TOKEN, actions=True)) as served:
            shown = served.ask("/?view=run&name=a", Authorization=f"Bearer {TOKEN}")
            assert 'action="/actions"' in shown.text
            answer = self._say(served, "action=hold&name=a&note=diverges&who=ada")
            assert (answer.status, answer.headers["location"]) == (303, "/?view=run&name=a")
            assert self._say(served, "action=hold&name=a", origin="http://evil.example").status == 403
            assert self._say(served, "action=hold&name=a", token="x" * 20).status == 401
            assert self._say(served, "action=stop&name=a").status == 400
            assert self._say(served, "action=hold&name=zz").status == 404
        with Ledger(address) as ledger:
            (word,) = ledger.overrides.all()
        assert (word.run, word.kind, word.note, word.who) == ("a", "hold", "diverges", "ada")

    def test_without_leave_nothing_can_be_said(self, address: str) -> None:
        with serving(open_board([f"ledger:{address}"]), ServeOptions(port=0, token=TOKEN)) as served:
            assert self._say(served, "action=hold&name=a").status == 403
            shown = served.ask("/?view=run&name=a", Authorization=f"Bearer {TOKEN}")
            assert "/actions" not in shown.text


class TestCommand:
    def test_it_says_where_it_is_and_ends_at_ctrl_c(self) -> None:
        with command("bundled", "--port", "0") as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert "at http://127.0.0.1:" in said
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert process.stderr.read() == ""

    def test_what_is_wrong_is_said_in_a_line(self, served: Served, tmp_path: Path) -> None:
        for words, says in (
            (("bundled", "--port", str(served.port)), "give another --port"),
            (("bundled", "--host", "0.0.0.0"), "needs a token"),
            (("bundled", "--token-file", str(tmp_path / "none")), "give a file that holds the token"),
            ((str(tmp_path / "none"),), "no such file or folder"),
        ):
            with command(*words) as process:
                _, said = process.communicate(timeout=60)
                assert process.returncode == 2
                assert says in said
                assert said.count("\n") == 1

    def test_a_port_in_use_is_an_error(self) -> None:
        with listen(ServeOptions(port=0)) as listener, pytest.raises(InputError, match="give another --port"):
            listen(ServeOptions(port=listener.getsockname()[1]))
