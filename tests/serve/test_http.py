"""What the server answers to whom: a real one on loopback."""

from __future__ import annotations

import gzip
import html
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from rlscale.errors import InputError
from rlscale.ledger import Heading, Ledger, points_of
from rlscale.live import Watch, WatchSettings
from rlscale.serve import Limits, LogBoard, ServeOptions, open_board
from rlscale.serve.board import Page
from rlscale.serve.guard import COOKIE
from rlscale.serve.server import listen
from rlscale.sources import bundled
from tests.serve.server import Answer, Served, serving
from tests.waiting import wait_until

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


def raw(port: int, sent: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), 30)
    client.sendall(sent)
    return client


def test_large_requests_are_refused(served: Served) -> None:
    assert served.ask("/actions", "POST", "x" * 5000).status == 413
    assert served.ask("/healthz?" + "a" * 70_000).status == 431
    assert served.ask("/" + "a" * 17_000).status == 431
    assert served.ask("/healthz", Cookie="a" * 16_384).status == 431
    assert served.ask("/healthz?" + "a" * 16_000).status == 200
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


@pytest.mark.parametrize("path", ["/login", "/actions"])
def test_a_client_that_goes_away_in_its_request_is_no_news(
    guarded: Served, path: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = guarded.app.state.counts.by_status.copy()  # type: ignore[attr-defined]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100\r\n\r\ntoken="
    )
    for _ in range(3):
        raw(guarded.port, head.encode()).close()
    assert guarded.ask("/healthz").status == 200
    wait_until(lambda: not guarded.tasks())
    after = guarded.app.state.counts.by_status  # type: ignore[attr-defined]
    assert after[500] == before[500]
    assert caplog.text == ""
    assert capfd.readouterr().err == ""


def test_a_body_that_trickles_is_cut_off(board: LogBoard, capfd: pytest.CaptureFixture[str]) -> None:
    options = ServeOptions(port=0, token=TOKEN, limits=Limits(seconds=0.5))
    head = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4000\r\n\r\n"
    with serving(board, options) as served, raw(served.port, head) as client:
        client.settimeout(0.02)
        for _ in range(1500):  # a byte now and then, 30 seconds in all
            try:
                client.sendall(b"a")
                if client.recv(10) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("the connection stayed open")
        wait_until(lambda: not served.tasks())
    assert capfd.readouterr().err == ""


