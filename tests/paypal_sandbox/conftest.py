"""A stand-in per test, in the same process, and a client that has a token."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from paypal_sandbox.core import Options, Sandbox
from tests.paypal_sandbox.ears import Ears, listening

WHOLE = {"Prefer": "return=representation"}
BASIC = {"Authorization": f"Basic {base64.b64encode(b'client:secret').decode()}"}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Heard:
    """An answer."""

    status: int
    raw: bytes
    headers: dict[str, str]

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def issue(self) -> str:
        return str(self.body["details"][0]["issue"])


class Client:
    """Asks in JSON, with a token; `ask` says everything, the rest are short ways to say it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.token = self.ask(
            "POST", "/v1/oauth2/token", b"grant_type=client_credentials", BASIC
        ).body["access_token"]
        self.asked = 0

    def ask(
        self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Heard:
        if isinstance(body, bytes):
            raw = body
        else:
            raw = b"" if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"}
        if not target.startswith("/v1/oauth2"):
            sent["Authorization"] = f"Bearer {self.token}"
        answer = self.sandbox.handle(method, target, raw, sent | (headers or {}))
        return Heard(answer.status, answer.body, dict(answer.headers))

    def get(self, target: str) -> Any:
        answer = self.ask("GET", target)
        assert answer.status == 200, answer.raw
        return answer.body

    def pay(self, vault_id: str = "vault_good", value: str = "10.00", **unit: Any) -> Heard:
        """Pay, under a request id of its own unless there is one among `unit`."""
        self.asked += 1
        request_id = unit.pop("request_id", f"pay-{self.asked}")
        currency = unit.pop("currency", "USD")
        wish = {
            "intent": "CAPTURE",
            "purchase_units": [{"amount": {"currency_code": currency, "value": value}} | unit],
            "payment_source": {"paypal": {"vault_id": vault_id}},
        }
        headers = WHOLE | ({"PayPal-Request-Id": request_id} if request_id else {})
        return self.ask("POST", "/v2/checkout/orders", wish, headers)

    def captured(self, vault_id: str = "vault_good", value: str = "10.00", **unit: Any) -> Any:
        """Pay, and return the capture."""
        answer = self.pay(vault_id, value, **unit)
        assert answer.status == 201, answer.raw
        return answer.body["purchase_units"][0]["payments"]["captures"][0]

    def refund(self, capture: Any, value: str | None = None, **more: Any) -> Heard:
        amount = {"currency_code": more.pop("currency", "USD"), "value": value}
        wish = more | ({"amount": amount} if value else {})
        return self.ask("POST", f"/v2/payments/captures/{capture['id']}/refund", wish, WHOLE)

    def control(self, method: str, name: str, /, **wish: Any) -> Any:
        answer = self.ask(method, f"/_control/{name}", wish or None)
        assert answer.status == 200, answer.raw
        return answer.body

    @property
    def events(self) -> list[str]:
        """What was told, oldest first."""
        found = self.get("/v1/notifications/webhooks-events?page_size=100")["events"]
        return [event["event_type"] for event in reversed(found)]

    def event(self, event_type: str) -> Any:
        """The last event of a type."""
        path = f"/v1/notifications/webhooks-events?event_type={event_type}"
        return self.get(path)["events"][0]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ears() -> Iterator[Ears]:
    with listening() as ears:
        yield ears


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    sandbox = Sandbox(clock=clock)
    yield sandbox
    sandbox.close()


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)


@pytest.fixture
def telling(clock: Clock, ears: Ears) -> Iterator[Client]:
    """A client of a stand-in that tells `ears` of everything, when drained."""
    options = Options(webhook_url=ears.url, webhook_id=ears.webhook_id)
    sandbox = Sandbox(":memory:", options, clock=clock)
    ears.certificate = sandbox.state.signer.certificate
    yield Client(sandbox)
    sandbox.close()
