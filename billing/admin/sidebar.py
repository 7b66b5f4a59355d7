"""What stands on the left of every page, and at the front: ways in, and what needs attention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from django.apps import apps
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from billing.admin import cells, disputes, exports, related, reports, tables
from billing.core import lifecycle
from billing.core.dunning import DunningStatus
from billing.core.lifecycle import AttemptStatus, DisputeStatus, InvoiceStatus
from billing.models import (
    Dispute,
    DunningRun,
    GatewayEvent,
    GatewayRoute,
    Invoice,
    PaymentAttempt,
    Refund,
    RejectedUsage,
    ScheduledChange,
    Subscription,
    UsageEvent,
    WebhookEndpoint,
)
from billing.models.schedule import ChangeStatus
from customers.models import Customer, TaxId

MOST_COUNTED: Final = 1000

# Title, and the models in it, each with its icon.
_GROUPS: Final = (
    (
        "Customers",
        "customers.Customer group",
        "customers.TaxId badge",
        "billing.CustomerNotice mail",
        "billing.Subscription autorenew",
        "billing.ScheduledChange event_upcoming",
    ),
    (
        "Invoices",
        "billing.Invoice receipt_long",
        "billing.CreditNote undo",
        "billing.InvoiceSeries tag",
        "billing.Seller store",
        "billing.TaxRate percent",
    ),
    (
        "Payments",
        "billing.PaymentMethod credit_card",
        "billing.PaymentAttempt sync",
        "billing.Payment payments",
        "billing.Refund currency_exchange",
        "billing.Dispute gavel",
        "billing.Allocation call_split",
        "billing.CreditGrant savings",
        "billing.CreditDraw remove_circle",
        "billing.CheckoutSession shopping_cart_checkout",
        "billing.PortalSession door_open",
    ),
    (
        "Gateways",
        "billing.GatewayRoute alt_route",
        "billing.GatewayCall call",
        "billing.GatewayEvent webhook",
        "billing.GatewayPayout account_balance_wallet",
        "billing.GatewayMovement swap_vert",
    ),
    (
        "Dunning",
        "billing.DunningRun notification_important",
        "billing.DunningPolicy policy",
        "billing.BillingProfile handshake",
    ),
    (
        "Journal",
        "billing.JournalEntry menu_book",
        "billing.JournalLine list_alt",
        "billing.LedgerAccount account_balance",
        "billing.JournalBlock lock",
    ),
    (
        "Usage",
        "billing.UsageEvent bolt",
        "billing.RejectedUsage report",
        "billing.BillingPeriod date_range",
        "billing.UsageTotal functions",
        "billing.UsageDay bar_chart",
    ),
    (
        "Catalogue",
        "plans.Plan sell",
        "plans.Coupon redeem",
        "plans.Meter speed",
        "plans.Feature toggle_on",
    ),
    (
        "Integration",
        "billing.ApiToken key",
        "billing.ApiRequest http",
        "billing.WebhookEndpoint webhook",
        "billing.Delivery outbox",
        "customers.TestClock timer",
    ),
    ("People", "customers.User person", "auth.Group shield_person"),
)
_STRIPE: Final = "Stripe's objects"
_WITH_PAGES: Final = "Journal"
_PAGES: Final = (
    ("Reports", "monitoring", reports.NAME),
    ("Exports", "download", exports.NAME),
)


# A title, the rows it counts, and how their list is narrowed to them.
_Watched: TypeAlias = tuple[str, QuerySet[Any], str]


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that may need an operator."""

    title: str
    count: str
    url: str
    is_pressing: bool


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar, each with what the user may view."""
    groups = [_group(title, entries, request) for title, *entries in _GROUPS]
    mirrored = [
        f"{model._meta.label} cloud"  # noqa: SLF001  # Django's documented way
        for model in apps.get_app_config("djstripe").get_models()
        if admin.site.is_registered(model)
    ]
    stripe = _group(_STRIPE, sorted(mirrored), request) | {"collapsible": True}
    for group in groups:
        if group["title"] == _WITH_PAGES and group["items"]:
            for title, icon, name in _PAGES:
                link = reverse(f"admin:{name}")
                group["items"].append({"title": title, "icon": icon, "link": link})
    return [group for group in (*groups, stripe) if group["items"]]


def front(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The front page: our own applications, and what needs attention."""
    apps_shown = [app for app in context["app_list"] if app["app_label"] != "djstripe"]
    search = cells.list_of(Customer) if tables.may_view(Customer, request.user) else ""
    return {
        **context,
        "title": "Overview",
        "app_list": apps_shown,
        "tables": tables.visible([related.newest_entries()], request.user),
        "concerns": list(_concerns(request)),
        "search_url": search,
    }


