"""Payment methods: off to the gateway's page, back, and what is believed of the return."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from billing import tasks
from billing.gateways.base import (
    Charge,
    ChargeRequest,
    GatewayUnavailableError,
    MethodChange,
    MethodDetails,
    Setup,
    SetupRequest,
    SetupStatus,
)
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import CheckoutSession, PaymentMethod
from billing.services import payment_methods
from tests.offering import offer
from tests.web.conftest import Browser, People

pytestmark = pytest.mark.django_db(transaction=True)

HOME = "/billing/"
CARDS = "/billing/payment-methods/"
ADD = f"{CARDS}add/"


@dataclass
class PageGateway(SandboxGateway):
    """A gateway with a page of its own to enter a card on."""

    is_up: bool = True
    asked: SetupRequest | None = None

    def start_setup(self, request: SetupRequest) -> Setup:
        """Send them to the page."""
        if not self.is_up:
            raise GatewayUnavailableError("no answer")
        self.asked = request
        return Setup(
            reference=request.reference,
            external_id="cs_1",
            status=SetupStatus.OPEN,
            customer_external_id="cus_1",
            url="https://gateway.example/pay/cs_1",
        )

    def charge(self, request: ChargeRequest) -> Charge:
        """As the sandbox does."""
        return super().charge(request)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> PageGateway:
    """The default one from here on."""
    there = PageGateway()
    offer(monkeypatch, there)
    return there


def test_adding_a_card_leads_to_the_gateways_page(people: People, gateway: PageGateway) -> None:
    _, alice = people.signs_up("alice")

    answer = alice.client.post(ADD)

    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "https://gateway.example/pay/cs_1",
    )
    assert gateway.asked is not None
    session = CheckoutSession.objects.get()
    assert gateway.asked.success_url == f"http://localhost:8000{CARDS}confirming/{session.pk}/"
    assert gateway.asked.cancel_url == f"http://localhost:8000{CARDS}"


def test_the_return_is_not_believed(people: People, gateway: PageGateway) -> None:
    _, alice = people.signs_up("alice")
    alice.client.post(ADD)
    session = CheckoutSession.objects.get()

    page = alice.get(f"{CARDS}confirming/{session.pk}/")

    assert "Confirming your card…" in page.text
    assert [a["data-next"] for _, a in page.elements if "data-pending" in a] == [
        f"{CARDS}confirming/{session.pk}/?tries=1"
    ]
    assert not PaymentMethod.objects.exists()


def test_what_takes_long_says_that_nothing_is_lost(people: People, gateway: PageGateway) -> None:
    _, alice = people.signs_up("alice")
    alice.client.post(ADD)

    page = alice.get(f"{CARDS}confirming/{CheckoutSession.objects.get().pk}/?tries=30")

    assert "This is taking longer than usual. Nothing is lost" in page.text


def test_once_the_gateway_has_told_the_card_is_shown(people: People, gateway: PageGateway) -> None:
    _, alice = people.signs_up("alice")
    alice.client.post(ADD)
    session = _heard(people, SetupStatus.COMPLETED)

    page = alice.get(f"{CARDS}confirming/{session.pk}/")

    assert "Your card is set up" in page.text
    assert "Visa •••• 4242, expires 12/2040" in page.text
    assert "Visa •••• 4242, expires 12/2040" in alice.get(CARDS).text


def test_an_expired_page_says_so_and_offers_another(people: People, gateway: PageGateway) -> None:
    _, alice = people.signs_up("alice")
    alice.client.post(ADD)
    session = _heard(people, SetupStatus.EXPIRED)

    page = alice.get(f"{CARDS}confirming/{session.pk}/")

    assert "The page for entering it has expired. Nothing was charged." in page.text
    assert "Try again" in page.text


def test_a_card_that_the_gateway_refuses_is_explained(people: People, gateway: PageGateway) -> None:
    _, alice = people.signs_up("alice")
    alice.client.post(ADD)
    session = _heard(people, SetupStatus.DECLINED)

    page = alice.get(f"{CARDS}confirming/{session.pk}/")

    assert "Our payment provider did not accept it. Nothing was charged." in page.text


def test_a_silent_gateway_is_a_message_and_nothing_is_lost(
    people: People, gateway: PageGateway
) -> None:
    _, alice = people.signs_up("alice")
    gateway.is_up = False

    page = alice.post(ADD)

    assert page.path == CARDS
    assert "The payment gateway does not answer. Please try again." in page.text


def test_some_gateways_say_nothing_so_that_they_are_asked_once(
    people: People, gateway: PageGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(tasks, "soon", lambda _, session_id: told.append(session_id))
    _, alice = people.signs_up("alice")
    alice.client.post(ADD)
    session = CheckoutSession.objects.get()

    for query in ("", "?tries=1"):
        alice.get(f"{CARDS}confirming/{session.pk}/{query}")
    assert told == [str(session.pk)]

    _heard(people, SetupStatus.COMPLETED)
    alice.get(f"{CARDS}confirming/{session.pk}/")
    assert told == [str(session.pk)]


@pytest.mark.parametrize(
    ("currency", "offered"),
    [
        ("USD", ["card"]),
        ("EUR", ["card", "sepa_debit"]),
        ("BRL", ["card", "pix"]),
    ],
)
def test_what_may_be_added_depends_on_the_currency(
    people: People, currency: str, offered: list[str]
) -> None:
    customer = people.world.customer("alice", currency=currency)
    alice = people.person("alice", customer)

    page = alice.get(CARDS)

    assert [a["value"] for a in page.all("button") if a.get("name") == "kind"] == offered
    assert page.faults() == []


def test_a_kind_that_nobody_takes_is_told_kindly(people: People) -> None:
    _, alice = people.signs_up("alice")

    page = alice.post(ADD, kind="pix")

    assert page.path == CARDS
    assert "This cannot be used at the moment." in page.text


def test_a_method_that_expires_soon_says_so_here_and_on_the_home(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    PaymentMethod.objects.update(exp_month=5, exp_year=2026)
    assert "Expire" not in alice.get(CARDS).text

    people.world.at("2026-05-02 00:00")
    for path in (CARDS, HOME):
        page = alice.get(path)
        assert "Expires soon" in page.text
        assert "It is good until the end of May 2026." in page.text
    people.world.at("2026-06-01 00:00")
    assert "Expired" in alice.get(CARDS).text

    gateway = PaymentMethod.objects.get()
    renewed = MethodDetails(gateway.external_id, "card", "visa", "4242", 1, 2030)
    change = MethodChange(gateway.external_id, renewed)
    payment_methods.follow(change, gateway="sandbox", now=people.world.now)
    assert "Visa •••• 4242, expires 01/2030" in alice.get(CARDS).text
    assert "Expire" not in alice.get(CARDS).text


def test_another_card_can_be_made_the_default(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    people.world.adds_card(customer, "tok_declined")
    first = PaymentMethod.objects.get(last4="4242")

    page = alice.post(f"{CARDS}{first.pk}/default/")

    assert "From now on Visa •••• 4242 is charged." in page.text
    first.refresh_from_db()
    assert first.is_default


def test_a_card_is_removed_after_a_question(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    method = PaymentMethod.objects.get()
    assert "Remove Visa •••• 4242?" in alice.get(f"{CARDS}{method.pk}/removal/").text

    page = alice.post(f"{CARDS}{method.pk}/remove/")

    assert "Visa •••• 4242 was removed." in page.text
    assert "There is none yet." in page.text


def test_the_last_card_of_a_running_plan_stays(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    people.world.at("2026-04-26 10:00")

    page = alice.post(f"{CARDS}{PaymentMethod.objects.get().pk}/remove/")

    assert "A running subscription is paid with it. Add another one first." in page.text


def test_cards_of_others_do_not_exist(people: People, stranger: Browser) -> None:
    customer, _ = people.signs_up("alice")
    people.world.adds_card(customer)
    method = PaymentMethod.objects.get()
    session = CheckoutSession.objects.get()

    assert stranger.status_of(f"{CARDS}confirming/{session.pk}/") == 404
    assert stranger.status_of(f"{CARDS}{method.pk}/removal/") == 404
    assert stranger.client.post(f"{CARDS}{method.pk}/remove/").status_code == 404
    assert stranger.client.post(f"{CARDS}{method.pk}/default/").status_code == 404
    method.refresh_from_db()
    assert method.removed_at is None


@pytest.mark.parametrize("path", [ADD, f"{CARDS}{'0' * 8}-0000-0000-0000-{'0' * 12}/remove/"])
def test_changes_need_a_post(people: People, path: str) -> None:
    _, alice = people.signs_up("alice")

    assert alice.status_of(path) == 405


def _heard(people: People, status: SetupStatus) -> CheckoutSession:
    """The gateway's notification came in and was followed."""
    session = CheckoutSession.objects.get()
    token = "tok_ok" if status == SetupStatus.COMPLETED else None
    method = None
    if token:
        done = SandboxGateway().start_setup(
            SetupRequest(reference=str(session.pk), anonymous_id="anon_1", token=token)
        )
        method = done.method
    setup = Setup(
        reference=str(session.pk),
        external_id="cs_1",
        status=status,
        customer_external_id="cus_1",
        method=method,
    )
    return payment_methods.settle(session.pk, setup=setup, now=people.world.now).session
