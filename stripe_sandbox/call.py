"""One request being answered: what it asks, and what answering it may do."""

from __future__ import annotations

from dataclasses import dataclass, field

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json, previous_attributes
from stripe_sandbox.sdk import shapes
from stripe_sandbox.state import State
from stripe_sandbox.webhooks import events

# How Stripe names a kind in "No such …", where it differs from the kind itself.
_NOUNS = {
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
    "webhook_endpoint": "webhook endpoint",
    "test_helpers.test_clock": "testclock",
}


@dataclass(frozen=True)
class Call:
    """What an operation works with: validated parameters in, objects and events out."""

    state: State
    base_url: str
    params: Json = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    path: str = ""
    origin: events.Origin = field(default_factory=events.Origin)

    def now(self, customer: object = None) -> int:
        """Return the time, which for a customer on a test clock is that clock's."""
        if isinstance(customer, str):
            owner = self.state.objects.find(customer, "customer") or {}
            clock = self.state.objects.find(owner.get("test_clock") or "")
            if clock and "frozen_time" in clock:
                return int(clock["frozen_time"])
        return int(self.state.clock())

    def target(self, kind: str, arg: str | None = None) -> Json:
        """Return the object the path names.

        :raises ApiError: 404, if there is none or it was deleted.
        """
        name = arg or next(iter(self.args))
        found = self.state.objects.find(self.args[name], kind)
        if found is None or found.get("deleted"):
            param = name if name == "intent" else "id"
            raise errors.no_such(_noun(kind), self.args[name], param, status=404)
        return found

    def fetch(self, kind: str, object_id: str, param: str) -> Json:
        """Return the object a parameter names.

        :raises ApiError: 400, if there is none or it was deleted.
        """
        found = self.state.objects.find(object_id, kind)
        if found is None or found.get("deleted"):
            raise errors.no_such(_noun(kind), object_id, param)
        return found

    def create(
        self, kind: str, body: Json, *, event: str | None = None, notes: Json | None = None
    ) -> Json:
        """Store a new object, complete, and tell of it."""
        stamped = {"created": self.now(body.get("customer")), "livemode": False} | body
        known = shapes.attributes(kind)
        whole = shapes.complete(kind, {k: v for k, v in stamped.items() if k in known})
        self.state.objects.add(whole, notes)
        if event:
            self.emit(event, whole)
        return whole

    def change(self, before: Json, changes: Json, *, event: str | None = None) -> Json:
        """Store what changed of an object; tell of it with what it was, if anything did."""
        after = shapes.complete(before["object"], {**before, **changes})
        if after == before:
            return before
        self.state.objects.save(after)
        if event:
            previous = previous_attributes(before, after) if _tells_previous(event) else None
            self.emit(event, after, previous)
        return after

    def remove(self, body: Json, *, event: str | None = None) -> Json:
        """Delete an object and return the marker that is left of it."""
        marker: Json = {"id": body["id"], "object": body["object"], "deleted": True}
        self.state.objects.bury(marker)
        if event:
            self.emit(event, body)
        return marker

    def emit(self, event: str, body: Json, previous: Json | None = None) -> None:
        """Record an event and queue its notifications."""
        customer = body["id"] if body["object"] == "customer" else body.get("customer")
        told = events.Told(event, body, previous, self.now(customer))
        events.record(self.state, told, self.origin)


def _noun(kind: str) -> str:
    return _NOUNS.get(kind, kind)


def _tells_previous(event: str) -> bool:
    return event.endswith((".updated", ".refunded", ".automatically_updated"))
