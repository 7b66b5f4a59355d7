"""What gateways were asked, what came of it, and what it was about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from billing.admin import cells, columns
from billing.admin.base import BooksAdmin
from billing.admin.tables import Table, beginning
from billing.admin.theme import ChangeList
from billing.models import (
    CheckoutSession,
    Dispute,
    DisputeEvidence,
    GatewayCall,
    PaymentAttempt,
    Refund,
)
from billing.services.gateway_events import uuid_of

_SAID: Final = ("When", "Asked to", "Outcome", "Said")
_ABOUT = columns.computed("About", lambda call: _link(call.reference, call.about))


class CallList(ChangeList):
    """The list, with what each call on its page was about."""

    def get_results(self, request: HttpRequest) -> None:
        """Find all that is named on the page at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = _named(call.reference for call in self.result_list)
        for call in self.result_list:
            call.about = found.get(call.reference)


@admin.register(GatewayCall)
class GatewayCallAdmin(BooksAdmin):
    """Every question to a gateway, without its words."""

    list_display = (
        columns.instant("called_at", "when"),
        "gateway",
        "verb",
        columns.status("outcome"),
        _ABOUT,
        "took_ms",
        "detail",
    )
    list_filter = ("gateway", "outcome", "verb")
    search_fields = ("=reference",)
    search_help_text = "The key of the charge, refund or checkout session, whole"
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = (
        columns.instant("called_at", "when"),
        "gateway",
        "verb",
        columns.status("outcome"),
        columns.computed("About", lambda call: _link(call.reference, _about(call))),
        "took_ms",
        columns.code("reference", "key"),
        "detail",
    )
    fields = (readonly_fields[:4], readonly_fields[4:7], readonly_fields[7])

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        """One that knows what calls are about."""
        return CallList


def latest(rows: QuerySet[GatewayCall], **query: object) -> Table:
    """The latest calls, with what they were about."""
    found, more = beginning(rows.order_by("-pk"), **query)
    named = _named(call.reference for call in found)
    cells_of = [
        [*_said(call), _link(call.reference, named.get(call.reference)), call.took_ms]
        for call in found
    ]
    return Table(GatewayCall, "Latest calls", [*_SAID, "About", "#Milliseconds"], cells_of, more)


def about(*rows: Model) -> Table:
    """All calls about an attempt, a refund, a visit, or what disputes were answered with."""
    keys = [str(row.pk) for row in rows]
    calls = GatewayCall.objects.filter(reference__in=keys).order_by("-pk")
    found, more = beginning(calls, reference__in=",".join(keys))
    return Table(
        GatewayCall,
        "Calls about it",
        [*_SAID, "#Milliseconds"],
        [[*_said(call), call.took_ms] for call in found],
        more,
    )


def _said(call: GatewayCall) -> list[object]:
    return [
        cells.link(call, cells.instant(call.called_at)),
        call.verb,
        cells.status(call.outcome),
        call.detail or cells.NOTHING,
    ]


def _about(call: GatewayCall) -> Model | None:
    return _named([call.reference]).get(call.reference)


def _named(references: Iterable[str]) -> Mapping[str, Model]:
    """What our references name, of whichever kind it is."""
    keys = {key for reference in references if (key := uuid_of(reference)) is not None}
    found: dict[UUID, Model] = {}
    for model in (PaymentAttempt, Refund, CheckoutSession, Dispute):
        found |= model.objects.in_bulk(keys - found.keys())
    evidence = DisputeEvidence.objects.select_related("dispute").in_bulk(keys - found.keys())
    found |= {key: row.dispute for key, row in evidence.items()}
    return {str(key): row for key, row in found.items()}


def _link(reference: str, row: Model | None) -> object:
    """The row's page; the bare key where there is none."""
    if row is None:
        return cells.code(reference)
    words = str(row._meta.verbose_name)  # noqa: SLF001  # Django's documented way
    return cells.link(row, f"{words}: {row}")
