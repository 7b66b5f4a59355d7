"""What the page shows, all of it in words: the template only sets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from billing.core import references
from billing.core.figures import plain
from billing.core.money import Money
from billing.core.taxes import TaxCategory
from billing.documents import girocode, means, wording
from billing.documents.characters import breakable
from billing.documents.values import Document, DocumentLine, Standing
from billing.templatetags.dates import day, until
from billing.templatetags.money import money, quantity, rate
from customers import countries

_ADDRESS: Final = ("address", "line1", "line2")
_NOBODY: Final = "Customer"
# What of an invoice is neither paid nor owed, by its state.
_LEFT: Final = {"Written off": "Written off"}
_MINUS: Final = "\N{MINUS SIGN}"


def of(document: Document) -> dict[str, Any]:
    """The page as the template reads it: texts in lists and names, nothing to be computed."""
    with wording.speaking(document):
        return {**_softened(_texts(document)), "code": _code(document)}


def _texts(document: Document) -> dict[str, Any]:
    standing = document.standing
    return {
        "title": document.title,
        "state": standing.state if standing else "",
        "is_void": standing is not None and standing.is_void,
        "seller": _seller(document),
        "buyer": _buyer(document),
        "facts": _facts(document),
        "has_prices": any(line.unit_amount is not None for line in document.lines),
        "has_rates": len(document.taxes) > 1,
        "lines": [_line(line) for line in document.lines],
        "totals": [*_totals(document), *_settlement(document)],
        "payment": _payment(document),
        "notes": _notes(document),
        "small": _small(document),
    }


def _seller(document: Document) -> dict[str, Any]:
    said = document.seller
    numbers = [
        f"{label} {said[name]}"
        for label, name in (("VAT id", "vat_id"), ("Tax number", "tax_number"))
        if said.get(name)
    ]
    known = [said[name] for name in ("registration", "email", "phone") if said.get(name)]
    return {"name": said.get("name") or "", "lines": [*_place(said, "region"), *numbers, *known]}


def _buyer(document: Document) -> dict[str, Any]:
    said = document.buyer
    numbers = [_number(row) for row in said.get("tax_ids") or ()]
    customer = said.get("organization_id")
    return {
        "name": said.get("name") or customer or _NOBODY,
        "lines": [*_place(said, "state"), *numbers],
    }


def _number(row: Mapping[str, str]) -> str:
    label = "VAT id" if row["type"].endswith("_vat") else "Tax number"
    return f"{label} {row['value']}"


def _place(said: Mapping[str, Any], region: str) -> list[str]:
    """An address, line by line."""
    city = " ".join(filter(None, (said.get("postal_code"), said.get("city"))))
    lines = [line for name in _ADDRESS for line in (said.get(name) or "").splitlines()]
    code = said.get("country") or ""
    country = ", ".join(filter(None, (said.get(region), countries.names().get(code, code))))
    return [line for line in (*lines, city, country) if line]


def _facts(document: Document) -> list[list[str]]:
    """What stands beside the parties: label and value."""
    found = [[f"{document.kind} number", document.number], ["Date", day(document.issued_at)]]
    if document.correction is not None:
        about = document.correction
        invoice = f"{about.invoice_number}, {day(about.invoice_issued_at)}"
        found.append(["For invoice", invoice])
        found.append(["Reason", about.reason.capitalize()])
    if document.start is not None and document.end is not None:
        found.append(["Period", until(document.start, document.end)])
    if document.due_at is not None:
        found.append(["Due by", day(document.due_at)])
    if document.buyer.get("organization_id"):
        found.append(["Customer", document.buyer["organization_id"]])
    return found


def _line(line: DocumentLine) -> dict[str, Any]:
    details = []
    if line.start is not None and line.end is not None:
        details.append(until(line.start, line.end))
    if line.explanation:
        details.append(line.explanation)
    if line.discount:
        details.append(f"Discount {_signed(-line.discount)}")
    if line.is_tax_included and line.tax.percent:
        details.append(f"Tax of {plain(line.tax.percent)} % is included.")
    return {
        "description": line.description,
        "details": details,
        "quantity": quantity(line.quantity),
        "price": _price(line),
        "rate": f"{plain(line.tax.percent)} %",
        "amount": _signed(line.amount),
    }


def _price(line: DocumentLine) -> str:
    """Nothing where the explanation says it."""
    if line.unit_amount is None:
        return ""
    return rate(line.unit_amount, line.amount.currency).replace("-", _MINUS)


def _totals(document: Document) -> Iterator[dict[str, Any]]:
    if document.discount:
        yield _row("Before discounts", document.subtotal)
        yield _row("Discount", -document.discount)
    if _is_taxed(document):
        yield _row("Without tax", document.net)
        for row in document.taxes:
            yield _row(wording.tax(row.tax), row.amount, note=f"on {_signed(row.base)}")
    yield _row("Total", document.total, weight="total")


def _is_taxed(document: Document) -> bool:
    """Whether there is anything to say about tax."""
    return any(row.tax.category != TaxCategory.OUT_OF_SCOPE for row in document.taxes)


def _settlement(document: Document) -> Iterator[dict[str, Any]]:
    """From the total down to what is still to pay; nothing where the one is the other."""
    standing = document.standing
    if standing is None:
        return
    rows = list(_settled(standing))
    left = document.total - standing.due
    for _, amount in rows:
        left -= amount
    if left:
        rows.append((_LEFT.get(standing.state, "Waived"), left))
    for label, amount in rows:
        yield _row(label, -amount)
    if rows:
        yield _row("Still to pay", standing.due, weight="due")


def _settled(standing: Standing) -> Iterator[tuple[str, Money]]:
    for payment in standing.payments:
        yield wording.paid_by(payment), payment.amount
    if standing.credit_applied:
        yield "Paid from credit", standing.credit_applied
    for note in standing.credit_notes:
        if note.to_due:
            yield f"Credit note {note.number}", note.to_due


def _payment(document: Document) -> dict[str, Any]:
    """How it is to be paid, or that there is nothing to do."""
    if document.standing is not None and document.standing.is_charged:
        return {"sentence": "A payment is under way.", "account": []}
    amount, due_at = _next(document)
    if not amount:
        return {"sentence": "", "account": []}
    by = f" by {day(due_at)}" if due_at else ""
    account = means.account(document)
    return {
        "sentence": f"Please pay {money(amount)}{by}.",
        "account": [] if account is None else _account(account, amount),
    }


def _next(document: Document) -> tuple[Money, datetime | None]:
    """What is to be paid next, and by when; nothing while it is on its way by itself."""
    standing = document.standing
    if standing is None or standing.is_charged:
        return Money.zero(document.currency), None
    parts = [part for part in standing.instalments if part.left]
    if standing.due and parts:
        return parts[0].left, parts[0].due_at
    return standing.due, document.due_at


def _code(document: Document) -> str:
    """The same for banking apps."""
    (amount, _), account = _next(document), means.account(document)
    return girocode.of(account, amount) if amount and account else ""


def _account(account: means.Account, amount: Money) -> list[list[str]]:
    rows = [
        ["Amount", money(amount)],
        ["Account holder", account.holder],
        ["IBAN", references.in_groups(account.iban)],
        ["BIC", account.bic],
        ["Bank", account.bank],
        ["Reference", _reference(account.reference)],
    ]
    return [row for row in rows if row[1]]


def _reference(reference: str) -> str:
    return references.in_groups(reference) if reference.startswith("RF") else reference


def _notes(document: Document) -> list[str]:
    """What law asks for, and what was agreed or became of it."""
    found = list(document.notes)
    if document.correction is not None:
        found.append(wording.destination(document.correction))
    standing = document.standing
    if standing is not None:
        found.extend(wording.instalments(standing))
        found.extend(
            f"Credit note {note.number} of {day(note.issued_at)} takes back {money(note.total)}."
            for note in standing.credit_notes
        )
    return found


def _small(document: Document) -> list[str]:
    """What the seller always says; how to pay only where there is something to pay."""
    names = ("footer",) if document.correction else ("terms", "footer")
    return [said for name in names if (said := document.seller.get(name))]


def _row(label: str, amount: Money, *, note: str = "", weight: str = "") -> dict[str, str]:
    return {"label": label, "note": note, "amount": _signed(amount), "weight": weight}


def _signed(amount: Money) -> str:
    """With a minus that is as wide as a figure."""
    return money(amount).replace("-", _MINUS)


def _softened(value: Any) -> Any:
    """The same, in whose texts no word is too long for its line."""
    if isinstance(value, str):
        return breakable(value)
    if isinstance(value, Mapping):
        return {name: _softened(inner) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [_softened(inner) for inner in value]
    return value
