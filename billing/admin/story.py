"""A customer's whole story, as one page tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.utils.html import format_html_join

from billing.admin import (
    cells,
    change_words,
    dunning,
    grants,
    notices,
    related,
    returns,
    tables,
    taxes,
)
from billing.admin.tables import Table
from billing.core.entitlements import bound
from billing.core.money import Money
from billing.models import (
    BillingPeriod,
    BillingProfile,
    CreditGrant,
    CreditNote,
    CustomerNotice,
    Dispute,
    DunningRun,
    GatewayCustomer,
    Invoice,
    JournalEntry,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Refund,
    ScheduledChange,
    Subscription,
)
from billing.queries import balances, credit, entitlements
from billing.queries.entitlements import Rights
from customers.models import Customer, User

SHOWN_CHANGES: Final = 3


@dataclass(frozen=True, slots=True)
class Highlight:
    """One thing to see at a glance, for those who may view its model."""

    model: type[Model]
    title: str
    value: object
    note: object = ""


@dataclass(frozen=True, slots=True)
class Gauge:
    """How much of an allowance or limit is used; `percent` is None where there is none."""

    name: str
    used: str
    allowance: str
    percent: int | None
    is_above: bool


@dataclass(frozen=True, slots=True)
class Story:
    """Everything there is to know about a customer, newest first."""

    highlights: Sequence[Highlight]
    period: str
    gauges: Sequence[Gauge]
    tables: Sequence[Table]


def of(customer: Customer, *, reader: User | AnonymousUser, now: datetime) -> Story:
    """The story as it stands at `now`, in the customer's own time; what the reader may view."""
    rights = entitlements.of(customer, now=now)
    sees_period = tables.may_view(BillingPeriod, reader)
    return Story(
        highlights=[
            highlight
            for highlight in _highlights(customer, rights, now)
            if tables.may_view(highlight.model, reader)
        ],
        period=_period(rights) if sees_period else "",
        gauges=_gauges(rights) if sees_period else [],
        tables=tables.visible(_tables(customer), reader),
    )


def _highlights(customer: Customer, rights: Rights, now: datetime) -> list[Highlight]:
    owed = [str(Money(minor, code)) for code, minor in balances.owed_by(customer).items()]
    method = PaymentMethod.objects.filter(customer=customer, is_default=True).first()
    access = "GRANTED" if rights.access.is_granted else "REFUSED"
    clock = customer.test_clock
    return [
        Highlight(Invoice, "Owes", ", ".join(owed) or "nothing"),
        _credit(customer, now),
        _plan(rights),
        Highlight(
            Subscription,
            "Access",
            cells.status(access),
            f"because: {rights.access.reason.replace('_', ' ')}",
        ),
        Highlight(
            PaymentMethod,
            "Pays with",
            cells.link(method),
            related.expiry(method) if method else "",
        ),
        _dunning(customer),
        Highlight(
            Customer,
            "Their time, UTC",
            cells.instant(customer.lives_at(now)),
            cells.link(clock, "by a test clock") if clock else f"they live in {customer.timezone}",
        ),
    ]


def _credit(customer: Customer, now: datetime) -> Highlight:
    """What they have left, and what of it lapses soon."""
    found = credit.balances(customer, now=customer.lives_at(now))
    soon = [f"{row.expiring_soon} expires soon" for row in found if row.expiring_soon]
    left = ", ".join(str(row.available) for row in found)
    return Highlight(CreditGrant, "Credit", left or "none", "; ".join(soon))


def _dunning(customer: Customer) -> Highlight:
    """Whether they are dunned, and the way to what is agreed with them."""
    profile = BillingProfile.objects.select_related("dunning_policy").filter(customer=customer)
    agreed = profile.first()
    if agreed is None:
        add = f"{cells.add_of(BillingProfile)}?customer={customer.pk}"
        return Highlight(BillingProfile, "Dunned", "as usual", cells.anchor(add, "agree otherwise"))
    value = "not dunned" if not agreed.is_dunned else agreed.dunning_policy or "as usual"
    return Highlight(BillingProfile, "Dunned", value, cells.link(agreed, "billing profile"))


def _plan(rights: Rights) -> Highlight:
    subscription = rights.subscription
    if subscription is None:
        return Highlight(Subscription, "Plan", "none")
    due = subscription.due_at
    notes = [f"next due {cells.instant(due)}" if due else "nothing is due by itself"]
    pending = ScheduledChange.objects.pending().filter(subscription=subscription)
    found = list(pending.select_related("plan_version__plan", "coupon")[: SHOWN_CHANGES + 1])
    notes += [change_words.heading(row) for row in found[:SHOWN_CHANGES]]
    notes += ["and more"] if len(found) > SHOWN_CHANGES else []
    return Highlight(
        Subscription,
        "Plan",
        cells.link(subscription, subscription.plan_name),
        format_html_join("", "<div>{}</div>", ((text,) for text in notes)),
    )


def _period(rights: Rights) -> str:
    period = rights.period
    if period is None:
        return ""
    share = "" if period.share.is_whole else f", {period.share} of a whole one"
    kind = "Trial" if period.kind == "TRIAL" else "Open period"
    return f"{kind}: {cells.instant(period.starts_at)} – {cells.instant(period.ends_at)}{share}"


def _gauges(rights: Rights) -> list[Gauge]:
    """What the period counted, whether or not access is granted now."""
    if rights.subscription is None or rights.period is None:
        return []
    terms, share = rights.subscription.plan_terms, rights.period.share
    return [
        _gauge(meter, rights.usage.by_meter.get(meter, Decimal(0)), bound(terms, meter, share))
        for meter in rights.period.meters
    ]


def _gauge(meter: str, used: Decimal, limit: Fraction | None) -> Gauge:
    return Gauge(
        name=meter,
        used=cells.quantity(used),
        allowance="used" if limit is None else f"of {cells.quantity(limit)}",
        percent=_percent(used, limit),
        is_above=limit is not None and Fraction(used) > limit,
    )


def _percent(used: Decimal, limit: Fraction | None) -> int | None:
    if limit is None:
        return None
    if not limit:
        return 100 if used else 0
    return min(int(Fraction(used) * 100 / limit), 100)


def _tables(customer: Customer) -> list[Table]:
    own = {"customer": customer.pk}
    return [
        related.subscriptions(Subscription.objects.filter(customer=customer), **own),
        related.invoices(Invoice.objects.filter(customer=customer), **own),
        dunning.runs(DunningRun.objects.filter(customer=customer), **own),
        notices.table(CustomerNotice.objects.filter(customer=customer), **own),
        grants.table(CreditGrant.objects.filter(customer=customer), **own),
        related.payments(Payment.objects.filter(customer=customer), **own),
        returns.credit_notes_table(CreditNote.objects.filter(customer=customer), **own),
        returns.refunds_table(Refund.objects.filter(customer=customer), **own),
        returns.disputes_table(Dispute.objects.filter(customer=customer), **own),
        related.payment_methods(PaymentMethod.objects.filter(customer=customer), **own),
        related.attempts(
            PaymentAttempt.objects.filter(invoice__customer=customer),
            invoice__customer=customer.pk,
        ),
        related.entries(JournalEntry.objects.filter(customer=customer), **own),
        taxes.numbers_of(customer),
        related.known_as(GatewayCustomer.objects.filter(customer=customer)),
    ]
