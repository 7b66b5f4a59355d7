"""Erasing the person, and not the books (GDPR, article 17).

What law requires is kept: finalized documents with the buyer they name, what they were counted
from, and the journal, which names nobody. `docs/privacy.md` tells which columns those are, and a
test looks for everything else in every table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, Func, Value
from django.db.models.functions import Coalesce

from billing.core.errors import ConflictError
from billing.core.lifecycle import OPEN_ATTEMPTS, DisputeStatus, InvoiceStatus
from billing.core.postings import RECEIVABLES, REFUNDS
from billing.gateways import registry
from billing.gateways.abilities import KeepsCopies
from billing.models import (
    Allocation,
    ApiRequest,
    ApiToken,
    CheckoutSession,
    CreditDraw,
    CreditGrant,
    CreditNote,
    CustomerNotice,
    Dispute,
    DisputeEvidence,
    DunningNotice,
    DunningRun,
    GatewayCustomer,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    PortalSession,
    Refund,
    RejectedUsage,
    Subscription,
    UsageEvent,
)
from billing.models.credit import GrantKind
from billing.models.payment import CheckoutStatus
from billing.queries import balances, personal
from billing.services import journal, locks
from customers.models import BillingDetails, Customer, CustomerUser, TaxId, User
from customers.services import DETAILS
from plans.models import Plan

ERASED: Final = "erased"
# Triggers keep these as they are; their authors are numbers of users, and prefixes of tokens.
_WRITTEN_ONCE: Final = frozenset({Allocation, CreditDraw, CreditNote, Payment, UsageEvent})


@transaction.atomic
def erase(customer_id: UUID, *, by: str, now: datetime) -> Customer:
    """Erase the person behind a customer. Again is the same as once.

    :raises NotFoundError: if there is none.
    :raises ConflictError: while a subscription is live, an invoice is being written, or money is
        owed by or to them; its code says which.
    """
    customer = locks.customer(customer_id)
    if customer.erased_at is not None:
        return customer
    present = customer.lives_at(now)
    _require_settled(customer)
    _forget_log(customer)
    _erase_authors(customer)
    _erase_users(customer)
    _erase_texts(customer)
    _erase_rejected_usage(customer)
    _erase_methods(customer, present)
    _erase_access(customer, by=by, now=now)
    _erase_customer(customer, by=by, now=present)
    journal.post(
        journal.Fact(
            kind="CUSTOMER_ERASED",
            key=f"customer:{customer.pk}:erased",
            customer_id=customer.pk,
            occurred_at=present,
            context={"by": by},
        )
    )
    return customer


def _require_settled(customer: Customer) -> None:
    """Refuse while anything is still to come between them and us."""
    for code, why, is_so in _OBSTACLES:
        if is_so(customer):
            raise ConflictError(f"This customer cannot be erased yet: {why}.", code=code)


def _is_live(customer: Customer) -> bool:
    return Subscription.objects.live().filter(customer=customer).exists()


def _has_drafts(customer: Customer) -> bool:
    drafts = Invoice.objects.filter(customer=customer, status=InvoiceStatus.DRAFT)
    return drafts.exists() or InvoiceLine.objects.waiting().filter(customer=customer).exists()


def _has_open_attempt(customer: Customer) -> bool:
    attempts = PaymentAttempt.objects.filter(invoice__customer=customer)
    return attempts.filter(status__in=OPEN_ATTEMPTS).exists()


def _has_open_refund(customer: Customer) -> bool:
    return Refund.objects.filter(customer=customer, status__in=OPEN_ATTEMPTS).exists()


def _has_open_dispute(customer: Customer) -> bool:
    return Dispute.objects.filter(customer=customer, status=DisputeStatus.OPEN).exists()


def _owes_or_is_owed(customer: Customer) -> bool:
    return any(balances.held(customer, account) for account in (RECEIVABLES, REFUNDS))


def _has_paid_credit(customer: Customer) -> bool:
    grants = CreditGrant.objects.filter(customer=customer, kind=GrantKind.PAID)
    return grants.filter(remaining_minor__gt=0).exists()


# In the order in which one would settle them.
_OBSTACLES: Final = (
    ("subscription_live", "a subscription is live", _is_live),
    ("invoice_unfinished", "an invoice is still being written", _has_drafts),
    ("charge_under_way", "a charge is under way", _has_open_attempt),
    ("refund_under_way", "a refund is under way", _has_open_refund),
    ("dispute_open", "a payment is contested", _has_open_dispute),
    ("money_owed", "money is owed", _owes_or_is_owed),
    ("credit_left", "they have paid credit left", _has_paid_credit),
)


_OF_THE_CUSTOMER: Final = (
    "organization_id",
    "metadata",
    "tax_exemption",
    "erased_at",
    "updated_at",
    "updated_by",
    "version",
)


def _forget_log(customer: Customer) -> None:
    """Make the admin's log say that something was done, and not to whom."""
    rows = [(section.model, section.of(customer.pk)) for section in personal.SECTIONS]
    for model, found in rows:
        kind = ContentType.objects.get_for_model(model)
        for keys in _chunks(str(pk) for pk in found.values_list("pk", flat=True).iterator()):
            LogEntry.objects.filter(content_type=kind, object_id__in=keys).update(
                object_repr=ERASED, change_message=""
            )


