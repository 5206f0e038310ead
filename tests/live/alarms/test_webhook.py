"""Alarms over the network: a server that fails, hangs, leads elsewhere, hangs up or never stops talking."""

import pytest

from rlscale.errors import InputError
from rlscale.live.alarms import ONSET, AlarmEvent, webhook_address
from rlscale.live.alarms.webhook import Webhook, payload
from tests.live.alarms.hook import Hook, answer, hang, hang_up, huge, nonsense, ok
from tests.live.alarms.test_state import signal
from tests.waiting import LIMIT, wait_until

QUICK = (0.01, 0.01, 0.01)
EVENT = AlarmEvent(event=ONSET, signal=signal(), at=1.0)


def sending(hook, *, token=None, delays=QUICK, **more):
    return Webhook(webhook_address(hook.url, token), delays=delays, **more)


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize("fault", [answer(500), answer(503), answer(429, Retry_After="0"), hang_up, nonsense])
def test_a_server_that_fails_and_then_works_gets_the_alarm_once(fault):
    with Hook(fault, fault, ok) as hook:
        webhook = sending(hook)
        webhook.send(EVENT)
        wait_until(lambda: not webhook.busy)
        assert hook.events() == [("onset", "a", "truncation")]
        assert len(hook.requests) == 3
        assert (webhook.trouble(), webhook.close(LIMIT)) == ("", "")


def test_what_is_posted():
    with Hook() as hook:
        webhook = sending(hook, token="t0ken")
        webhook.send(EVENT)
        wait_until(lambda: hook.accepted)
        webhook.close(LIMIT)
    ((path, headers, body),) = hook.requests
    assert path == "/services/s3cret-path?key=s3cret-key"
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Content-Type"] == "application/json"
    assert body == payload(EVENT)
    assert body["text"] == "warn: a: truncation since 60 steps. 40 % are cut."
    assert (body["schema"], body["event"], body["kind"], body["run"]) == (1, "onset", "truncation", "a")


def test_no_name_of_a_run_calls_a_whole_channel():
    loud = AlarmEvent(event=ONSET, signal=signal(run="<!channel>&"), at=1.0)
    assert payload(loud)["text"].startswith("warn: &lt;!channel&gt;&amp;: truncation")
    assert payload(loud)["run"] == "<!channel>&"


def test_a_redirect_is_not_followed():
    with Hook() as other:
        for code in (301, 302, 303, 307, 308):
            with Hook(answer(code, Location=other.url)) as hook:
                webhook = sending(hook, token="t0ken")
                webhook.send(EVENT)
                wait_until(lambda webhook=webhook: not webhook.busy)
                assert f"HTTP {code}: it leads elsewhere" in webhook.trouble()
                assert "1 alarm was not sent" in webhook.trouble()
                assert len(hook.requests) == 1  # it would not lead elsewhere later
                webhook.close(LIMIT)
        assert other.requests == []


def test_a_server_that_hangs_is_given_up_and_what_waits_behind_it_is_sent():
    with Hook(hang, ok) as hook:
        webhook = sending(hook, timeout=2.0, delays=())
        webhook.send(EVENT)
        webhook.send(AlarmEvent(event=ONSET, signal=signal(run="b"), at=1.0))
        wait_until(lambda: hook.events() == [("onset", "b", "truncation")])
        wait_until(lambda: not webhook.busy)
        assert webhook.trouble().endswith("1 alarm was not sent")
        webhook.close(LIMIT)


def test_an_answer_without_an_end_is_not_read():
    with Hook(huge, huge, ok) as hook:
        webhook = sending(hook)
        for run in "abc":
            webhook.send(AlarmEvent(event=ONSET, signal=signal(run=run), at=1.0))
        wait_until(lambda: not webhook.busy)
        assert [run for _, run, _ in hook.events()] == ["a", "b", "c"]  # in their order
        webhook.close(LIMIT)


def test_an_address_that_refuses_is_not_asked_again_and_one_that_is_not_there_is():
    with Hook(answer(404)) as hook:
        webhook = sending(hook)
        webhook.send(EVENT)
        wait_until(lambda: not webhook.busy)
        assert len(hook.requests) == 1
        assert "HTTP 404: it takes no such alarm; check the address and the token" in webhook.close(LIMIT)
    gone = sending(hook, delays=(0.01,))  # nobody listens there now
    gone.send(EVENT)
    wait_until(lambda: not gone.busy)
    assert gone.trouble() == f"http://127.0.0.1:{hook.port}: Connection refused; 1 alarm was not sent"


def test_what_does_not_fit_the_queue_is_dropped_and_counted():
    with Hook(hang) as hook:
        webhook = sending(hook, timeout=LIMIT, room=3)
        webhook.send(EVENT)
        wait_until(lambda: hook.requests)  # it is under way, and three may wait
        for _ in range(9):
            webhook.send(EVENT)
        assert "at least 4 alarms were dropped: too many waited" in webhook.trouble()
        told = webhook.close(0.0)  # at once, whatever is under way
        assert "4 alarms were not sent" in told
        assert "6 alarms were dropped" in told


def test_the_end_waits_for_what_is_to_be_sent():
    with Hook(answer(500), ok) as hook:
        webhook = sending(hook)
        webhook.send(EVENT)
        assert webhook.close(LIMIT) == ""
        assert hook.events() == [("onset", "a", "truncation")]


def test_the_address_is_never_shown():
    with Hook(answer(500)) as hook:
        address = webhook_address(hook.url, "t0ken")
        webhook = Webhook(address, delays=())
        webhook.send(EVENT)
        wait_until(lambda: not webhook.busy)
        said = repr(address) + str(address) + webhook.trouble() + webhook.close(LIMIT)
    assert f"http://127.0.0.1:{hook.port}: HTTP 500" in said
    assert "s3cret" not in said
    assert "t0ken" not in said


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("ftp://h/s3cret", None, "--webhook is no http or https address; give https://HOST/PATH"),
        ("file:///s3cret", None, "--webhook is no http or https address"),
        ("s3cret", None, "--webhook is no http or https address"),
        ("https://[s3cret/", None, "--webhook is no address"),
        ("https://h:s3cret/", None, "--webhook is no address"),
        ("https://me:s3cret@h/", None, "--webhook holds a user or password; give the address without"),
        ("https://h/s3cret\r\nX: y", None, "--webhook holds spaces or characters that no address has"),
        ("http://example.org/s3cret", "s3cret", "RLSCALE_WEBHOOK_TOKEN would be sent to http://example.org for all"),
        ("https://h/", "s3cret\r\nX: y", "RLSCALE_WEBHOOK_TOKEN is no token"),
        ("https://h/", "", "RLSCALE_WEBHOOK_TOKEN is no token"),
    ],
)
def test_an_address_that_is_none_is_refused_without_being_shown(url, token, said):
    with pytest.raises(InputError) as raised:
        webhook_address(url, token)
    assert raised.value.on_command_line.startswith(said)
    assert "s3cret" not in raised.value.on_command_line
    assert raised.value.__cause__ is None


def test_addresses_of_this_machine_take_a_token_without_https():
    for url in ("http://127.0.0.1:5/", "http://localhost/x", "http://[::1]:5/x", "https://h.example/x"):
        assert webhook_address(url, "t").token == "t"
    assert webhook_address("http://[::1]:5/x").host == "http://[::1]:5"
