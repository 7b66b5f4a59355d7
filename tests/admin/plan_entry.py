"""What an operator types into the plan's form, as a browser sends it."""

from __future__ import annotations

from typing import Any

from django.test import Client

PREMIUM = {
    "name": "Premium",
    "tier": "2",
    "is_public": "on",
    "metadata": "{}",
    "currency": "usd",
    "amount": "180",
    "interval": "MONTH",
    "interval_count": "1",
    "billed": "IN_ARREARS",
    "alignment": "CALENDAR",
    "proration": "DAY",
    "trial_days": "14",
    "trial_usage": "FREE",
    "upgrade_when": "NOW",
    "upgrade_charge": "PRORATE",
    "downgrade_when": "PERIOD_END",
    "downgrade_charge": "PRORATE",
}
ALLOWANCE = {"meter": "api_calls", "model": "ALLOWANCE", "included": "400", "unit_amount": "1.80"}

Row = dict[str, str]


def rows(prefix: str, *entered: Row) -> Row:
    """Rows of a table."""
    sent = {f"{prefix}-TOTAL_FORMS": str(len(entered)), f"{prefix}-INITIAL_FORMS": "0"}
    for index, row in enumerate(entered):
        sent |= {f"{prefix}-{index}-{name}": value for name, value in row.items()}
    return sent


def components(*entered: Row, tiers: tuple[Row, ...] = ()) -> Row:
    """Usage components; the first has the tiers."""
    sent = rows("usage", *entered)
    for index in range(len(entered)):
        sent |= rows(f"usage-{index}-tiers", *(() if index else tiers))
    return sent


def entered(*usage: Row, tiers: tuple[Row, ...] = (), **changes: Any) -> dict[str, Any]:
    """Seed 003's Premium, or one with other components and fields."""
    return {
        **PREMIUM,
        **rows("quantity_pricing-tiers"),
        **components(*(usage or (ALLOWANCE,)), tiers=tiers),
        **rows("features"),
        **rows("limits"),
        **changes,
    }


def as_shown(browser: Client, address: str) -> dict[str, Any]:
    """What a browser sends that changes nothing of the page's form."""
    form = browser.get(address).context["adminform"].form
    parts = [form.quantity, form.quantity.tiers, form.usage, form.features, form.limits]
    parts.extend(component.tiers for component in form.usage.forms)
    sent = _fields(form) | _fields(form.quantity)
    for part in parts:
        if hasattr(part, "management_form"):
            sent |= _fields(part.management_form)
            for row in part.forms:
                sent |= _fields(row)
    return sent


def _fields(form: Any) -> dict[str, str]:
    values = {field.html_name: field.value() for field in form}
    return {
        name: "on" if value is True else str(value).replace("\n", "\r\n")
        for name, value in values.items()
        if value is not None and value is not False
    }
