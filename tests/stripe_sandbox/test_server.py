"""The program: started, asked by many at once, stopped, killed and started again."""

from __future__ import annotations

import http.client
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import stripe

from stripe_sandbox.loopback import NotLoopbackError
from stripe_sandbox.server import running
from tests.stripe_sandbox.browser import visit
from tests.stripe_sandbox.conftest import KEY, client_of
from tests.stripe_sandbox.ears import SECRET, Ears
from tests.stripe_sandbox.waiting import until

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the program on a free port and yield it with its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stripe_sandbox", "--port", "0", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline().strip()
        assert line.startswith("stripe_sandbox ready on http://127.0.0.1:")
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.sqlite3"))
    with program(*state) as (process, url):
        assert visit(f"{url}/_control/health").status == 200
        api = client_of(url).v1
        alice = api.customers.create({}, {"idempotency_key": "k"})
        api.payment_methods.attach("pm_card_visa", {"customer": alice.id})
        process.send_signal(signal.SIGKILL)
        process.wait()

    with program(*state) as (process, url):
        api = client_of(url).v1
        assert api.customers.create({}, {"idempotency_key": "k"}).id == alice.id
        method = api.customers.payment_methods.list(alice.id).data[0]
        paid = api.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "customer": alice.id,
                "payment_method": method.id,
                "payment_method_types": ["card"],
                "off_session": True,
                "confirm": True,
            }
        )
        assert paid.status == "succeeded"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_two_seconds_whoever_is_connected(number: int) -> None:
    with program() as (process, url):
        open_connection = http.client.HTTPConnection(urlsplit(url).netloc)
        open_connection.request("GET", "/_control/health")
        open_connection.getresponse().read()
        started = time.monotonic()
        process.send_signal(number)

        assert process.wait(timeout=2) == 0
        assert time.monotonic() - started < 2
        open_connection.close()


def test_the_command_line_gives_an_endpoint_with_a_known_secret(ears: Ears) -> None:
    arguments = ("--webhook-url", ears.url, "--webhook-secret", SECRET)
    with program(*arguments, "--public-url", "http://localhost:9/") as (_, url):
        api = client_of(url).v1
        api.customers.create({})
        session = api.checkout.sessions.create(
            {"mode": "setup", "currency": "usd", "success_url": "http://shop.test/"}
        )
        until(lambda: "setup_intent.created" in ears.types)

    assert str(session.url).startswith("http://localhost:9/c/pay/cs_test_")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "loopback only"),  # noqa: S104 - what must not be
        (["--host", "192.0.2.1"], "loopback only"),
        (["--webhook-url", "http://127.0.0.1:1/"], "go together"),
        (["--state", "/nowhere/at/all/state.sqlite3"], "unable to open"),
    ],
)
def test_it_refuses_what_it_should_not_do(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from stripe_sandbox.__main__ import main

    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_state_file_of_another_layout_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version=999")
    other.close()

    with pytest.raises(sqlite3.DatabaseError, match="layout 999"), running(state=str(path)):
        pass


def test_a_library_user_is_refused_too() -> None:
    with pytest.raises(NotLoopbackError), running(host="0.0.0.0"):  # noqa: S104
        pass


def test_many_clients_at_once_do_not_disturb_each_other(url: str) -> None:
    api = client_of(url).v1

    def work(at: int) -> tuple[str, str]:
        customer = api.customers.create({"metadata": {"at": str(at)}})
        method = api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        paid = api.payment_intents.create(
            {
                "amount": 500 + at,
                "currency": "usd",
                "customer": customer.id,
                "payment_method": method.id,
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )
        return str(paid.customer), customer.id

    with ThreadPoolExecutor(12) as pool:
        done = list(pool.map(work, range(60)))

    assert all(mine == theirs for mine, theirs in done)
    amounts = sorted(
        charge.amount for charge in api.charges.list({"limit": 100}).auto_paging_iter()
    )
    assert amounts == [500 + at for at in range(60)]


def test_a_connection_serves_many_requests(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"Authorization": f"Bearer {KEY}"}
    for method, path, body, status in (
        ("GET", "/v1/customers?limit=1", None, 200),
        ("POST", "/v1/customers", "metadata[a]=b", 200),
        ("POST", "/v1/customers?expand[]=test_clock", "name=x", 200),
        ("POST", "/v1/nothing", "a=b", 404),
        ("HEAD", "/", None, 200),
        ("DELETE", "/v1/customers/cus_0", None, 404),
    ):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert (method, path, answer.status) == (method, path, status)
        assert connection.sock is not None
    connection.close()


def test_a_hostile_name_for_loopback_is_refused(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", "/_control/requests", headers={"Host": "evil.test"})

    assert connection.getresponse().status == 403
    connection.close()


def test_a_body_has_its_limit(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.putrequest("POST", "/v1/customers")
    connection.putheader("Content-Length", "10000000")
    connection.endheaders()

    assert connection.getresponse().status == 413
    connection.close()


def test_nothing_is_left_running(tmp_path: Path) -> None:
    def loose() -> int:
        return threading.active_count()

    before = loose()
    for _ in range(3):
        with running(state=str(tmp_path / "s.sqlite3")) as url:
            client_of(url).v1.customers.create({})
    until(lambda: loose() <= before)


def test_stripe_clients_of_old_and_new_style_both_work(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe, "api_base", url)
    monkeypatch.setattr(stripe, "api_key", KEY)
    monkeypatch.setattr(stripe, "default_http_client", stripe.RequestsClient())

    customer = stripe.Customer.create(name="Alice")
    customer = stripe.Customer.modify(customer.id, name="Alicia")

    assert stripe.Customer.retrieve(customer.id).name == "Alicia"
    assert customer.delete().deleted is True
