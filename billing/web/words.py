"""States and reasons in the words that customers read."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.utils.formats import date_format

from billing.core import dunning
from billing.core.entitlements import Reason
from billing.core.figures import plain
from billing.core.lifecycle import (
    AttemptStatus,
    DisputeStatus,
    InvoiceStatus,
    SubscriptionStatus,
)
from billing.models import (
    Dispute,
    Invoice,
    PaymentAttempt,
    PaymentMethod,
    Refund,
    Subscription,
)
from billing.models.refund import DisputeSource
from billing.queries.overview import Overview
from billing.templatetags.dates import day, moment
from billing.templatetags.money import money
from billing.web import kinds
from customers.models import TaxId, TaxIdStatus


class Tone(StrEnum):
    """How a badge looks; its words say the same."""

    GOOD = "good"
    WAIT = "wait"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word or two."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with a subscription, and what happens next."""

    badge: Badge
    sentence: str


def standing(overview: Overview, *, is_asked: bool = False) -> Standing:
    """The plan's state in plain words.

    :param is_asked: whether a payment waits for the customer.
    """
    subscription = overview.rights.subscription
    if subscription is None:
        return Standing(Badge("No plan", Tone.QUIET), "Choose a plan to begin.")
    status = SubscriptionStatus(subscription.status)
    if status == SubscriptionStatus.TRIALING:
        return _trial(subscription, overview)
    if status == SubscriptionStatus.INCOMPLETE:
        return Standing(Badge("Waiting for a payment method", Tone.WAIT), _waiting(subscription))
    if status == SubscriptionStatus.PAST_DUE:
        return Standing(Badge("Payment overdue", Tone.BAD), _past_due(subscription, overview))
    if status == SubscriptionStatus.ACTIVE:
        return _active(subscription, overview, is_asked=is_asked)
    return _OTHERS[status]


def access(reason: Reason) -> str:
    """Whether the service may be used, and why."""
    return _ACCESS[reason]


def invoice(row: Invoice) -> Badge:
    """An invoice's state."""
    return _INVOICE[InvoiceStatus(row.status)]


def attempt(row: PaymentAttempt) -> str:
    """What became of a charge, without its date."""
    status, method = AttemptStatus(row.status), row.payment_method
    if status == AttemptStatus.SUCCEEDED:
        return f"Paid {kinds.paying(method)}."
    if status == AttemptStatus.FAILED:
        return f"{_refused(method)} {row.decline_message}".strip()
    if status == AttemptStatus.ABANDONED:
        return f"Not paid {kinds.paying(method)}. {row.decline_message}".strip()
    if status == AttemptStatus.ACTION_REQUIRED:
        return f"To be paid {kinds.paying(method)}. It waits for you."
    if status == AttemptStatus.UNKNOWN:
        return f"{begun(row)} It is being confirmed with the bank."
    return f"{begun(row)} We are waiting for the answer."


def begun(row: PaymentAttempt) -> str:
    """That it is under way."""
    if kinds.is_pushed(row.payment_method):
        return f"Your payment {kinds.paying(row.payment_method)} is being prepared."
    return f"{row.payment_method} is being charged."


def progress(row: PaymentAttempt) -> str:
    """What is going on with a charge that is under way and asks nothing of anybody."""
    if row.status == AttemptStatus.UNKNOWN:
        return (
            "Your payment is being confirmed with the bank. Nothing is charged twice, and there is"
            " nothing for you to do."
        )
    return begun(row)


def dispute(row: Dispute) -> str:
    """How things stand with what was contested."""
    sentences = _BANKS if row.source == DisputeSource.GATEWAY else _CUSTOMERS
    return sentences[DisputeStatus(row.status)].format(amount=money(row.amount))


def refund(row: Refund) -> str:
    """What became of a refund, without its date."""
    if row.status == AttemptStatus.SUCCEEDED:
        return f"{row.amount} were given back."
    if row.status == AttemptStatus.FAILED:
        return f"{row.amount} could not be given back and are your credit. {row.decline_message}"
    return f"{row.amount} are on their way back to you."


