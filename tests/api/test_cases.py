"""Worked cases of other billing systems, through `POST /invoice-previews` alone.

The golden tables have all of them; here is a third, as somebody who knows only the API would ask.
"""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Invoice, Subscription
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db

Case = tuple[str, dict[str, Any], list[tuple[str, str, list[str]]]]
APRIL = {"period_start": "2026-04-01T00:00:00Z"}
SEATS = [("50", "0"), ("100", "20"), ("200", "17.5"), (None, "15")]


def a_plan(amount: str, **terms: Any) -> dict[str, Any]:
    return {"currency": "USD", "amount": amount, **terms}


def ahead(amount: str, **terms: Any) -> dict[str, Any]:
    return a_plan(amount, billed="in_advance", **terms)


def tiers(*bounds: tuple[Any, ...]) -> list[dict[str, Any]]:
    names = ("up_to", "unit_amount", "flat_amount", "package_size")
    return [dict(zip(names, bound, strict=False)) for bound in bounds]


def usage(quantity: str, **price: Any) -> dict[str, Any]:
    """A month of one meter, and nothing else."""
    return {"plan": a_plan("0", usage=[{"meter": "units", **price}]), **APRIL} | {
        "usage": {"units": quantity}
    }


def changed(start: str, old: dict[str, Any], when: str, **change: Any) -> dict[str, Any]:
    """A plan since an instant, and a change."""
    return {"plan": old, "period_start": at(start), "change": {"when": at(when), **change}}


def at(text: str) -> str:
    return f"{text}T00:00:00Z" if "T" not in text else f"{text}Z"


PRICES: list[Case] = [
    (
        "stripe volume 25",
        usage("25", model="volume", tiers=tiers(("5", "7"), ("10", "6.5"), (None, "6"))),
        [("2026-05-01", "150.00", ["recurring 0.00", "usage 150.00"])],
    ),
    (
        "stripe graduated 6",
        usage("6", model="graduated", tiers=tiers(("5", "7"), ("10", "6.5"), (None, "6"))),
        [("2026-05-01", "41.50", ["recurring 0.00", "usage 41.50"])],
    ),
    (
        "lago graduated 8, with flat fees",
        usage("8", model="graduated", tiers=tiers(("5", "10", "100"), (None, "5", "50"))),
        [("2026-05-01", "215.00", ["recurring 0.00", "usage 215.00"])],
    ),
    (
        "lago package 121",
        usage("121", model="package", package_size="10", unit_amount="100"),
        [("2026-05-01", "1300.00", ["recurring 0.00", "usage 1300.00"])],
    ),
    (
        "killbill blocks of each tier",
        usage(
            "5325",
            model="graduated",
            tiers=tiers(("1000", "1", "0", "100"), (None, "1", "0", "1000")),
        ),
        [("2026-05-01", "15.00", ["recurring 0.00", "usage 15.00"])],
    ),
    (
        "killbill two units",
        {
            "plan": a_plan(
                "0",
                usage=[
                    {
                        "meter": "minutes",
                        "model": "package",
                        "package_size": "1000",
                        "unit_amount": "0.5",
                    },
                    {
                        "meter": "mbytes",
                        "model": "package",
                        "package_size": "512",
                        "unit_amount": "0.3",
                    },
                ],
            ),
            "usage": {"minutes": "1000", "mbytes": "30720"},
            **APRIL,
        },
        [("2026-05-01", "18.50", ["recurring 0.00", "usage 0.50", "usage 18.00"])],
    ),
    (
        "openmeter minimum above the first tier",
        {
            "plan": a_plan(
                "0",
                minimum="150",
                usage=[
                    {
                        "meter": "units",
                        "model": "volume",
                        "tiers": tiers(("5", "0", "100"), (None, "5")),
                    }
                ],
            ),
            **APRIL,
        },
        [("2026-05-01", "150.00", ["recurring 0.00", "usage 100.00", "minimum 50.00"])],
    ),
    (
        "lago percentage above the free amount",
        usage("26", model="percentage", percent="1", included="15"),
        [("2026-05-01", "0.11", ["recurring 0.00", "usage 0.11"])],
    ),
    (
        "polar 143 seats on a fixed amount",
        {
            "plan": a_plan(
                "999",
                quantity_unit="seat",
                quantity_pricing={"model": "graduated", "tiers": tiers(*SEATS)},
            ),
            "quantity": 143,
            **APRIL,
        },
        [("2026-05-01", "2751.50", ["recurring 2751.50"])],
    ),
]

