"""Gateways in the admin: how they are set, how their calls went, what they told."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing import tasks
from billing.models import GatewayCall, GatewayEvent, GatewayRoute, JournalEntry
from billing.models.gateway import CallOutcome
from billing.services import routes
from customers.models import Customer, User
from tests.admin.conftest import signed_in
from tests.admin.pressing import text_of
from tests.admin.test_actions import act
from tests.admin.urls_of import action, change, changelist
from tests.services.returning import pays
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def route(db: None) -> GatewayRoute:
    """The sandbox's, as it declares itself."""
    return routes.row("sandbox")


@pytest.fixture
def carol(world: World) -> Customer:
    """A customer who pays by card."""
    return world.at("2026-04-01").customer("carol")


def filled(route: GatewayRoute, **entered: object) -> dict[str, object]:
    """The form as it is opened, but for what is entered."""
    usual = {"is_enabled": "on", "priority": "90", "weight": "1", "version": str(route.version)}
    return {**usual, **entered}


def test_the_list_has_every_gateway_that_is_configured(operator: Client) -> None:
    assert not GatewayRoute.objects.exists()

    page = text_of(operator.get(changelist(GatewayRoute)).content)

    found = dict(GatewayRoute.objects.values_list("name", "is_enabled"))
    assert found == {gateway.name: row.is_enabled for gateway, row in routes.listed()}
    assert {"sandbox", "stripe", "bank_transfer"} <= found.keys()
    assert "Bank transfer" in page
    assert "all it takes" in page


def test_a_gateway_is_set_by_its_service(route: GatewayRoute, operator: Client) -> None:
    entered = filled(route, currencies="eur, usd,EUR", countries="de", methods=["card"], weight="3")

    assert operator.post(change(route), entered, follow=True).redirect_chain

    route.refresh_from_db()
    me = User.objects.get(email="root@example.org")
    assert (route.currencies, route.countries, route.methods) == (["EUR", "USD"], ["DE"], ["card"])
    assert (route.weight, route.updated_by, route.version) == (3, f"user:{me.pk}", 2)
    said = JournalEntry.objects.get(kind="GATEWAY_CHANGED").context
    assert said["before"] == {"weight": 1, "currencies": [], "countries": [], "methods": []}
    page = text_of(operator.get(change(route)).content)
    assert "currencies: EUR, USD" in page
    assert f"user:{me.pk}" in page


def test_saving_what_is_there_changes_nothing(route: GatewayRoute, operator: Client) -> None:
    assert operator.post(change(route), filled(route), follow=True).redirect_chain

    route.refresh_from_db()
    assert (route.version, route.updated_at) == (1, None)


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"currencies": "EUR, XXQ"}, "There is no XXQ."),
        ({"countries": "ZZ"}, "There is no ZZ."),
        ({"methods": ["pix"]}, "Select a valid choice. pix is not one of the available choices."),
        ({"weight": "0"}, "A weight is at least 1."),
    ],
)
def test_what_makes_no_sense_is_shown_at_its_field(
    route: GatewayRoute, operator: Client, entered: dict[str, object], sentence: str
) -> None:
    answer = operator.post(change(route), filled(route, **entered))

    assert answer.status_code == 200
    assert sentence in text_of(answer.content)
    route.refresh_from_db()
    assert route.version == 1


def test_what_somebody_else_changed_is_not_overwritten(
    route: GatewayRoute, operator: Client
) -> None:
    entered = filled(route, priority="5")
    act(operator, route, "switch_off")

    answer = operator.post(change(route), entered, follow=True)

    assert "It was changed by someone else." in text_of(answer.content)
    route.refresh_from_db()
    assert (route.priority, route.is_enabled) == (90, False)


def test_a_gateway_is_switched_off_and_on(route: GatewayRoute, operator: Client) -> None:
    assert act(operator, route, "switch_off") == ["Sandbox is switched off."]
    page = operator.get(change(route)).content.decode()
    assert action(route, "switch_on") in page
    assert action(route, "switch_off") not in page
    assert act(operator, route, "switch_on") == ["Sandbox is switched on."]
    route.refresh_from_db()
    assert (route.is_enabled, route.version) == (True, 3)


def test_who_may_only_look_sees_all_and_sets_nothing(route: GatewayRoute, guest: Client) -> None:
    clerk = User.objects.create_user("clerk@example.org", "secret", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_gatewayroute"))
    browser = signed_in(clerk)

    page = text_of(browser.get(change(route)).content)

    assert "Breaker" in page
    assert browser.post(change(route), filled(route, priority="1")).status_code == 403
    for who in (browser, guest):
        pressed = who.post(action(route, "switch_off"), {"_form_submitted": "on"})
        assert pressed.status_code == 403
    route.refresh_from_db()
    assert route.is_enabled


def test_a_breaker_that_is_open_is_seen(world: World, carol: Customer, operator: Client) -> None:
    world.adds_card(carol)
    GatewayRoute.objects.update_or_create(
        name="sandbox", defaults={"failures": 7, "opened_at": world.now, "probe_at": world.now}
    )

    listed = operator.get(f"{changelist(GatewayRoute)}?opened_at__isempty=0")

    assert listed.context["cl"].result_count == 1
    assert "open since 2026-04-01 00:00" in text_of(listed.content)


def test_money_is_taken_over_at_once(
    operator: Client, route: GatewayRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(tasks, "soon", lambda task, **_: asked.append(task))
    stripe = routes.row("stripe")

    assert action(route, "take_over") not in operator.get(change(route)).content.decode()
    assert act(operator, stripe, "take_over") == ["Fees and payouts are being taken over."]
    assert asked == [tasks.take_over_settlements]


def test_calls_lead_to_what_they_were_about(
    world: World, carol: Customer, operator: Client, route: GatewayRoute
) -> None:
    attempt = pays(world, carol, "100.00").attempts.get()
    call = GatewayCall.objects.get(reference=str(attempt.pk))
    GatewayCall.objects.create(
        gateway="sandbox",
        verb="report",
        outcome=CallOutcome.REFUSED,
        took_ms=3,
        called_at=world.now,
    )

    query = f"?q={attempt.pk}&gateway=sandbox&outcome__exact=ANSWERED&verb=charge"
    listed = operator.get(f"{changelist(GatewayCall)}{query}")

    assert [row.pk for row in listed.context["cl"].result_list] == [call.pk]
    for address in (changelist(GatewayCall), change(call), change(route)):
        assert change(attempt) in operator.get(address).content.decode()
    assert change(call) in operator.get(change(attempt)).content.decode()


def test_notifications_are_counted_by_their_kind(world: World, operator: Client) -> None:
    world.at("2026-04-01")
    for n, (kind, outcome) in enumerate(
        [("a.known", "attempt succeeded"), ("an.unknown", "nothing to do"), ("an.unknown", "")]
    ):
        GatewayEvent.objects.create(
            gateway="stripe",
            event_id=f"evt_{n}",
            kind=kind,
            object_type="x",
            object_id="x",
            occurred_at=world.now,
            received_at=world.now,
            handled_at=world.now if outcome else None,
            outcome=outcome,
        )

    page = operator.get(changelist(GatewayEvent))

    assert "stripe an.unknown 2 1 0 1 2026-04-01 00:00" in text_of(page.content)
    one = operator.get(f"{changelist(GatewayEvent)}?gateway=stripe&kind__exact=an.unknown")
    assert one.context["cl"].result_count == 2
