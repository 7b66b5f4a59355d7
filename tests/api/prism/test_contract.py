"""Every command of the contract's document, sent as it stands there; every answer as shown there.

The clock stands where the document's clock stood, so that its instants come out, too. Only the
host, the token, placeholders and ids are put in, and only what names things is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from pytest_django.live_server_helper import LiveServer

from billing import clock
from billing.models import GatewayCustomer
from billing.services import tokens
from tests.api.calling import Caller
from tests.api.prism.document import SLIPS, TEXT, Answer, Command, commands

pytestmark = pytest.mark.django_db(transaction=True)

COMMANDS: Final = list(commands())
CUSTOMER: Final = "c384217c-1431-4a3a-a6d2-90737845056d"
# The document's examples speak of other plans and organizations than its answers.
PLAN: Final = "8b131663-058d-4e8f-8ccb-cc83c3f9e694"
ORGANIZATION: Final = "1b849a99-cef7-42f5-a7f4-e00b1f439e08"
NEW_ORGANIZATION: Final = "8b131663-058d-4e8f-8ccb-cc83c3f9e694"
_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z")


class Operator(Caller):
    """Who prepares what the document takes for granted, at the time of its answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        _, text = tokens.issue("unknown user", now=clock.now())
        super().__init__(text)

    def at(self, instant: str) -> Operator:
        """It is then."""
        now = datetime.fromisoformat(_normal(instant))
        self._patch.setattr(clock, "now", lambda: now)
        return self

    def makes(self, path: str, body: Any) -> dict[str, Any]:
        """Something new."""
        answer = self.post(path, body)
        assert answer.status == 201, answer.body
        made: dict[str, Any] = answer.body
        return made

    def makes_plan(self, plan: dict[str, Any]) -> str:
        """A plan of the document's; its id."""
        told = ("created_by", "created_at", "updated_by", "updated_at")
        fields = {name: value for name, value in plan.items() if name not in ("id", *told)}
        return str(self.makes("/billing/plans", fields)["id"])

    def makes_customer(self, shown: dict[str, Any], organization_id: str) -> str:
        """The customer of an answer, whom Stripe knows; their id."""
        body = {"organization_id": organization_id, **shown["details"]}
        made = self.at(shown["created_at"]).makes("/billing/customer", body)
        GatewayCustomer.objects.create(
            customer_id=made["id"], gateway="stripe", external_id=shown["pa_customer_id"]
        )
        return str(made["id"])

    def makes_payer(self, shown: dict[str, Any]) -> tuple[str, str]:
        """A customer with a card, and with credit: an active plan, paid, and no amount was due."""
        plan = shown["plan"]
        customer_id = self.makes_customer(shown, shown["organization_id"])
        credit = {"amount": f"{plan['amount']}.00", "currency": plan["currency"]}
        self.makes(f"/customers/{customer_id}/credits", credit)
        card = {"customer": customer_id, "gateway": "sandbox", "token": "tok_ok"}
        self.makes("/payment-methods", card)
        plan_id = self.makes_plan(plan)
        self.at(shown["subscription"]["CreatedAt"])
        return customer_id, plan_id


@dataclass(frozen=True)
class Story:
    """What is there before a command, what stands for what in it, what is not foretold.

    :param free: paths of the answer at which only the type is compared.
    :param instead: what the document's answer says wrongly → what follows from its request.
    """

    values: dict[str, str]
    free: tuple[str, ...]
    instead: dict[str, Any]


Told = Callable[[Operator, Command], Story]
_NAMED: Final = ("created_by", "pa_customer_id")
_NEW: Final = ("sub_id", "subscription.ID", "subscription.PASubID")
_INVOICE: Final = tuple(
    f"subscription.LatestInvoice.{name}" for name in ("id", "hosted_invoice_url", "pdf")
)


def four_plans(operator: Operator, command: Command) -> Story:
    """The two that are shown, and the two that are not."""
    shown = command.answer.body["plans"]
    for plan in shown:
        operator.at(plan["created_at"]).makes_plan(plan)
    unseen = [{**shown[-1], "name": name} for name in ("Plan5", "Plan6")]
    for plan in unseen:
        operator.makes_plan(plan)
    return Story({}, ("plans.id", "plans.created_by"), {"plans": [*shown, *unseen]})


def nobody(operator: Operator, command: Command) -> Story:
    """A new customer; the answer shows another organization than the example asks for."""
    shown = command.answer.body
    operator.at(shown["created_at"])
    values = _typed(shown["details"]) | {"<organization_id>": NEW_ORGANIZATION}
    return Story(values, ("id", *_NAMED), {"organization_id": NEW_ORGANIZATION})


def a_customer(operator: Operator, command: Command) -> Story:
    """One who is changed, which the document's answer does not show."""
    shown = command.answer.body
    customer_id = operator.makes_customer(shown, shown["organization_id"])
    values = {CUSTOMER: customer_id, **_typed(shown["details"])}
    changed = command.filled({"<user_token>": "", **values}).fields
    return Story(
        values,
        ("created_by", "updated_by", "updated_at"),
        {"id": customer_id, "details": {**shown["details"], **changed}},
    )


def a_payer(operator: Operator, command: Command) -> Story:
    """A customer with a card and a plan to choose; the example names another plan."""
    shown = command.answer.body
    customer_id, plan_id = operator.makes_payer(shown)
    values = {CUSTOMER: customer_id, "<org_id>": shown["organization_id"]}
    values |= {PLAN: plan_id, "<plan_id>": plan_id}
    return _subscribed(shown, customer_id, plan_id, values)