CHANGES: list[Case] = [
    (
        "lago upgrade by the calendar",
        changed(
            "2024-03-01",
            ahead("10.00", alignment="calendar"),
            "2024-03-12",
            plan=ahead("15.00", alignment="calendar"),
        ),
        [
            ("2024-03-12", "3.23", ["unused -6.45", "recurring 9.68"]),
        ],
    ),
    (
        "lago monthly to yearly keeps the anniversary",
        changed("2023-08-29", ahead("10.00"), "2023-09-28", plan=ahead("120.00", interval="year"))
        | {"started_at": at("2023-06-29"), "period_start": at("2023-09-28")},
        [("2023-09-28", "89.84", ["unused -0.32", "recurring 90.16"])],
    ),
    (
        "polar upgrade to the second",
        changed(
            "2025-06-01",
            ahead("100", proration="second"),
            "2025-06-11",
            plan=ahead("300", proration="second"),
        ),
        [
            ("2025-06-11", "133.33", ["unused -66.67", "recurring 200.00"]),
        ],
    ),
    (
        "polar year to month begins a new period",
        changed(
            "2025-06-01",
            ahead("1000", interval="year", proration="second"),
            "2025-08-13",
            plan=ahead("100", proration="second"),
            charge="reset",
        )
        | {"started_at": at("2025-06-01"), "period_end": at("2025-09-13")},
        [
            ("2025-06-01", "1000.00", ["recurring 1000.00"]),
            ("2025-08-13", "0.00", ["unused -800.00", "recurring 100.00", "carried 700.00"]),
            ("2025-09-13", "0.00", ["carried -700.00", "recurring 100.00", "carried 600.00"]),
        ],
    ),
    (
        "flexprice 5 to 10 seats",
        changed(
            "2024-03-01",
            ahead("10", alignment="calendar", quantity_unit="seat"),
            "2024-03-15",
            quantity=10,
        )
        | {"quantity": 5},
        [("2024-03-15", "27.42", ["unused -27.42", "recurring 54.84"])],
    ),
    (
        "killbill annual to monthly on day 0",
        changed(
            "2012-05-01",
            ahead("2399.95", interval="year"),
            "2012-05-01",
            plan=ahead("249.95"),
            charge="prorate",
        )
        | {"started_at": at("2012-05-01"), "period_end": at("2012-07-01")},
        [
            ("2012-05-01", "2399.95", ["recurring 2399.95"]),
            ("2012-05-01", "0.00", ["unused -2399.95", "recurring 249.95", "carried 2150.00"]),
            ("2012-06-01", "0.00", ["carried -2150.00", "recurring 249.95", "carried 1900.05"]),
            ("2012-07-01", "0.00", ["carried -1900.05", "recurring 249.95", "carried 1650.10"]),
        ],
    ),
    (
        "killbill the billing day moves: 14 of 30",
        changed("2016-04-01", ahead("249.95"), "2016-05-01", billing_anchor=at("2016-05-15")),
        [("2016-05-01", "116.64", ["recurring 116.64"])],
    ),
    (
        "killbill every month has 30 days: 8 of them",
        changed(
            "2023-04-15",
            ahead("19.95", proration="fixed_30"),
            "2023-05-15",
            billing_anchor=at("2023-05-23"),
        ),
        [("2023-05-15", "5.32", ["recurring 5.32"])],
    ),
]

