"""What is announced of what happens: all of it, as it is documented, and nothing personal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from billing.core import event_pages
from billing.core.event_types import TYPES
from billing.models import Delivery, Invoice, OutgoingEvent
from billing.services import invoices, journal, outgoing, webhook_endpoints
from billing.services.journal import Fact
from customers.models import Customer
from tests.outgoing import stories
from tests.outgoing.conftest import ALICES, happens, listens
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://a.example/hooks"


def told(type_: str) -> list[dict[str, Any]]:
    """The data of every event of a type, in order."""
    rows = OutgoingEvent.objects.filter(type=type_).order_by("position")
    return [json.loads(row.body)["data"] for row in rows]


def test_everything_is_told_as_it_is_documented_and_names_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.at("2026-04-01")
    endpoint = listens(URL, now=world.now)
    webhook_endpoints.send_test(endpoint.pk, now=world.now)

    stories.all_of(world, monkeypatch)

    seen = set()
    checks = {name: Draft202012Validator(event_pages.schema(TYPES[name])) for name in TYPES}
    for row in OutgoingEvent.objects.order_by("position"):
        said = json.loads(row.body)
        faults = [fault.message for fault in checks[row.type].iter_errors(said)]
        assert faults == [], said
        assert (said["id"], said["type"]) == (str(row.pk), row.type)
        assert said["data"]["customer"] == (row.customer_id and str(row.customer_id))
        seen.add(row.type)
    assert set(TYPES) - seen == set()
    bodies = "\n".join(OutgoingEvent.objects.values_list("body", flat=True))
    for word in (
        "Zq7",
        "Liddell",
        "example.org",
        "Rabbit",
        "Oxford",
        "7946 0999",
        "79460999",
        "olga",
    ):
        assert word not in bodies, word
    assert Delivery.objects.count() == OutgoingEvent.objects.count()


def test_what_is_undone_was_never_told(alice: Customer, world: World) -> None:
    listens(URL, now=world.at("2026-04-01").now)
    invoice = world.drafts(alice, "5.00")
    assert OutgoingEvent.objects.get().type == "invoice.created"

    with transaction.atomic():
        invoices.finalize([invoice], now=world.now)
        assert OutgoingEvent.objects.count() == 2
        transaction.set_rollback(True)

    assert OutgoingEvent.objects.count() == Delivery.objects.count() == 1
    invoices.issue(invoice.pk, now=world.now)
    invoice.refresh_from_db()
    [finalized] = told("invoice.finalized")
    assert finalized == {
        "object": "invoice",
        "id": str(invoice.pk),
        "customer": str(alice.pk),
        "number": invoice.number,
        "status": "pending",
        "purpose": "sale",
        "subtotal": "5.00",
        "discount": "0.00",
        "tax": "0.00",
        "total": "5.00",
        "currency": "USD",
        "due_at": "2026-04-15T00:00:00Z",
        "period_start": None,
        "period_end": None,
        "subscription": None,
        "url": f"/api/v1/invoices/{invoice.pk}",
    }


def test_where_nobody_listens_it_costs_one_small_question(alice: Customer, world: World) -> None:
    fact = Fact("SUBSCRIPTION_PAUSED", "a", alice.pk, world.at("2026-04-01").now, {})
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        journal.post(fact)
    about = [query["sql"] for query in queries if "webhookendpoint" in query["sql"]]
    assert len(about) == 1
    assert not any("outgoing" in query["sql"] for query in queries)

    endpoint = listens(URL, "refund.*", now=world.now)
    happens(alice, ALICES)  # it does not listen to that
    webhook_endpoints.update(endpoint.pk, {"is_enabled": False}, by="test", now=world.now)
    happens(alice, ALICES, type_="refund.created")

    assert not OutgoingEvent.objects.exists()


def test_each_is_told_what_it_listens_to(alice: Customer, world: World) -> None:
    now = world.at("2026-04-01").now
    names = {
        listens(URL, *types, now=now).pk: types
        for types in ((), ("payment_method.*",), ("payment_method.removed", "invoice.*"))
    }

    happens(alice, ALICES)
    happens(alice, ALICES, type_="payment_method.removed")

    found = [
        (row.event.type, names[row.endpoint_id])
        for row in Delivery.objects.select_related("event").order_by("position", "endpoint")
    ]
    assert sorted(found) == [
        ("payment_method.added", ()),
        ("payment_method.added", ("payment_method.*",)),
        ("payment_method.removed", ()),
        ("payment_method.removed", ("payment_method.*",)),
        ("payment_method.removed", ("payment_method.removed", "invoice.*")),
    ]


def test_a_billing_run_tells_of_every_invoice_in_few_statements(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Start", "10.00")
    people = [world.customer(f"company-{number}") for number in range(5)]
    for person in people:
        world.adds_card(person)
        world.subscribes(person, "Start")
    listens(URL, "invoice.finalized", "invoice.created", now=world.now)

    with CaptureQueriesContext(connection) as queries:
        world.at("2026-05-02")

    finalized = told("invoice.finalized")
    assert {row["customer"] for row in finalized} == {str(person.pk) for person in people}
    assert {row["total"] for row in finalized} == {"10.00"}
    assert {row["period_start"] for row in finalized} == {"2026-05-01T00:00:00Z"}
    assert {row["id"] for row in finalized} == {row["id"] for row in told("invoice.created")}
    copied = [query["sql"] for query in queries if "outgoing" in query["sql"]]
    assert len(copied) == 4  # two of each table: what is written, and what is finalized
    for row in finalized:
        mine = Delivery.objects.filter(object_id=row["id"]).order_by("position")
        assert [each.event.type for each in mine] == ["invoice.created", "invoice.finalized"]
    assert Invoice.objects.filter(pk__in=[row["id"] for row in finalized]).count() == len(people)


def test_a_charge_that_fails_is_told_of_the_charge_and_of_its_invoice(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice, "tok_declined")
    listens(URL, now=world.now)
    invoice = world.drafts(alice, "5.00")
    attempt = world.charges(invoice)

    world.settles()

    [failed], [of_invoice] = told("payment.failed"), told("invoice.payment_failed")
    assert (failed["object"], failed["id"]) == ("charge", str(attempt.pk))
    assert (failed["invoice"], failed["amount"], failed["status"]) == (
        str(invoice.pk),
        "5.00",
        "failed",
    )
    assert failed["code"]
    assert (of_invoice["id"], of_invoice["status"]) == (str(invoice.pk), "charged_with_error")
    assert of_invoice["next_charge_at"] == failed["next_charge_at"] == "2026-04-02T00:00:00Z"


def test_what_is_no_type_or_no_field_of_it_is_a_mistake_of_ours(alice: Customer) -> None:
    listens(URL, now=alice.created_at)

    def announce(type_: str, **data: Any) -> None:
        outgoing.announce(
            type_,
            customer_id=alice.pk,
            object_kind="customer",
            object_id=alice.pk,
            data=data,
            at=alice.created_at,
        )

    for type_, data in (("customer.born", {}), ("customer.created", {"email": "a@b.example"})):
        with pytest.raises(ValueError, match="event_types"), transaction.atomic():
            announce(type_, **data)
    with pytest.raises(RuntimeError, match="transaction"):
        announce("customer.created")


def test_what_was_written_is_never_rewritten(alice: Customer) -> None:
    listens(URL, now=alice.created_at)
    happens(alice, ALICES)

    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        OutgoingEvent.objects.update(body="{}")
