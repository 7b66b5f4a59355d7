"""The program: started, asked by many at once, killed and started again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from paypal_sandbox.__main__ import main
from paypal_sandbox.server import running
from stripe_sandbox.loopback import NotLoopbackError
from tests.paypal_sandbox.conftest import BASIC

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the program on a free port and yield it with its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "paypal_sandbox", "--port", "0", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline().strip()
        assert line.startswith("paypal_sandbox ready on http://127.0.0.1:")
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def token_of(url: str) -> str:
    answer = requests.post(
        f"{url}/v1/oauth2/token", {"grant_type": "client_credentials"}, headers=BASIC, timeout=10
    )
    return str(answer.json()["access_token"])


def pay(url: str, token: str, request_id: str) -> Any:
    wish = {
        "intent": "CAPTURE",
        "purchase_units": [{"amount": {"currency_code": "USD", "value": "10.00"}}],
        "payment_source": {"paypal": {"vault_id": "vault_good"}},
    }
    headers = {"Authorization": f"Bearer {token}", "PayPal-Request-Id": request_id}
    return requests.post(f"{url}/v2/checkout/orders", json=wish, headers=headers, timeout=10)


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.sqlite3"))
    with program(*state) as (process, url):
        token = token_of(url)
        order = pay(url, token, "a").json()
        process.send_signal(signal.SIGKILL)
        process.wait()

    with program(*state, "--public-url", "http://localhost:9/") as (process, url):
        again = pay(url, token, "a")
        assert (again.status_code, again.json()["id"]) == (200, order["id"])
        assert again.json()["links"][0]["href"].startswith("http://localhost:9/v2/")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=2) == 0


def test_many_clients_at_once_do_not_disturb_each_other() -> None:
    with running() as url, ThreadPoolExecutor(8) as pool:
        token = token_of(url)
        found = list(pool.map(lambda at: pay(url, token, f"r-{at % 20}"), range(40)))
        paid = [one.json()["id"] for one in found if one.status_code in (200, 201)]

    assert {one.status_code for one in found} <= {200, 201, 409}
    assert len(set(paid)) == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "loopback only"),  # noqa: S104 - what must not be
        (["--webhook-url", "http://127.0.0.1:1/"], "--webhook-url and --webhook-id go together"),
        (["--client-id", "a"], "go together"),
        (["--state", "/nowhere/at/all/state.sqlite3"], "unable to open"),
    ],
)
def test_it_refuses_what_it_should_not_do(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_library_user_is_refused_too() -> None:
    with pytest.raises(NotLoopbackError), running(host="0.0.0.0"):  # noqa: S104
        pass


def test_a_hostile_name_for_loopback_is_refused() -> None:
    with running() as url:
        answer = requests.get(f"{url}/_control/requests", headers={"Host": "evil.test"}, timeout=10)

    assert answer.status_code == 403