BEGINNINGS: list[Case] = [
    (
        "killbill a period up to the new billing day, stated as such",
        {
            "plan": a_plan("249.95"),
            "period_start": at("2016-07-15"),
            "period_end": at("2016-08-10"),
        },
        [("2016-08-10", "209.64", ["recurring 209.64"])],
    ),
    (
        "flexprice upgrade of a stated period",
        changed("2024-03-01", ahead("10"), "2024-03-15", plan=ahead("20"))
        | {"period_end": at("2024-04-01")},
        [("2024-03-15", "5.49", ["unused -5.48", "recurring 10.97"])],
    ),
    (
        "flexprice add an item",
        {"plan": ahead("25", alignment="calendar"), "started_at": at("2024-03-15")},
        [
            ("2024-03-15", "13.71", ["recurring 13.71"]),
            ("2024-04-01", "25.00", ["recurring 25.00"]),
        ],
    ),
    (
        "silver half a month and half its allowance",
        {
            "plan": ahead(
                "200.00",
                alignment="calendar",
                usage=[
                    {"meter": "units", "model": "allowance", "included": "20", "unit_amount": "2.5"}
                ],
            ),
            "started_at": at("2015-02-15"),
            "usage": {"units": "12"},
        },
        [
            ("2015-02-15", "100.00", ["recurring 100.00"]),
            ("2015-03-01", "205.00", ["usage 5.00", "recurring 200.00"]),
        ],
    ),
    (
        "lago minimum of two days in February",
        {
            "plan": a_plan(
                "100.00",
                alignment="calendar",
                minimum="10000.00",
                usage=[{"meter": "units", "model": "per_unit", "unit_amount": "1"}],
            ),
            "started_at": at("2024-02-28"),
            "usage": {"units": "30.00"},
        },
        [("2024-03-01", "689.66", ["recurring 6.90", "usage 30.00", "minimum 652.76"])],
    ),
    (
        "lago after a trial, in Tokyo",
        {
            "plan": ahead("50000.00", alignment="calendar", trial_days=30),
            "started_at": at("2024-03-02T15:00:00"),
            "timezone": "Asia/Tokyo",
        },
        [("2024-04-01T15:00:00", "48333.33", ["recurring 48333.33"])],
    ),
    (
        "seats that come later do not lose the usage",
        {
            "plan": a_plan(
                "10",
                quantity_unit="seat",
                usage=[{"meter": "units", "model": "per_unit", "unit_amount": "1"}],
            ),
            "quantity": 5,
            "usage": {"units": "25"},
            "change": {"quantity": 10, "when": at("2026-04-11")},
            **APRIL,
        },
        [("2026-05-01", "108.34", ["recurring 16.67", "recurring 66.67", "usage 25.00"])],
    ),
]


@pytest.mark.parametrize(
    ("body", "invoices"),
    [pytest.param(body, found, id=name) for name, body, found in PRICES + CHANGES + BEGINNINGS],
)
def test_case(
    operator: Caller, body: dict[str, Any], invoices: list[tuple[str, str, list[str]]]
) -> None:
    answer = operator.post("/invoice-previews", body)

    assert answer.status == 200, answer.body
    found = [
        (
            invoice["at"],
            invoice["total"],
            [f"{line['kind']} {line['amount']}" for line in invoice["lines"]],
        )
        for invoice in answer.body["invoices"]
    ]
    expected = [(at(when), total, lines) for when, total, lines in invoices]
    assert found[: len(expected)] == expected
    assert not Invoice.objects.exists()
    assert not Subscription.objects.exists()


def test_a_credit_is_of_what_was_paid_under_the_coupon(operator: Caller) -> None:
    """Polar: a quarter off the old plan, half of June left."""
    coupon = operator.post("/coupons", {"code": "QUARTER", "percent_off": "25"})
    assert coupon.status == 201, coupon.body
    body = changed(
        "2025-06-01",
        ahead("100", proration="second"),
        "2025-06-16",
        plan=ahead("1000", proration="second"),
    )

    answer = operator.post("/invoice-previews", {**body, "coupon": "QUARTER"})

    unused, rest = answer.body["invoices"][0]["lines"]
    assert unused["amount"] == "-37.50"
    assert (rest["amount"], rest["discount"]) == ("500.00", "125.00")