def _erase_authors(customer: Customer) -> None:
    """Replace the people that rows name as their authors, where those rows can be changed."""
    names = set(_names(customer))
    for section in personal.SECTIONS:
        for column in section.columns:
            if column.endswith("_by") and section.model not in _WRITTEN_ONCE:
                found = section.of(customer.pk).filter(**{f"{column}__in": names})
                found.order_by().update(**{column: ERASED})


def _names(customer: Customer) -> Iterator[str]:
    """What the customer's people and tokens were ever called by."""
    users = User.objects.filter(memberships__customer=customer)
    yield from users.exclude(email="").values_list("email", flat=True)
    yield from filter(None, (customer.details.email, customer.details.name))
    for name, prefix in ApiToken.objects.filter(customer=customer).values_list("name", "prefix"):
        yield name
        yield f"{name} ({prefix}…)"


def _erase_users(customer: Customer) -> None:
    """Delete who acts for nobody else; who is on the staff only acts for this customer no more."""
    members = User.objects.filter(memberships__customer=customer)
    mine = list(members.filter(is_staff=False, is_superuser=False).values_list("pk", flat=True))
    CustomerUser.objects.filter(customer=customer).delete()
    gone = User.objects.filter(pk__in=mine, memberships=None)
    keys = {str(pk) for pk in gone.values_list("pk", flat=True)}
    _end_sessions(keys)
    gone.delete()


def _end_sessions(user_ids: set[str]) -> None:
    """A session names its user only in what is signed into it."""
    if not user_ids:
        return
    for session in Session.objects.iterator():
        if str(session.get_decoded().get(SESSION_KEY)) in user_ids:
            session.delete()


def _erase_texts(customer: Customer) -> None:
    """Free texts that are on no document and in no journal."""
    pk = customer.pk
    canceled = InvoiceLine.objects.filter(invoice__customer=pk, invoice__number=None)
    canceled.update(description=ERASED, explanation="")
    PaymentAttempt.objects.filter(invoice__customer=pk).update(decline_message="")
    Refund.objects.filter(customer=pk).update(decline_message="", reason="")
    Dispute.objects.filter(customer=pk).update(reason="")
    CreditGrant.objects.filter(customer=pk).update(reason="")
    DunningRun.objects.filter(customer=pk).update(note="")
    DunningNotice.objects.filter(run__customer=pk).update(subject=ERASED, text="")
    CustomerNotice.objects.filter(customer=pk).update(subject=ERASED, text="")
    DisputeEvidence.objects.filter(dispute__customer=pk).update(text="", documents=[])


def _erase_rejected_usage(customer: Customer) -> None:
    """Also what names them and was reported before they were known."""
    for name in (str(customer.pk), customer.organization_id):
        RejectedUsage.objects.about(name).delete()


def _erase_methods(customer: Customer, now: datetime) -> None:
    """Remove every payment method, and what was known of it, here and in the mirrors."""
    PaymentMethod.objects.filter(customer=customer).update(
        brand="",
        last4="",
        exp_month=None,
        exp_year=None,
        is_default=False,
        removed_at=Coalesce(F("removed_at"), now),
        version=F("version") + 1,
    )
    visits = CheckoutSession.objects.filter(customer=customer)
    visits.filter(status=CheckoutStatus.OPEN).update(status=CheckoutStatus.EXPIRED)
    visits.update(url="", failure="")
    known = GatewayCustomer.objects.filter(customer=customer)
    for gateway, external_id in known.values_list("gateway", "external_id"):
        vendor = registry.offered().get(gateway)
        if isinstance(vendor, KeepsCopies):
            vendor.forget(external_id)


def _erase_access(customer: Customer, *, by: str, now: datetime) -> None:
    """Revoke their tokens, end their visits, and blank the answers kept for repeated calls."""
    tokens = ApiToken.objects.filter(customer=customer)
    tokens.unrevoked(now).update(revoked_at=now, revoked_by=by)
    tokens.update(name=ERASED)
    visits = PortalSession.objects.filter(customer=customer)
    visits.update(return_url="", success_url="", ended_at=Coalesce(F("ended_at"), now))
    ApiRequest.objects.filter(token__customer=customer).delete()
    ApiRequest.objects.filter(body__contains=str(customer.pk)).update(body="")


def _erase_customer(customer: Customer, *, by: str, now: datetime) -> None:
    """Details, tax numbers, and the organization wherever it is named."""
    BillingDetails.objects.filter(customer=customer).update(**dict.fromkeys(DETAILS, ""))
    TaxId.objects.filter(customer=customer).delete()
    Plan.objects.filter(allowed_organizations__contains=[customer.organization_id]).update(
        allowed_organizations=Func(
            F("allowed_organizations"),
            Value(customer.organization_id),
            function="array_remove",
        )
    )
    # What was reported late will not be billed any more, for there is nobody to bill it to.
    Subscription.objects.filter(customer=customer).update(due_at=None)
    customer.organization_id = f"{ERASED}-{customer.pk}"
    customer.metadata, customer.tax_exemption = {}, ""
    customer.erased_at = customer.updated_at = now
    customer.updated_by = by
    customer.version += 1
    customer.save(update_fields=_OF_THE_CUSTOMER)  # its author was replaced before


def _chunks(keys: Iterable[str], size: int = 5000) -> Iterator[Sequence[str]]:
    chunk: list[str] = []
    for key in keys:
        chunk.append(key)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