def expiry(method: PaymentMethod) -> str:
    """`expires 12/2030`; nothing for what does not expire."""
    if method.exp_month is None or method.exp_year is None:
        return ""
    return f"expires {method.exp_month:02}/{method.exp_year}"


def expiring(method: PaymentMethod, *, now: datetime) -> Standing | None:
    """That it expires soon, or has expired; None while that is far off."""
    if method.exp_month is None or method.exp_year is None:
        return None
    last = calendar.monthrange(method.exp_year, method.exp_month)[1]
    end = datetime(method.exp_year, method.exp_month, last, 23, 59, 59, tzinfo=now.tzinfo)
    if now + timedelta(days=settings.EXPIRY_NOTICE_DAYS) < end:
        return None
    month = date_format(end, "F Y")
    if end < now:
        return Standing(
            Badge("Expired", Tone.BAD),
            f"It was good until the end of {month}. If your bank has sent you a new one, please"
            " add that.",
        )
    return Standing(
        Badge("Expires soon", Tone.WAIT),
        f"It is good until the end of {month}. Where your bank tells us the new date there is"
        " nothing to do; else please add another payment method in time.",
    )


def left(end: datetime, now: datetime) -> str:
    """`14 days left`; a day that has begun counts."""
    days = -((now - end) // timedelta(days=1))
    if days <= 0:
        return "over now"
    return "less than a day left" if end - now < timedelta(days=1) else _days(days)


def _refused(method: PaymentMethod) -> str:
    if kinds.is_pushed(method):
        return f"Not paid {kinds.paying(method)}."
    return f"{method} was declined."


def _with(method: PaymentMethod) -> str:
    words = kinds.paying(method)
    return f"and you pay {words}" if kinds.is_pushed(method) else words


def _days(count: int) -> str:
    return "1 day left" if count == 1 else f"{count} days left"


def _trial(subscription: Subscription, overview: Overview) -> Standing:
    end = subscription.trial_end or subscription.created_at
    if end <= overview.present:
        return Standing(
            Badge("Trial over", Tone.WAIT), f"Your trial ended on {day(end)}; billing begins now."
        )
    start = f"Trial until {day(end)}, {left(end, overview.present)}."
    if overview.method is None:
        return Standing(
            Badge("Free trial", Tone.GOOD), f"{start} No card needed, nothing is charged."
        )
    goes_on = f"afterwards your plan goes on {_with(overview.method)}"
    return Standing(
        Badge("Free trial", Tone.GOOD), f"{start} Nothing is charged for it; {goes_on}."
    )


def _active(subscription: Subscription, overview: Overview, *, is_asked: bool) -> Standing:
    if is_asked:
        return Standing(Badge("Active", Tone.WAIT), "A payment waits for you.")
    if subscription.cancel_at is not None:
        return Standing(
            Badge("Active", Tone.WAIT), f"Your plan ends on {day(subscription.cancel_at)}."
        )
    if _lacks_method(subscription, overview):
        return Standing(Badge("Active", Tone.WAIT), "Please add a payment method: there is none.")
    return Standing(Badge("Active", Tone.GOOD), "Everything is in order. There is nothing to do.")


def _lacks_method(subscription: Subscription, overview: Overview) -> bool:
    return overview.method is None and not subscription.plan_terms.is_free


def _waiting(subscription: Subscription) -> str:
    if subscription.trial_end is None:
        return "Waiting for a payment method: your plan begins when you add one."
    return (
        f"Waiting for a payment method: your trial ended on {day(subscription.trial_end)}. "
        "Your plan begins on the day you add one, and you pay for what is left of the period only."
    )


def _past_due(subscription: Subscription, overview: Overview) -> str:
    sentences = []
    if subscription.past_due_at is not None:
        end = dunning.grace_ends(overview.rights.policy, subscription.past_due_at)
        verb = "You keep access until" if overview.present < end else "Access ended on"
        sentences = [
            f"A payment {_failed(overview)} on {day(subscription.past_due_at)}.",
            f"{verb} {moment(end)}.",
        ]
    tries = [row.next_charge_at for row in overview.overdue if row.next_charge_at is not None]
    if tries:
        sentences.append(f"We try again on {moment(min(tries))}; a new one is charged at once.")
    elif overview.method is None:
        sentences.append("Please pay, or add a payment method: it is used at once.")
    else:
        sentences.append("We do not try it again. Please pay, or add another payment method.")
    return " ".join(sentences)


def _failed(overview: Overview) -> str:
    """What became of the payment that is missing."""
    is_declined = any(arrear.declined for arrear in overview.arrears)
    return "failed" if is_declined or not overview.arrears else "was due"


_OTHERS: Final = {
    SubscriptionStatus.PAUSED: Standing(Badge("Paused", Tone.QUIET), "Your plan is paused."),
    SubscriptionStatus.CANCELED: Standing(Badge("Ended", Tone.QUIET), "Your plan has ended."),
}
_ACCESS: Final = {
    Reason.TRIAL: "You can use the service.",
    Reason.SUBSCRIBED: "You can use the service.",
    Reason.GRACE_PERIOD: "You can still use the service.",
    Reason.NO_SUBSCRIPTION: "You cannot use the service: you have no plan.",
    Reason.PAYMENT_METHOD_REQUIRED: "You cannot use the service: your plan needs a payment method.",
    Reason.PAST_DUE: "You cannot use the service: a payment is overdue.",
    Reason.PAUSED: "You cannot use the service: your plan is paused.",
    Reason.CANCELED: "You cannot use the service: your plan has ended.",
}
_INVOICE: Final = {
    InvoiceStatus.DRAFT: Badge("Draft", Tone.QUIET),
    InvoiceStatus.PENDING: Badge("Open", Tone.WAIT),
    InvoiceStatus.PAID: Badge("Paid", Tone.GOOD),
    InvoiceStatus.CHARGED_WITH_ERROR: Badge("Payment failed", Tone.BAD),
    InvoiceStatus.CANCELED: Badge("Canceled", Tone.QUIET),
    InvoiceStatus.UNCOLLECTIBLE: Badge("Written off", Tone.QUIET),
    InvoiceStatus.REFUNDED: Badge("Refunded", Tone.QUIET),
    InvoiceStatus.IN_PROTEST: Badge("Disputed", Tone.WAIT),
    InvoiceStatus.CHARGEBACK: Badge("Charged back", Tone.BAD),
}


_BANKS: Final = {
    DisputeStatus.OPEN: "{amount} of it are contested by your bank. The bank decides; we wait.",
    DisputeStatus.WON: "Your bank contested {amount} of it and has decided: the payment stands.",
    DisputeStatus.LOST: "Your bank contested {amount} of it and has taken them back.",
}
_CUSTOMERS: Final = {
    DisputeStatus.OPEN: "You contest {amount} of it. We look at it and write to you.",
    DisputeStatus.WON: "You contested {amount} of it. We looked at it: the payment stands.",
    DisputeStatus.LOST: "You contested {amount} of it. We looked at it: you are right.",
}
_TAX_NUMBERS: Final = {
    TaxIdStatus.UNCHECKED: "not confirmed yet",
    TaxIdStatus.VALID: "confirmed",
    TaxIdStatus.INVALID: "the register does not know it",
}


def tax_number(row: TaxId) -> str:
    """How things stand with a tax number."""
    return _TAX_NUMBERS[TaxIdStatus(row.status)]


def tax(percent: Decimal, country: str) -> str:
    """A tax by its rate and place."""
    return f"Tax {country} {plain(percent)} %"
