"""What every gateway does alike: run over the sandbox, and over the vendors at their stand-ins.

What only some can do is asked of those that have the ability.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from billing import clock
from billing.core.money import Money
from billing.gateways.abilities import AsksPayer, Document, Evidence, Recalls, TakesEvidence
from billing.gateways.base import (
    BadSignatureError,
    Charge,
    ChargeRequest,
    ChargeStatus,
    Dispute,
    GatewayRejectedError,
    GatewayUnavailableError,
    GatewayUnreachableError,
    MethodChange,
    MethodDetails,
    Notification,
    Refund,
    RefundRequest,
    Setup,
    SetupRequest,
    SetupStatus,
)
from tests.gateways.cases import GATEWAYS, AskingCase, Case, DisputedCase, able

pytestmark = pytest.mark.django_db

PUSHED = [
    (name, kind)
    for name, gateway in GATEWAYS.items()
    for kind, terms in gateway.capabilities.kinds.items()
    if terms.is_pushed
]

NUMBERS = itertools.count(1)


def set_up(case: Case, which: str = "good") -> Setup:
    number = next(NUMBERS)
    return case.gateway.start_setup(
        SetupRequest(f"setup-{number}", f"anon_{number}", token=case.tokens[which])
    )


def charge_request(setup: Setup, reference: str, amount: Money) -> ChargeRequest:
    assert setup.method is not None
    return ChargeRequest(reference, amount, setup.customer_external_id, setup.method.external_id)


def charge(case: Case, reference: str = "a1", which: str = "good") -> Charge:
    return case.gateway.charge(charge_request(set_up(case, which), reference, Money(1000, "EUR")))


def notification() -> Notification:
    return Notification(
        "evt_1", "charge.succeeded", "charge", "ch_1", clock.now().replace(microsecond=0)
    )


def test_it_says_what_it_is(case: Case) -> None:
    folder = type(case.gateway).__module__.split(".")[-2]

    assert case.gateway.name == folder
    assert case.gateway.capabilities.title
    assert case.gateway.capabilities.kinds


def test_a_token_sets_a_method_up_at_once(case: Case) -> None:
    setup = set_up(case)

    assert setup.status is SetupStatus.COMPLETED
    assert setup.customer_external_id
    assert setup.method is not None
    assert setup.method.kind in case.gateway.capabilities.kinds
    assert (setup.method.kind, setup.method.last4) == case.looks


def test_a_refused_token_says_why_and_leaves_no_method(case: Case) -> None:
    setup = set_up(case, "refused")

    assert (setup.status, setup.method) == (SetupStatus.DECLINED, None)
    assert setup.decline is not None
    assert setup.decline.message


def test_a_token_of_nobody_is_rejected(case: Case) -> None:
    with pytest.raises(GatewayRejectedError):
        set_up(case, "unknown")


def test_a_customer_that_the_gateway_knows_stays_the_same(case: Case) -> None:
    first = set_up(case)
    again = case.gateway.start_setup(
        SetupRequest("s-2", "anon_x", first.customer_external_id, case.tokens["good"])
    )

    assert again.customer_external_id == first.customer_external_id
    assert again.method != first.method


def test_without_a_token_the_page_sets_a_method_up(case: Case) -> None:
    request = SetupRequest(
        "s-page",
        "anon_p",
        kind=case.looks[0],
        success_url="http://localhost/done",
        cancel_url="http://localhost/back",
    )
    started = case.gateway.start_setup(request)
    assert case.gateway.start_setup(request).external_id == started.external_id

    case.finish(started)

    setup = case.gateway.fetch("setup", started.external_id)
    assert isinstance(setup, Setup)
    assert setup.status is SetupStatus.COMPLETED
    assert setup.reference in {"s-page", ""}  # not every vendor repeats it
    assert (setup.external_id, setup.url) == (started.external_id, "")
    assert setup.method is not None
    charged = case.gateway.charge(charge_request(setup, "a-page", Money(500, "EUR")))
    assert charged.status is ChargeStatus.SUCCEEDED


def test_a_set_up_can_be_fetched(case: Case) -> None:
    setup = set_up(case)

    fetched = case.gateway.fetch("setup", setup.external_id)

    assert isinstance(fetched, Setup)
    assert fetched.reference in {setup.reference, ""}
    assert replace(fetched, reference=setup.reference) == setup


@pytest.mark.parametrize(("case", "kind"), PUSHED, indirect=["case"])
def test_what_the_payer_sends_by_themselves_needs_no_setting_up(case: Case, kind: str) -> None:
    setup = case.gateway.start_setup(SetupRequest("s-push", "anon_push", kind=kind))
    again = case.gateway.start_setup(
        SetupRequest("s-push-2", "anon_push", setup.customer_external_id, kind=kind)
    )

    assert (setup.reference, setup.status) == ("s-push", SetupStatus.COMPLETED)
    assert setup.method is not None
    assert setup.method == MethodDetails(setup.method.external_id, kind)
    assert again.method not in {None, setup.method}
    assert case.gateway.fetch("setup", setup.external_id) == setup


def test_a_good_method_is_charged(case: Case) -> None:
    charged = charge(case, "a1")

    assert (charged.reference, charged.status) == ("a1", ChargeStatus.SUCCEEDED)
    assert charged.decline is None
    assert case.gateway.fetch("charge", charged.external_id) == charged


@pytest.mark.parametrize("currency", ["JPY", "KWD", "USD"])
def test_currencies_of_every_sort_are_charged_or_declared_not_to_be(
    case: Case, currency: str
) -> None:
    taken = case.gateway.capabilities.kinds[case.looks[0]].currencies
    request = charge_request(set_up(case), f"a-{currency}", Money(1000, currency))

    if taken is None or currency in taken:
        assert case.gateway.charge(request).status is ChargeStatus.SUCCEEDED
    else:
        with pytest.raises(GatewayRejectedError):
            case.gateway.charge(request)


def test_a_poor_method_is_declined_and_may_be_tried_again(case: Case) -> None:
    charged = charge(case, "a2", "poor")

    assert (charged.reference, charged.status) == ("a2", ChargeStatus.DECLINED)
    assert charged.decline is not None
    assert not charged.decline.is_hard
    if charged.external_id:  # not every vendor keeps what it refused
        assert case.gateway.fetch("charge", charged.external_id) == charged


def test_the_same_reference_charges_once(case: Case) -> None:
    request = charge_request(set_up(case), "a3", Money(1000, "EUR"))

    first, second = case.gateway.charge(request), case.gateway.charge(request)

    assert first == second
    assert case.taken("a3") == 1


def test_a_charge_without_an_answer_is_asked_again_and_charged_once(case: Case) -> None:
    request = charge_request(set_up(case), "a4", Money(1000, "EUR"))
    silent = ChargeRequest(
        "a4",
        request.amount,
        request.customer_external_id,
        case.unavailable or request.method_external_id,
    )
    case.silence()
    with pytest.raises(GatewayUnavailableError):
        case.gateway.charge(silent)

    assert case.gateway.charge(request).status is ChargeStatus.SUCCEEDED
    assert case.taken("a4") == 1


def test_what_was_not_heard_did_not_happen(case: Case) -> None:
    request = charge_request(set_up(case), "a9", Money(1000, "EUR"))
    unheard = replace(request, method_external_id=case.unreachable or request.method_external_id)
    case.turn_away()

    with pytest.raises(GatewayUnreachableError):
        case.gateway.charge(unheard)

    assert case.gateway.charge(request).status is ChargeStatus.SUCCEEDED
    assert case.taken("a9") == 1


def asked(case: AskingCase) -> tuple[AsksPayer, Charge]:
    gateway: object = case.gateway
    assert isinstance(gateway, AsksPayer)
    request = charge_request(case.asking(), "a-asks", Money(1000, "EUR"))
    charged = case.gateway.charge(request)
    assert (charged.reference, charged.status) == ("a-asks", ChargeStatus.ACTION_REQUIRED)
    assert charged.action is not None
    return gateway, charged


@pytest.mark.parametrize("case", able(AsksPayer), indirect=True)
def test_a_charge_that_asks_the_payer_goes_on_when_they_are_there(case: AskingCase) -> None:
    gateway, charged = asked(case)

    ended: object = gateway.resume(charged.external_id, return_url="http://localhost/back")
    if isinstance(ended, Charge) and ended.status is ChargeStatus.ACTION_REQUIRED:
        assert ended.action is not None
        assert ended.action.url
        assert gateway.resume(charged.external_id, return_url="http://localhost/b") == ended
        case.agree(ended)
        ended = case.gateway.fetch("charge", charged.external_id)

    assert ended == Charge("a-asks", charged.external_id, ChargeStatus.SUCCEEDED)
    assert gateway.resume(charged.external_id, return_url="http://localhost/back") == ended
    assert case.taken("a-asks") == 1


@pytest.mark.parametrize("case", able(AsksPayer), indirect=True)
def test_a_charge_that_asks_the_payer_can_be_withdrawn(case: AskingCase) -> None:
    gateway, charged = asked(case)

    withdrawn = gateway.withdraw(charged.external_id)

    assert (withdrawn.reference, withdrawn.status) == ("a-asks", ChargeStatus.DECLINED)
    assert withdrawn.decline is not None
    assert (withdrawn.decline.code, withdrawn.decline.is_hard) == ("withdrawn", False)
    assert gateway.withdraw(charged.external_id) == withdrawn


@pytest.mark.parametrize("case", able(TakesEvidence), indirect=True)
def test_a_dispute_is_answered_once(case: DisputedCase) -> None:
    gateway: object = case.gateway
    assert isinstance(gateway, TakesEvidence)
    charged = charge(case, "a-disputed")
    dispute_id = case.dispute(charged)
    contested = case.gateway.fetch("dispute", dispute_id)
    assert isinstance(contested, Dispute)
    assert contested.charge_external_id == charged.external_id
    assert contested.evidence_due_at is not None

    proof = Document("proof.pdf", "application/pdf", b"%PDF-1.4 it was delivered")
    answered = gateway.submit_evidence(dispute_id, Evidence("They had it.", (proof,)))

    assert answered == replace(contested, evidence_due_at=None)
    assert gateway.submit_evidence(dispute_id, Evidence("They had it.", (proof,))) == answered


@pytest.mark.parametrize("case", able(Recalls), indirect=True)
def test_what_happened_is_told_again(case: Case) -> None:
    gateway: object = case.gateway
    assert isinstance(gateway, Recalls)
    since = clock.now() - timedelta(minutes=5)
    setup = set_up(case)
    good = case.gateway.charge(charge_request(setup, "a-good", Money(1000, "EUR")))
    poor = charge(case, "a-poor", "poor")
    back = case.gateway.refund(RefundRequest("r-good", good.external_id, Money(300, "EUR")))

    told = list(gateway.recall(since))

    named = case.gateway.fetch("setup", setup.external_id)
    kept = [good, back, *([poor] if poor.external_id else []), *([named] if named == setup else [])]
    assert [fact for fact in kept if fact not in told] == []
    assert list(gateway.recall(clock.now() + timedelta(minutes=5))) == []


def test_a_charge_is_refunded_in_parts_and_no_further_than_whole(case: Case) -> None:
    charged = charge(case, "a5")
    refund = RefundRequest("r1", charged.external_id, Money(400, "EUR"))

    part = case.gateway.refund(refund)
    rest = case.gateway.refund(RefundRequest("r2", charged.external_id, Money(600, "EUR")))

    assert (part.reference, part.status) == ("r1", ChargeStatus.SUCCEEDED)
    assert part.external_id != rest.external_id
    assert case.gateway.refund(refund) == part
    fetched = case.gateway.fetch("refund", part.external_id)
    assert isinstance(fetched, Refund)
    assert fetched == part


def test_a_refund_without_an_answer_is_asked_again_and_made_once(case: Case) -> None:
    token = case.silence_refunds()
    setup = case.gateway.start_setup(SetupRequest("s-silent", "anon_silent", token=token))
    charged = case.gateway.charge(charge_request(setup, "a8", Money(1000, "EUR")))
    request = RefundRequest("r5", charged.external_id, Money(1000, "EUR"))
    with pytest.raises(GatewayUnavailableError):
        case.gateway.refund(request)

    repeated = replace(request, is_repeated=True)
    if token == "tok_refund_unavailable":
        with pytest.raises(GatewayUnavailableError):  # it never answers
            case.gateway.refund(repeated)
        return
    assert case.gateway.refund(repeated).status is ChargeStatus.SUCCEEDED
    assert case.returned("r5") == 1


def test_a_declined_charge_cannot_be_refunded(case: Case) -> None:
    charged = charge(case, "a6", "poor")

    with pytest.raises(GatewayRejectedError):
        case.gateway.refund(RefundRequest("r3", charged.external_id, Money(1, "EUR")))


def test_a_method_can_be_fetched(case: Case) -> None:
    setup = set_up(case)
    assert setup.method is not None

    change = case.gateway.fetch("payment_method", setup.method.external_id)

    assert change == MethodChange(setup.method.external_id, setup.method)


@pytest.mark.parametrize("object_type", ["charge", "payment_method", "balance", "of_tomorrow"])
def test_what_means_nothing_to_us_is_nothing(case: Case, object_type: str) -> None:
    assert case.gateway.fetch(object_type, "no_such_thing") is None
    assert case.gateway.fetch(object_type, "") is None


def test_a_notification_is_read(case: Case) -> None:
    told = notification()
    body, headers = case.tell(told)

    assert case.gateway.parse_event(body, headers) == told
    lowered = {name.lower(): value for name, value in headers.items()}
    assert case.gateway.parse_event(body, lowered) == told


def test_a_tampered_notification_is_refused(case: Case) -> None:
    body, headers = case.tell(notification())

    with pytest.raises(BadSignatureError) as caught:
        case.gateway.parse_event(body.replace(b"ch_1", b"ch_2"), headers)
    assert "ch_2" not in str(caught.value)


def test_a_notification_is_refused_once_it_is_old(case: Case) -> None:
    told = notification()
    old = Notification(
        told.event_id,
        told.kind,
        told.object_type,
        told.object_id,
        told.occurred_at - timedelta(seconds=310),
    )

    with pytest.raises(BadSignatureError, match="old"):
        case.gateway.parse_event(*case.tell(old))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b"1", b"{}"])
def test_garbage_is_refused_signed_or_not(case: Case, body: bytes) -> None:
    _, headers = case.tell(notification())
    odd = dict.fromkeys(headers, "t=é,v1=ü")

    for given in ({}, headers, odd):
        with pytest.raises(BadSignatureError):
            case.gateway.parse_event(body, given)
