"""Gateways: which are asked for what, how their calls go, and who has set them so."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock, tasks
from billing.admin import calls, cells, change_words, columns
from billing.admin.base import OperatorAdmin, by
from billing.admin.route_form import RouteForm
from billing.admin.tables import SHOWN, Table
from billing.admin.theme import dialog_action
from billing.gateways import registry
from billing.gateways.abilities import abilities
from billing.gateways.base import Capabilities
from billing.models import GatewayCall, GatewayRoute, JournalEntry
from billing.models.payment import KIND_WORDS
from billing.services import routes, settlements

_ABILITIES: Final = {
    "asks_payer": "payments may wait for the payer",
    "takes_evidence": "takes evidence on disputes",
    "reports_money": "tells of fees and payouts",
    "recalls": "can be compared with our books",
}


def _title(route: GatewayRoute) -> str:
    declared = _declared(route)
    return declared.title if declared else f"{route.name} (not configured)"


def _declared(route: GatewayRoute) -> Capabilities | None:
    gateway = registry.offered().get(route.name)
    return gateway.capabilities if gateway else None


def _breaker(route: GatewayRoute) -> object:
    """Whether calls go through, in words."""
    breaker = route.breaker
    if not breaker.is_open:
        return "closed"
    since, probe = cells.instant(breaker.opened_at), cells.instant(breaker.probe_at)
    return change_words.fault(f"open since {since}, next probe {probe}")


def _takes(route: GatewayRoute) -> str:
    """All that the gateway declares."""
    declared = _declared(route)
    if declared is None:
        return cells.NOTHING
    kinds = ", ".join(KIND_WORDS.get(kind, kind) for kind in declared.kinds)
    codes = ", ".join(sorted(declared.currencies)) if declared.currencies else "all currencies"
    return f"{kinds}; {codes}"


def _can(route: GatewayRoute) -> str:
    gateway = registry.offered().get(route.name)
    words = [] if gateway is None else [_ABILITIES.get(it, it) for it in abilities(gateway)]
    return "; ".join(words) or cells.NOTHING


def _listed(name: str, empty: str) -> Any:
    return columns.computed(
        name.capitalize(), lambda route: ", ".join(getattr(route, name)) or empty
    )


def _methods(route: GatewayRoute) -> str:
    return ", ".join(KIND_WORDS.get(kind, kind) for kind in route.methods) or "all it takes"


_SET: Final = (
    "is_enabled",
    "priority",
    "weight",
    _listed("currencies", "all it takes"),
    _listed("countries", "everywhere"),
    columns.computed("Methods", _methods),
    "has_failover",
)
_HEALTH: Final = (columns.computed("Breaker", _breaker), "failures")
_DECLARED: Final = (
    columns.computed("Gateway", _title),
    "name",
    columns.computed("Takes", _takes),
    columns.computed("Beyond that", _can),
)
_CHANGED: Final = ("updated_by", columns.instant("updated_at", "last changed"))


@admin.register(GatewayRoute)
class GatewayRouteAdmin(OperatorAdmin):
    """Every gateway that is configured; how it is set is in force for the next charge."""

    form = RouteForm
    list_display = (columns.computed("Gateway", _title), *_SET, *_HEALTH)
    list_filter = ("is_enabled", ("opened_at", admin.EmptyFieldListFilter))
    ordering = ("priority", "name")
    actions_detail = ("switch_off", "switch_on", "take_over")
    readonly_fields = (*_DECLARED, *_HEALTH, *_CHANGED)
    fieldsets = (
        (None, {"fields": (_DECLARED[:2], _DECLARED[2:])}),
        (
            "When it is asked",
            {
                "fields": (
                    ("is_enabled", "has_failover"),
                    ("priority", "weight"),
                    ("currencies", "countries"),
                    "methods",
                )
            },
        ),
        ("How its calls go", {"fields": (_HEALTH,)}),
        ("Who changed it last", {"fields": (_CHANGED,)}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A gateway is configured where Bursar is installed."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With a row of each, even of those that nobody has touched yet."""
        for gateway, row in routes.listed():
            if row._state.adding:  # noqa: SLF001  # the key is there before the row
                routes.row(gateway.name)
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def get_fieldsets(self, request: HttpRequest, obj: GatewayRoute | None = None) -> Any:
        """The form; to those who may not change it, what it says."""
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        shown = (*_DECLARED, *_SET, *_HEALTH, *_CHANGED)
        return [(None, {"fields": shown})]

    def get_readonly_fields(
        self, request: HttpRequest, obj: GatewayRoute | None = None
    ) -> tuple[Any, ...]:
        """All of it, for them."""
        if self.has_change_permission(request, obj):
            return self.readonly_fields
        return (*_DECLARED, *_SET, *_HEALTH, *_CHANGED)

    def save_model(
        self,
        request: HttpRequest,
        obj: GatewayRoute,
        form: RouteForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Set it by its service."""
        if form.changes:
            routes.update(
                obj.name,
                form.changes,
                by=by(request),
                now=clock.now(),
                expected_version=form.cleaned_data["version"],
            )

    def tables(self, obj: GatewayRoute) -> list[Table]:
        """What it was asked lately, and how it was set before."""
        latest = GatewayCall.objects.filter(gateway=obj.name)
        return [calls.latest(latest, gateway=obj.name), _changes(obj)]

    def is_offered(self, action: str, obj: GatewayRoute) -> bool:
        """Switching to what it is not; taking over from those that tell."""
        if action == "take_over":
            return obj.name in settlements.reporting()
        return obj.is_enabled == (action == "switch_off")

    @dialog_action(
        "Switch off",
        "Nothing new is charged or set up there; what is under way goes on, and refunds do too.",
        icon="toggle_off",
        is_danger=True,
    )
    def switch_off(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Ask it nothing new."""
        return self._switch(request, object_id, is_enabled=False)

    @dialog_action("Switch on", "It is asked again from the next charge on.", icon="toggle_on")
    def switch_on(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Ask it again."""
        return self._switch(request, object_id, is_enabled=True)

    @dialog_action(
        "Take over now",
        "What gateways kept as fees and paid out in the last days is taken over at once, from"
        " every gateway that tells.",
        icon="account_balance",
    )
    def take_over(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Do not wait for the daily hour."""

        def command(route: GatewayRoute) -> str:
            tasks.soon(tasks.take_over_settlements)
            return "Fees and payouts are being taken over."

        return self.act(request, object_id, command)

    def _switch(self, request: HttpRequest, object_id: str, *, is_enabled: bool) -> HttpResponse:
        def command(route: GatewayRoute) -> str:
            changes = {"is_enabled": is_enabled}
            routes.update(route.name, changes, by=by(request), now=clock.now())
            return f"{_title(route)} is switched {'on' if is_enabled else 'off'}."

        return self.act(request, object_id, command)


def _changes(route: GatewayRoute) -> Table:
    """Who set what, newest first; found by the keys of the facts."""
    newest = range(route.version, max(route.version - SHOWN, 1), -1)
    keys = [f"gateway:{route.name}:{version}" for version in newest]
    facts = JournalEntry.objects.filter(idempotency_key__in=keys).order_by("-occurred_at", "-pk")
    rows = [
        [
            cells.link(fact, cells.instant(fact.occurred_at)),
            fact.context["by"],
            _said(fact.context["before"]),
            _said(fact.context["after"]),
        ]
        for fact in facts
    ]
    return Table(JournalEntry, "Changes", ["When", "By", "Before", "After"], rows)


def _said(values: dict[str, Any]) -> str:
    return "; ".join(f"{name.replace('_', ' ')}: {_word(it)}" for name, it in values.items())


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "all"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