def a_subscriber(operator: Operator, command: Command) -> Story:
    """A customer on that plan; the example names another organization."""
    shown = command.answer.body
    customer_id, plan_id = operator.makes_payer(shown)
    operator.makes(f"/billing/customer/{customer_id}/subscription", {"plan_id": plan_id})
    values = dict.fromkeys((ORGANIZATION, "<org-id>"), str(shown["organization_id"]))
    return _subscribed(shown, customer_id, plan_id, values)


STORIES: Final[dict[str, Told]] = {
    r"GET /billing/plans": four_plans,
    r"POST /billing/customer": nobody,
    r"PATCH /billing/(organization/)?customer/[^/]+": a_customer,
    r"POST /billing/customer/[^/]+/subscription": a_payer,
    r"GET /billing/organization/[^/]+": a_subscriber,
}


@pytest.mark.parametrize(
    "command",
    [pytest.param(command, id=f"{command.line} {command.method}") for command in COMMANDS],
)
def test_a_command_is_answered_as_the_document_shows(
    command: Command, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = Operator(monkeypatch)
    called = f"{command.method} {command.path}"
    [told] = [told for form, told in STORIES.items() if re.fullmatch(form, called)]
    story = told(operator, command)
    sent = command.filled({"<user_token>": str(operator.token), **story.values})

    answer, raw = sent.sent_to(live_server.url.removeprefix("http://"))

    assert answer.status == command.answer.status, answer.body
    _assert_headers(command.answer, answer, raw)
    shown = command.answer.body | story.instead
    assert _differences(shown, answer.body, story.free) == []
    _assert_named(answer.body)


def test_no_command_is_left_out() -> None:
    assert len(COMMANDS) == TEXT.count("curl") == 10
    assert len({id(command.answer) for command in COMMANDS}) == TEXT.count("HTTP/1.1") == 5
    assert [TEXT.count(slip) for slip in SLIPS] == [1] * len(SLIPS)


@pytest.mark.parametrize("slip", [slip for slip in SLIPS if slip.endswith(",\n}")])
def test_the_documents_trailing_commas_are_a_clear_fault(slip: str, operator: Caller) -> None:
    start = TEXT.rindex("{\n", 0, TEXT.index(slip))
    body = TEXT[start : TEXT.index("}", start) + 1]

    answer = operator.post("/billing/customer/anybody/subscription", body)

    assert (answer.status, answer.code) == (400, "malformed_json")
    assert "at line" in answer.body["detail"]


def _subscribed(
    shown: dict[str, Any], customer_id: str, plan_id: str, values: dict[str, str]
) -> Story:
    """Our ids in the place of the document's, wherever its answer has them."""
    subscription = shown["subscription"]
    instead = {
        "id": customer_id,
        "plan_id": plan_id,
        "plan": {**shown["plan"], "id": plan_id},
        "subscription": {**subscription, "Plan": {**subscription["Plan"], "id": plan_id}},
    }
    return Story(values, ("created_by", *_NEW, *_INVOICE), instead)


def _typed(details: dict[str, str]) -> dict[str, str]:
    return {f"<{name}>": value for name, value in details.items()}


def _differences(shown: Any, answered: Any, free: tuple[str, ...], path: str = "") -> list[str]:
    """Where an answer has another name, order, type or value than the document."""
    if type(shown) is not type(answered):
        return [f"{path}: {shown!r} is another type than {answered!r}"]
    if isinstance(shown, dict):
        if list(shown) != list(answered):
            return [f"{path}: {list(shown)} ≠ {list(answered)}"]
        return [
            at
            for name, value in shown.items()
            for at in _differences(value, answered[name], free, f"{path}.{name}".strip("."))
        ]
    if isinstance(shown, list):
        if len(shown) != len(answered):
            return [f"{path}: {len(answered)} instead of {len(shown)}"]
        items = zip(shown, answered, strict=True)
        return [at for one, other in items for at in _differences(one, other, free, path)]
    is_same = path in free or _normal(shown) == _normal(answered)
    return [] if is_same else [f"{path}: {shown!r} ≠ {answered!r}"]


def _normal(value: Any) -> Any:
    """An instant to the microsecond, which is what PostgreSQL keeps of the document's."""
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    return value if found is None else f"{found[1]}.{(found[2] or '').ljust(6, '0')[:6]}Z"


def _assert_headers(shown: Answer, answered: Answer, raw: bytes) -> None:
    """Those that the document shows; of an answer's length, that it is true."""
    answered_names = {name.lower() for name in answered.headers}
    assert {name.lower() for name in shown.headers} <= answered_names
    assert {"Content-Type", "Date", "Content-Length"} <= set(shown.headers)
    assert answered.headers["Content-Type"] == shown.headers["Content-Type"]
    assert answered.headers["Content-Length"] == str(len(raw))
    assert answered.headers["Date"]
    assert answered.status != "302 Found" or answered.headers["Location"]


def _assert_named(body: dict[str, Any]) -> None:
    """What is ours to name: ids that agree with each other, addresses that lead to them."""
    for plan in body.get("plans", []):
        assert str(UUID(plan["id"])) == plan["id"]
    subscription = body.get("subscription", {"ID": ""})
    if subscription["ID"]:
        assert body["sub_id"] == subscription["ID"] == subscription["PASubID"]
        invoice = subscription["LatestInvoice"]
        invoice_id = UUID(invoice["id"])
        assert invoice["hosted_invoice_url"].endswith(f"/billing/invoices/{invoice_id}/")
        assert invoice["pdf"].endswith(f"/api/v1/invoices/{invoice_id}/pdf")
        assert invoice["total"] == Decimal(body["plan"]["amount"])
