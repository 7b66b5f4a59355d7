"""Payment methods: set up at a gateway, known here only as the gateway describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from uuid_utils.compat import uuid7

from billing.core import asking
from billing.core.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PaymentFailedError,
    UnavailableError,
)
from billing.core.lifecycle import SubscriptionStatus
from billing.gateways.base import (
    GatewayRejectedError,
    GatewayUnavailableError,
    MethodChange,
    MethodDetails,
    Setup,
    SetupRequest,
    SetupStatus,
)
from billing.models import CheckoutSession, GatewayCustomer, PaymentAttempt, PaymentMethod
from billing.models.payment import CheckoutStatus
from billing.services import calling, choosing, journal, locks, payments, subscriptions
from billing.services.calling import Question
from billing.services.choosing import Wanted
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class ReturnUrls:
    """Where a gateway's page sends the customer back to."""

    success: str
    cancel: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A set-up after it was heard of, and the attempts to collect because of it."""

    session: CheckoutSession
    attempts: Sequence[UUID]


def start_checkout(
    customer: Customer,
    *,
    urls: ReturnUrls,
    now: datetime,
    wanted: Wanted = choosing.ANYTHING,
    session_id: UUID | None = None,
) -> Settled:
    """Begin a visit to the gateway's page, on which the customer enters a payment method.

    `{session}` in a URL is replaced by our session's id. A kind that asks nothing of the customer
    is set up at once.

    :param session_id: by which the same visit is meant, should it have begun.
    :raises UnavailableError: if the gateway does not answer, or none may be asked.
    :raises ConflictError: if the customer was erased.
    :raises InvalidError: if there is no such gateway, or it will not do.
    """
    session = _begin(customer, wanted, session_id or uuid7(), makes_default=True, now=now)
    if _is_known(session):
        return Settled(session, payments.unsent_of(customer.pk))
    setup = _ask(
        session,
        SetupRequest(
            reference=str(session.pk),
            anonymous_id=customer.anonymous_id,
            customer_external_id=_known_as(session),
            kind=session.kind,
            success_url=urls.success.replace("{session}", str(session.pk)),
            cancel_url=urls.cancel.replace("{session}", str(session.pk)),
        ),
        now=now,
    )
    return settle(session.pk, setup=setup, now=now)


def add(
    customer: Customer,
    *,
    token: str,
    now: datetime,
    gateway: str = "",
    is_default: bool = False,
    session_id: UUID | None = None,
) -> Settled:
    """Set up a payment method by the gateway's own token.

    :param gateway: whose token it is; empty for the first that fits.
    :param is_default: whether it takes the place of the default; the first one always does.
    :param session_id: by which the same method is meant, should it have been set up.
    :raises PaymentFailedError: if the gateway declines it.
    :raises InvalidError: if the gateway does not know the token.
    :raises UnavailableError: if the gateway does not answer.
    :raises ConflictError: if the customer was erased.
    """
    meant = session_id or uuid7()
    session = _begin(customer, Wanted(gateway), meant, makes_default=is_default, now=now)
    if _is_known(session):
        return Settled(session, payments.unsent_of(customer.pk))
    setup = _ask(
        session,
        SetupRequest(
            reference=str(session.pk),
            anonymous_id=customer.anonymous_id,
            customer_external_id=_known_as(session),
            token=token,
        ),
        now=now,
    )
    settled = settle(session.pk, setup=setup, now=now)
    if setup.status == SetupStatus.DECLINED:
        raise PaymentFailedError(
            setup.decline.message if setup.decline else "The payment method was declined.",
            code=setup.decline.code if setup.decline else "declined",
        )
    return settled


@transaction.atomic(durable=True)
def settle(session_id: UUID, *, setup: Setup, now: datetime) -> Settled:
    """Write down what the gateway says of a set-up. Hearing it again changes nothing.

    The first payment method begins a subscription that was waiting for one, and a new one is
    charged at once for all that is owed.

    :raises NotFoundError: if the session is not known.
    """
    session = _locked(session_id)
    customer = session.customer
    present = customer.lives_at(now)
    if setup.customer_external_id:  # some name a customer only once the method is there
        GatewayCustomer.objects.get_or_create(
            customer=customer,
            gateway=session.gateway,
            defaults={"external_id": setup.customer_external_id},
        )
    attempts: list[UUID] = []
    if session.status != CheckoutStatus.COMPLETED and customer.erased_at is None:
        session.external_id, session.url = setup.external_id, setup.url or session.url
        session.status = _STATUS[setup.status]
        session.failure = setup.decline.message if setup.decline else ""
        if setup.method is not None and setup.status == SetupStatus.COMPLETED:
            session.payment_method = _store(session, setup.method, present)
            if session.payment_method.removed_at is None:
                attempts = payments.open_for_customer(customer.pk, now=present)
                attempts += subscriptions.begin_waiting(customer, now=now)
        if session.status != CheckoutStatus.OPEN:
            session.ask_at = None
        session.save()
    return Settled(session, attempts)


@transaction.atomic
def make_default(
    method_id: UUID, *, by: str, now: datetime, expected_version: int | None = None
) -> PaymentMethod:
    """Charge this one from now on; what is owed is charged at once by the caller's leave.

    :param expected_version: what the caller last saw; None if they do not mind.
    :raises NotFoundError: if there is none, or it was removed.
    :raises ConflictError: with code `version_mismatch` if it has changed since it was seen.
    """
    method = _usable(method_id)
    if expected_version is not None and method.version != expected_version:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")
    if not method.is_default:
        _unset_default(method.customer_id)
        method.is_default = True
        _save(method)
        present = method.customer.lives_at(now)
        journal.post(_changed("PAYMENT_METHOD_MADE_DEFAULT", method, by=by, now=present))
    return method


@transaction.atomic
def remove(method_id: UUID, *, by: str, now: datetime) -> PaymentMethod:
    """Stop using a payment method; the newest of the others becomes the default.

    :raises NotFoundError: if there is none, or it was removed already.
    :raises ConflictError: if it is the last one and a subscription needs it, or a payment with it
        is under way.
    """
    method = _usable(method_id)
    if PaymentAttempt.objects.open().filter(payment_method=method).exists():
        raise ConflictError("A payment with it is under way.", code="charge_under_way")
    others = PaymentMethod.objects.usable().filter(customer=method.customer_id)
    successor = others.exclude(pk=method.pk).order_by("-added_at").first()
    if successor is None and _needs_method(method.customer_id):
        raise ConflictError(
            "A running subscription is paid with it. Add another one first.",
            code="payment_method_needed",
        )
    was_default = method.is_default
    _retire(method, by=by, now=now)
    if was_default and successor is not None:
        successor.is_default = True
        _save(successor)
    return method


@transaction.atomic
def follow(change: MethodChange, *, gateway: str, now: datetime) -> PaymentMethod | None:
    """Take over what the gateway changed of a method we know: a new expiry, or that it is gone."""
    known = PaymentMethod.objects.usable().filter(gateway=gateway, external_id=change.external_id)
    method_id = known.values_list("pk", flat=True).first()
    if method_id is None:
        return None
    method = _usable(method_id)
    if change.details is None:
        _retire(method, by=gateway, now=now)
    else:
        _describe(method, change.details)
        _save(method)
    return method


def _require_somebody(customer: Customer) -> None:
    if Customer.objects.filter(pk=customer.pk, erased_at__isnull=False).exists():
        raise ConflictError("This customer was erased.", code="customer_erased")


def _begin(
    customer: Customer, wanted: Wanted, session_id: UUID, *, makes_default: bool, now: datetime
) -> CheckoutSession:
    """Choose the gateway and write down that it is asked; once under the same id."""
    _require_somebody(customer)
    begun = CheckoutSession.objects.filter(pk=session_id, customer=customer).first()
    if begun is not None:
        return begun
    choice = choosing.gateway(customer, wanted, now=now)
    return CheckoutSession.objects.create(
        pk=session_id,
        customer=customer,
        gateway=choice.chosen,
        kind=choice.kind,
        route_reason=choice.reason[:255],
        makes_default=makes_default,
        created_at=customer.lives_at(now),
        ask_at=now + asking.VISIT_FIRST,
    )


def _is_known(session: CheckoutSession) -> bool:
    """Whether the gateway has said what there is to hear: where to send them, or that it is done.

    Of any other it is asked, under the same reference as before.
    """
    is_open = session.status == CheckoutStatus.OPEN and bool(session.external_id)
    return is_open or session.status == CheckoutStatus.COMPLETED


def _ask(session: CheckoutSession, request: SetupRequest, *, now: datetime) -> Setup:
    question = Question(
        session.gateway, "setup", str(session.pk), session.customer.test_clock_id is not None
    )
    try:
        return calling.ask(question, lambda it: it.start_setup(request), now=now)
    except GatewayUnavailableError as error:
        raise UnavailableError(
            "The payment gateway does not answer. Please try again.", code="gateway_unavailable"
        ) from error
    except GatewayRejectedError as error:
        raise InvalidError(str(error), code="rejected_by_gateway") from error


def _known_as(session: CheckoutSession) -> str | None:
    known = GatewayCustomer.objects.filter(customer=session.customer, gateway=session.gateway)
    return known.values_list("external_id", flat=True).first()


def _locked(session_id: UUID) -> CheckoutSession:
    customer_id = (
        CheckoutSession.objects.filter(pk=session_id).values_list("customer_id", flat=True).first()
    )
    if customer_id is None:
        raise NotFoundError(f"There is no checkout session {session_id}.", code="not_found")
    customer = locks.customer(customer_id)
    session = CheckoutSession.objects.select_related("payment_method").get(pk=session_id)
    session.customer = customer
    return session


def _usable(method_id: UUID) -> PaymentMethod:
    method = PaymentMethod.objects.usable().filter(pk=method_id).first()
    if method is None:
        raise NotFoundError(f"There is no payment method {method_id}.", code="not_found")
    method.customer = locks.customer(method.customer_id)
    method.refresh_from_db(fields=["is_default", "removed_at", "version"])
    if method.removed_at is not None:
        raise NotFoundError("This payment method was removed.", code="not_found")
    return method


def _store(session: CheckoutSession, details: MethodDetails, now: datetime) -> PaymentMethod:
    """Keep a method that was set up; what they entered on the gateway's page they mean to use.

    One that was removed since they did is not brought back by hearing of it late.
    """
    method = _known(session, details.external_id) or PaymentMethod(
        customer_id=session.customer_id,
        gateway=session.gateway,
        external_id=details.external_id,
        version=0,
        added_at=now,
    )
    if method.removed_at is not None and session.created_at <= method.removed_at:
        return method
    if session.makes_default:
        _unset_default(session.customer_id)
    others = PaymentMethod.objects.filter(customer=session.customer_id, is_default=True)
    _describe(method, details)
    method.is_default, method.removed_at = not others.exists(), None
    _save(method)
    key = f"checkout:{session.pk}"
    journal.post(_changed("PAYMENT_METHOD_ADDED", method, by=session.gateway, now=now, key=key))
    return method


def _known(session: CheckoutSession, external_id: str) -> PaymentMethod | None:
    """The method that was set up before, by the same customer.

    :raises ConflictError: if it is another customer's.
    """
    rows = PaymentMethod.objects.filter(gateway=session.gateway, external_id=external_id)
    method = rows.first()
    if method is not None and method.customer_id != session.customer_id:
        raise ConflictError(
            "This payment method is another customer's.", code="payment_method_taken"
        )
    return method


def _unset_default(customer_id: UUID) -> None:
    PaymentMethod.objects.filter(customer=customer_id, is_default=True).update(
        is_default=False, version=F("version") + 1
    )


def _save(method: PaymentMethod) -> None:
    """Store it under a new version, so that who saw the old one knows."""
    method.version += 1
    method.save()


def _describe(method: PaymentMethod, details: MethodDetails) -> None:
    method.kind, method.brand, method.last4 = details.kind, details.brand, details.last4
    method.exp_month, method.exp_year = details.exp_month, details.exp_year


def _retire(method: PaymentMethod, *, by: str, now: datetime) -> None:
    method.is_default, method.removed_at = False, method.customer.lives_at(now)
    _save(method)
    journal.post(_changed("PAYMENT_METHOD_REMOVED", method, by=by, now=method.removed_at))


def _needs_method(customer_id: UUID) -> bool:
    subscription = locks.live_subscription(customer_id)
    return (
        subscription is not None
        and subscription.status in {SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE}
        and not subscription.plan_terms.is_free
    )


def _changed(
    kind: str, method: PaymentMethod, *, by: str, now: datetime, key: str | None = None
) -> journal.Fact:
    """A fact about a method; without a key of its own, it may happen any number of times."""
    return journal.Fact(
        kind=kind,
        key=f"{key or f'payment_method:{method.pk}:{uuid7()}'}:{kind.lower()}",
        customer_id=method.customer_id,
        occurred_at=now,
        context={"gateway": method.gateway, "method": str(method.pk), "by": by},
    )


_STATUS = {
    SetupStatus.OPEN: CheckoutStatus.OPEN,
    SetupStatus.COMPLETED: CheckoutStatus.COMPLETED,
    SetupStatus.DECLINED: CheckoutStatus.FAILED,
    SetupStatus.EXPIRED: CheckoutStatus.EXPIRED,
}