def _group(title: str, entries: Iterable[str], request: HttpRequest) -> dict[str, Any]:
    items = []
    for entry in entries:
        label, icon = entry.split()
        model = apps.get_model(label)
        if tables.may_view(model, request.user):
            words = str(model._meta.verbose_name_plural)  # noqa: SLF001  # as above
            link = cells.list_of(model)
            items.append({"title": words.capitalize(), "icon": icon, "link": link})
    return {"title": title, "separator": True, "items": items}


def _concerns(request: HttpRequest) -> Iterator[Concern]:
    for title, rows, query in (*_unpaid(), *_moving(), *_at_gateways(), *_unfinished()):
        model: type[Model] = rows.model
        if tables.may_view(model, request.user):
            found = rows.order_by()[: MOST_COUNTED + 1].count()
            count = f"more than {MOST_COUNTED}" if found > MOST_COUNTED else str(found)
            yield Concern(title, count, f"{cells.list_of(model)}?{query}", is_pressing=found > 0)


def _unpaid() -> list[_Watched]:
    """What customers owe."""
    declined, exhausted = InvoiceStatus.CHARGED_WITH_ERROR, DunningStatus.EXHAUSTED
    return [
        (
            "Invoices whose charge was declined",
            Invoice.objects.filter(status=declined),
            f"status__exact={declined}",
        ),
        (
            "Invoices dunned to the end and still owed",
            DunningRun.objects.filter(status=exhausted, invoice__status=declined),
            f"status__exact={exhausted}&invoice__status__exact={declined}",
        ),
        (
            "Ends of dunning that could not be",
            DunningRun.objects.filter(status=exhausted).exclude(note=""),
            f"status__exact={exhausted}&note__isempty=0",
        ),
    ]


def _moving() -> list[_Watched]:
    """Money on its way that does not arrive by itself."""
    return [
        (
            "Refunds to be paid out by hand",
            Refund.objects.filter(
                payment__attempt__isnull=True, status__in=lifecycle.OPEN_ATTEMPTS
            ),
            "payment__attempt__isempty=1&status__exact=CREATED",
        ),
        (
            "Refunds that failed",
            Refund.objects.filter(status=AttemptStatus.FAILED),
            f"status__exact={AttemptStatus.FAILED}",
        ),
        (
            "Disputes to be decided",
            Dispute.objects.filter(status=DisputeStatus.OPEN),
            f"status__exact={DisputeStatus.OPEN}",
        ),
    ]


def _at_gateways() -> list[_Watched]:
    """What gateways give no answer about, or wait for ours."""
    in_doubt = [AttemptStatus.SENDING, AttemptStatus.UNKNOWN]
    return [
        (
            "Charges without an answer",
            PaymentAttempt.objects.filter(status__in=in_doubt),
            f"status__in={','.join(in_doubt)}",
        ),
        (
            "Charges that need a decision",
            PaymentAttempt.objects.filter(is_undecided=True),
            "is_undecided__exact=1",
        ),
        (
            "Refunds asked about in vain",
            Refund.objects.filter(is_undecided=True),
            "is_undecided__exact=1",
        ),
        (
            "Gateways that do not answer",
            GatewayRoute.objects.filter(opened_at__isnull=False),
            "opened_at__isempty=0",
        ),
        (
            "Disputes whose evidence is due within 3 days",
            disputes.due_soon(Dispute.objects.all()),
            "evidence=soon",
        ),
    ]


def _unfinished() -> list[_Watched]:
    """What should have come to its end."""
    return [
        (
            "Notifications tried in vain",
            GatewayEvent.objects.filter(handled_at=None, tries__gt=0),
            "state=failing",
        ),
        (
            "Webhook endpoints that we disabled",
            WebhookEndpoint.objects.exclude(disabled_reason=""),
            "disabled_reason__isempty=0",
        ),
        (
            "Subscriptions set aside by the run",
            Subscription.objects.exclude(stalled_reason=""),
            "stalled_reason__isempty=0",
        ),
        (
            "Changes that failed when they were due",
            ScheduledChange.objects.filter(status=ChangeStatus.FAILED),
            f"status__exact={ChangeStatus.FAILED}",
        ),
        (
            "Tax numbers that nobody answers about",
            TaxId.objects.filter(tries__gt=0),
            "tries__gt=0",
        ),
        (
            "Usage that was not counted",
            RejectedUsage.objects.filter(resolved_at=None),
            "status=open",
        ),
        (
            "Usage that waits for a period",
            UsageEvent.objects.filter(period=None, withdrawn_at=None),
            "period_state=waiting",
        ),
    ]
