"""A customer's invoices, as they themselves may see them: numbered ones only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billing.core import lifecycle
from billing.core.errors import NotFoundError
from billing.core.money import Money
from billing.models import Invoice, InvoiceLine, PaymentAttempt, PaymentMethod
from billing.models.invoice import InvoiceQuerySet
from billing.queries import balances, instalments
from billing.queries.instalments import Agreed
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice with all that its page says.

    :param due: what is still owed, by the journal.
    :param method: what would be charged; None without a default.
    :param credit_applied: what the customer's credit settled.
    :param instalments: the parts it is paid in; empty where it is due whole.
    """

    invoice: Invoice
    lines: Sequence[InvoiceLine]
    attempts: Sequence[PaymentAttempt]
    due: Money
    method: PaymentMethod | None
    credit_applied: Money
    instalments: Sequence[Agreed]

    @property
    def is_charging(self) -> bool:
        """Whether a charge is under way."""
        return any(attempt.status in lifecycle.OPEN_ATTEMPTS for attempt in self.attempts)

    @property
    def is_collectible(self) -> bool:
        """Whether it is owed and may be charged now."""
        return self.invoice.status in lifecycle.COLLECTIBLE and not self.is_charging


def listed(customer: Customer) -> InvoiceQuerySet:
    """All of a customer's, newest first."""
    rows = Invoice.objects.filter(customer=customer, number__isnull=False)
    return rows.order_by("-issued_at", "-sequence")


def find(customer: Customer, invoice_id: UUID) -> Document:
    """One of them.

    :raises NotFoundError: if it is not theirs, or has no number yet.
    """
    invoice = listed(customer).filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFoundError("There is no such invoice.", code="not_found")
    methods = PaymentMethod.objects.usable().filter(customer=customer, is_default=True)
    return Document(
        invoice=invoice,
        lines=list(invoice.lines.order_by("position")),
        attempts=list(invoice.attempts.select_related("payment_method").order_by("created_at")),
        due=Money(balances.due_on([invoice])[invoice.pk], invoice.currency),
        method=methods.first(),
        credit_applied=Money(balances.credit_on([invoice]).get(invoice.pk, 0), invoice.currency),
        instalments=instalments.agreed([invoice]).get(invoice.pk, ()),
    )
