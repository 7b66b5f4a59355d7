"""How single values look on every page of the admin."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.core.figures import figure
from billing.core.money import Money

NOTHING: Final = "–"
_COLOURS: Final = {
    "success": {
        "ACTIVE",
        "PAID",
        "SUCCEEDED",
        "COMPLETED",
        "DEFAULT",
        "HANDLED",
        "GRANTED",
        "RECOVERED",
        "ANSWERED",
        "WON",
        "DELIVERED",
    },
    "info": {"TRIALING", "PENDING", "PROCESSING", "OPEN", "SENDING", "CREATED", "RUNNING"},
    "warning": {
        "INCOMPLETE",
        "PAST_DUE",
        "CHARGED_WITH_ERROR",
        "UNKNOWN",
        "WAITING",
        "IN_PROTEST",
        "ACTION_REQUIRED",
        "UNREACHED",
        "NO_ANSWER",
        "FAILING",
    },
    "danger": {
        "FAILED",
        "UNCOLLECTIBLE",
        "CHARGEBACK",
        "REVOKED",
        "REFUSED",
        "EXHAUSTED",
        "LOST",
        "DISABLED",
    },
}
_COLOUR_OF: Final = {code: colour for colour, codes in _COLOURS.items() for code in codes}


def instant(value: datetime | None) -> str:
    """`2026-04-11 15:00`, in UTC."""
    return NOTHING if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"


def status(code: str) -> SafeString:
    """A code as a coloured label; the words tell as much as the colour."""
    words = code.replace("_", " ").capitalize()
    context = {"text": words, "type": _COLOUR_OF.get(code, "default")}
    return SafeString(render_to_string("unfold/helpers/label.html", context).strip())


def money(amount: Money) -> SafeString:
    """An amount with its currency; never broken across lines, its digits aligned."""
    return format_html('<span class="figure">{}</span>', str(amount))


def quantity(value: Decimal | Fraction | int) -> str:
    """An exact figure without needless zeros."""
    return figure(value)


def link(row: models.Model | None, text: object = None) -> SafeString | str:
    """The row's name (or `text`), leading to its page."""
    if row is None:
        return NOTHING
    return anchor(page_of(type(row), row.pk), row if text is None else text)


def anchor(url: str, text: object) -> SafeString:
    """A link that looks like one."""
    return format_html('<a href="{}" class="text-link">{}</a>', url, text)


def page_of(model: type[models.Model], pk: object) -> str:
    """The URL of a row's page."""
    return reverse(f"admin:{_name(model)}_change", args=[pk])


def list_of(model: type[models.Model]) -> str:
    """The URL of a model's list."""
    return reverse(f"admin:{_name(model)}_changelist")


def code(text: str) -> SafeString | str:
    """An identifier of a vendor's or ours."""
    if not text:
        return NOTHING
    return format_html('<span class="id">{}</span>', text)


def document(value: Any) -> SafeString:
    """JSON as people read it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="document">{}</pre>', text)


def add_of(model: type[models.Model]) -> str:
    """The URL of the form for a new row."""
    return reverse(f"admin:{_name(model)}_add")


def _name(model: type[models.Model]) -> str:
    return model._meta.label_lower.replace(".", "_")  # noqa: SLF001  # Django's documented way
