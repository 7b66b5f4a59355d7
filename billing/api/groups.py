"""The groups that the OpenAPI document puts operations in, by their address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Group:
    """A tag of the document.

    :param addresses: the segments of paths that begin its operations' own, `/` between them; ids
        are left out.
    """

    name: str
    description: str
    addresses: Sequence[str]


GROUPS: Final = (
    Group(
        "Catalogue",
        "What is sold: plans with their prices, the meters and features that they speak of, "
        "coupons.",
        ("plans", "meters", "features", "coupons"),
    ),
    Group(
        "Customers",
        "Who pays, how they stand, what is held on them, and what is agreed with them.",
        ("customers",),
    ),
    Group(
        "Entitlements",
        "What a customer may do now, and how much of it is left.",
        ("customers/entitlements", "entitlements", "entitlement-checks"),
    ),
    Group(
        "Subscriptions",
        "Who is on which plan, what shall be different and when, and what that will cost.",
        ("subscriptions", "invoice-previews"),
    ),
    Group(
        "Usage",
        "What was used, counted exactly once.",
        ("usage-events", "usage-rejections", "customers/usage"),
    ),
    Group(
        "Invoices",
        "What is owed and why, and the credit notes that take it back.",
        ("invoices", "credit-notes"),
    ),
    Group(
        "Payments",
        "How invoices get paid: methods, charges, payments by hand, credit, refunds, disputes.",
        (
            "payment-methods",
            "checkout-sessions",
            "portal-sessions",
            "charges",
            "payments",
            "customers/credits",
            "refunds",
            "disputes",
            "transactions",
        ),
    ),
    Group(
        "Dunning",
        "What is done about invoices that are not paid.",
        ("dunning-policies", "dunning-runs"),
    ),
    Group(
        "Gateways",
        "Whom payments go through, and what they send to our bank.",
        ("gateways", "payouts"),
    ),
    Group(
        "Books",
        "The append-only record, and what is read from it.",
        ("journal", "exports", "reports"),
    ),
    Group(
        "Webhooks",
        "What is sent to you when something happens, signed by the Standard Webhooks scheme.",
        ("webhook-endpoints", "deliveries", "events", "webhook-events"),
    ),
    Group("Access", "Tokens, and how often they may call.", ("tokens", "rate-limits")),
    Group("Prism", "The billing contract of Prism, as its document has it.", ("billing",)),
    Group("Test clocks", "Time that moves on command; in sandboxes only.", ("test-clocks",)),
)


def group_of(path: str, base: str) -> str:
    """The name of the group that an address belongs to, by the longest of those that fit.

    :param base: what may stand before the segments that matter. Where none fits, the first of them
        is the name.
    """
    segments = [part for part in path.removeprefix(base).split("/") if part and "{" not in part]
    own = "/".join(segments)
    fitting = [
        (len(address), group.name)
        for group in GROUPS
        for address in group.addresses
        if f"{own}/".startswith(f"{address}/")
    ]
    return max(fitting)[1] if fitting else segments[0].replace("-", " ").capitalize()