def test_what_waits_for_a_client_that_does_not_read_is_dropped(
    board: LogBoard, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(board, ServeOptions(port=0, limits=Limits(seconds=0.2))) as served, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(30)
        client.connect(("127.0.0.1", served.port))
        for _ in range(20):
            client.sendall(b"GET /static/plotly.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        wait_until(lambda: served.app.state.counts.by_status[200] > 0)  # type: ignore[attr-defined]
        wait_until(lambda: not served.connections())
    assert capfd.readouterr().err == ""


def test_a_client_that_reads_slowly_gets_all_of_it(board: LogBoard) -> None:
    """It takes several times as long as a client that takes nothing may."""
    with serving(board, ServeOptions(port=0, limits=Limits(seconds=1.0))) as served, socket.socket() as client:
        whole = served.ask("/static/plotly.min.js").body
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        client.settimeout(30)
        client.connect(("127.0.0.1", served.port))
        client.sendall(b"GET /static/plotly.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        taken = 0
        while part := client.recv(1 << 15):
            taken += len(part)
            threading.Event().wait(0.02)
        assert taken > len(whole)


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


def test_metrics_count_alarms_that_last(tmp_path: Path) -> None:
    """The gradients of two runs exploded and one came back: its alarm is over."""
    for name, back in (("lost", False), ("back", True)):
        steps = np.arange(200)
        norm = np.where((steps > 60) & ((steps < 120) | (not back)), 1e4, 1.0)
        reward = 0.7 * steps / (steps + 30)
        rows = zip(steps, reward, norm, strict=True)
        (tmp_path / f"{name}.csv").write_text(
            "step,reward,grad_norm\n" + "".join(f"{k},{r:.5f},{n}\n" for k, r, n in rows)
        )
    with serving(LogBoard([tmp_path])) as served:
        told = json.loads(served.ask("/api/health").body)["runs"]
        every = {run["run"]: run["alarms"] for run in told}
        assert every["lost"]
        assert any(alarm["until_step"] is not None for alarm in every["back"])
        families = {each.name: each for each in text_string_to_metric_families(served.ask("/metrics").text)}
        counted = dict.fromkeys(every, 0.0)
        for sample in families["rlscale_alarms"].samples:
            counted[sample.labels["run"]] += sample.value
        assert counted == {name: sum(alarm["until_step"] is None for alarm in alarms) for name, alarms in every.items()}


def test_metrics_of_very_many_runs_leave_out_what_nobody_knows(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'runs.db'}"
    with Ledger(address, create=True) as ledger:
        rows = [
            ledger.book.enlist(Heading(name=f"r{k}", recipe=f"r{k}", metric="reward", unit="steps")) for k in range(410)
        ]
        reward = 0.7 * np.arange(12.0) / (np.arange(12.0) + 3.0)
        ledger.book.append({row.id: {"reward": points_of(np.arange(12.0), reward)} for row in rows})
    with serving(open_board([f"ledger:{address}"])) as served:
        families = {each.name: each for each in text_string_to_metric_families(served.ask("/metrics").text)}
    # nothing was fitted, ranked, decided or judged
    assert {"rlscale_p_best", "rlscale_ceiling", "rlscale_forecast", "rlscale_alarms"}.isdisjoint(families)
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

    @pytest.mark.parametrize("token", [f"{TOKEN}\n{TOKEN}", "schlüssel-mit-umlauten", f"{TOKEN}\x07", f"{TOKEN}\u200b"])
    def test_one_that_no_header_carries_is_refused(self, token: str) -> None:
        with pytest.raises(InputError, match="one line of plain letters") as caught:
            ServeOptions(token=token)
        assert TOKEN not in str(caught.value)
        assert "umlauten" not in str(caught.value)

    def test_one_that_no_header_carries_is_said_in_a_line(self, tmp_path: Path) -> None:
        token = f"{TOKEN}\n{TOKEN}\n"
        (tmp_path / "token").write_text(token)
        for words, more in ((("--token-file", str(tmp_path / "token")), {}), ((), {"RLSCALE_TOKEN": token})):
            with command("bundled", "--port", "0", *words, **more) as process:
                _, message = process.communicate(timeout=60)
                assert process.returncode == 2
                assert "one line of plain letters" in message
                assert message.count("\n") == 1

    @pytest.mark.parametrize(
        "asked", ["/?view=run&name=base/seed0", "/?target=2k", "/", "/?//evil.example", "/?next=//evil.example",
                  "/?next=%2f%2fevil.example", "/?/%5cevil.example", "/?@evil.example", "/?%0d%0aX:%201"]
    )  # fmt: skip
    def test_login_leads_to_the_page_that_was_asked_for(self, guarded: Served, asked: str) -> None:
        form = guarded.ask(asked).headers["location"]
        assert form == asked.replace("/", "/login", 1)
        assert f'action="{html.escape(form)}"' in guarded.ask(form).text
        again = guarded.ask(form, "POST", "token=wrong")
        assert f'action="{html.escape(form)}"' in again.text
        answer = guarded.ask(form, "POST", "token=correct+horse+battery+staple")
        assert answer.headers["location"] == asked
        cookie = answer.headers["set-cookie"].partition(";")[0]
        assert guarded.ask(form, Cookie=cookie).headers["location"] == asked

    @pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/%2fevil.example", "/%5cevil.example",
                                      "http://evil.example/"])  # fmt: skip
    def test_login_leads_to_no_other_site(self, guarded: Served, path: str) -> None:
        assert guarded.ask(path).status in (400, 401, 421)
        for key in ("next", "to", "url", "view", ""):
            for value in (path, quote(path, safe="")):
                form = f"/login?{key}={value}"
                answer = guarded.ask(form, "POST", f"token=correct+horse+battery+staple&next={quote(path, safe='')}")
                if answer.status == 303:
                    there = urljoin("http://127.0.0.1/login", answer.headers["location"].replace("\\", "/"))
                    assert urlsplit(there)[:3] == ("http", "127.0.0.1", "/")

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
def command(*words: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "rlscale", "serve", *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **more},
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

    def test_what_was_said_stands_on_the_page(self, address: str) -> None:
        with serving(open_board([f"ledger:{address}"]), ServeOptions(port=0, token=TOKEN, actions=True)) as served:
            answer = self._say(served, "action=hold&name=a&note=di%0Aver%1b%5B31mges&who=a%00da%E2%80%AE")
            shown = served.ask(answer.headers["location"], Authorization=f"Bearer {TOKEN}").text
            (said,) = re.findall(r'<p role="status">(.*?)</p>', shown)
            assert re.fullmatch(
                r"held by a da, \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: di ver \[31mges; "
                "no watcher runs now: the next one will see it",
                said,
            )
            assert "Decisions on this run" in shown
            assert "a da said hold: di ver [31mges" in shown
            self._say(served, "action=resume&name=a&who=%07")
            document = json.loads(served.ask("/api/run?name=a", Authorization=f"Bearer {TOKEN}").body)
            assert [(each["decision"], each["by"]) for each in document["decisions"]] == [
                ("continue", "page"), ("hold", "a da")
            ]  # fmt: skip
            other = served.ask("/?view=run&name=b", Authorization=f"Bearer {TOKEN}").text
            assert 'role="status">held' not in other
            with Ledger(address) as ledger:
                watch = Watch(ledger, WatchSettings(budget=200.0), acting=True)
                watch.step()
                watch.close()
            wait_until(
                lambda: (
                    "no watcher runs now" not in served.ask("/?view=run&name=a", Authorization=f"Bearer {TOKEN}").text
                )
            )
            first = served.ask("/?view=run", Authorization=f"Bearer {TOKEN}").text
            assert re.search(r'name="name" value="[ab]"', first)

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

    @pytest.mark.parametrize("budget", ["-5", "0", "nan", "inf", "1e400", "-inf"])
    def test_a_budget_that_is_none_starts_no_server(self, budget: str, tmp_path: Path) -> None:
        address = f"sqlite:///{tmp_path / 'runs.db'}"
        Ledger(address, create=True).close()
        for path in ("bundled", f"ledger:{address}"):
            with pytest.raises(InputError, match="not a compute above 0"):
                open_board([path], budget=float(budget))

    def test_a_budget_that_is_none_is_said_in_a_line(self) -> None:
        with command("bundled", "--port", "0", "--budget", "1e400") as process:
            _, message = process.communicate(timeout=60)
            assert process.returncode == 2
            assert "--budget inf is not a compute above 0" in message
            assert message.count("\n") == 1

    @pytest.mark.parametrize("host", ["::1", "127.0.0.2"])
    def test_the_address_that_it_prints_is_one(self, host: str) -> None:
        with command("bundled", "--port", "0", "--host", host) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            if "cannot listen" in line:
                pytest.skip("this machine has no such address")
            address = re.search(r"at (http://\S+/);", line)
            assert address is not None, line
            assert ("http://[::1]:" in line) == ("::1" in host)
            with urllib.request.urlopen(address[1] + "healthz", timeout=30) as answer:
                assert json.load(answer)["status"] == "ok"

    def test_its_log_has_a_line_for_a_trouble(self, tmp_path: Path) -> None:
        """Logs that cannot be compared, one that is broken, and numbers that make no sense: looked at many times."""

        def ask(path: str) -> int:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer.status

        for name, metric in (("a", "reward"), ("b", "reward")):
            (tmp_path / f"{name}.csv").write_text(f"step,{metric}\n" + "".join(f"{k},{0.05 * k}\n" for k in range(12)))
        (tmp_path / "c.csv").write_text("step,reward_x,reward_y\n" + "".join(f"{k},{k},{k}\n" for k in range(12)))
        (tmp_path / "d.jsonl").write_bytes(bytes(range(256)) * 10)
        with command(str(tmp_path), "--port", "0", "--budget", "30") as process:
            assert process.stderr is not None
            found = re.search(r"at http://127.0.0.1:(\d+)/", process.stderr.readline())
            assert found is not None
            port = int(found[1])
            for path in ("/", "/?target=-1", "/?target=nan", "/?target=inf", "/?target=1e308", "/?view=plan&reward=nan",
                         "/?view=run&name=a&target=-1", "/?view=run&name=a&target=1e-300", "/?view=compare&target=-1",
                         "/api/run?name=a&target=nan", "/metrics"):  # fmt: skip
                assert ask(path) < 500
            for name in ("a", "e"):  # the same names with another metric, then more that are ambiguous
                (tmp_path / f"{name}.csv").write_text("step,loss_x,loss_y\n1,2,3\n2,3,4\n")
                for _ in range(5):
                    assert ask("/") < 500
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            lines = process.stderr.read().splitlines()
            assert len(lines) == len(set(lines))
            assert not [line for line in lines if "Warning" in line or "Traceback" in line]

    @pytest.mark.parametrize(
        ("where", "error", "level"),
        [("refresh", InputError("several metrics"), "WARNING"), ("_prepare", ZeroDivisionError("a defect"), "ERROR")],
    )
    def test_a_trouble_that_lasts_is_one_line(
        self, board: LogBoard, where: str, error: Exception, level: str,
        monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        looks = []

        def fails(*_: object) -> bool:
            looks.append(1)
            raise error

        monkeypatch.setattr(board, where, fails)
        with serving(board):
            wait_until(lambda: len(looks) > 8)
        assert [record.levelname for record in caplog.records] == [level]

    def test_it_says_that_it_lives_while_a_page_is_computed(
        self, board: LogBoard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun, done = threading.Event(), threading.Event()

        def page(query: object) -> Page:
            begun.set()
            assert done.wait(60)
            raise InputError("nothing yet")

        monkeypatch.setattr(board, "page", page)
        with serving(board) as served, ThreadPoolExecutor(60) as pool:
            asked = [pool.submit(served.ask, path) for path in ("/", "/api/overview", "/metrics") * 20]
            assert begun.wait(30)
            for path in ("/healthz", "/static/page.js", "/static/style.css", "/nope"):
                assert served.ask(path).status in (200, 404)
            done.set()
            for each in asked:
                each.result()

    def test_a_port_in_use_is_an_error(self) -> None:
        with listen(ServeOptions(port=0)) as listener, pytest.raises(InputError, match="give another --port"):
            listen(ServeOptions(port=listener.getsockname()[1]))
