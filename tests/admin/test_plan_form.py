"""The plan's form: every term in fields, tiers in rows, and what it would cost beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from customers.models import User
from plans.models import Plan
from plans.prices import Price, Tier, UsageModel
from plans.terms import (
    Alignment,
    Billed,
    ChangeCharge,
    ChangePolicy,
    ChangeTime,
    Interval,
    PlanTerms,
    Proration,
    TrialUsage,
    UsageTerms,
)
from tests.admin.conftest import signed_in
from tests.admin.plan_entry import ALLOWANCE, Row, as_shown, entered, rows
from tests.admin.urls_of import add, change
from tests.builders import make_meter, make_plan
from tests.terms import seed_terms

pytestmark = pytest.mark.django_db

TIERS: tuple[Row, ...] = (
    {"up_to": "100", "unit_amount": "2", "flat_amount": "5"},
    {"up_to": "1000", "unit_amount": "1.5", "package_size": "10"},
    {"up_to": "", "unit_amount": "1"},
)
READ = (
    Tier(Decimal(100), Decimal(2), Decimal(5)),
    Tier(Decimal(1000), Decimal("1.5"), package_size=Decimal(10)),
    Tier(None, Decimal(1)),
)
EVERYTHING = PlanTerms(
    currency="KWD",
    amount=Decimal("12.345"),
    interval=Interval.YEAR,
    interval_count=2,
    alignment=Alignment.CALENDAR,
    billed=Billed.IN_ADVANCE,
    trial_days=7,
    trial_usage=TrialUsage.COUNTED,
    trial_needs_method=True,
    quantity_unit="seat",
    quantity_pricing=Price(UsageModel.VOLUME, tiers=READ),
    minimum_quantity=3,
    minimum=Decimal(25),
    usage=(
        UsageTerms(
            "api_calls",
            Price(UsageModel.PACKAGE, Decimal("0.5"), Decimal(10), package_size=Decimal(100)),
            {"model": ("a, b", " c=d"), "region": ("eu",)},
        ),
        UsageTerms("api_calls", Price(UsageModel.PER_UNIT, Decimal("0.000000000001"))),
        UsageTerms("sales", Price(UsageModel.PERCENTAGE, percent=Decimal("2.5"))),
        UsageTerms("storage", Price(UsageModel.GRADUATED, tiers=READ)),
    ),
    proration=Proration.FIXED_30,
    first_day_counts=False,
    upgrade=ChangePolicy(ChangeTime.PERIOD_END, ChangeCharge.FULL),
    downgrade=ChangePolicy(ChangeTime.NOW, ChangeCharge.RESET),
    features={"sso": True, "export": "csv", "beta": False, "weight": 5, "yes": "yes please"},
    limits={"seats": "5"},
)


ENTERED = entered(
    {"meter": "storage", "model": "GRADUATED"},
    {
        "meter": "api_calls",
        "model": "PACKAGE",
        "included": "10",
        "unit_amount": "0.5",
        "package_size": "100",
        "only": "region = eu\nmodel=large\n\n model = xl",
    },
    {"meter": "api_calls", "model": "PER_UNIT", "unit_amount": "0.000000000001"},
    {"meter": "sales", "model": "PERCENTAGE", "percent": "2.5"},
    tiers=TIERS,
    currency="kwd",
    amount="12.345",
    interval="YEAR",
    interval_count="2",
    billed="IN_ADVANCE",
    alignment="CALENDAR",
    quantity_unit="seat",
    minimum_quantity="3",
    minimum="25",
    trial_days="7",
    trial_usage="COUNTED",
    trial_needs_method="on",
    proration="FIXED_30",
    upgrade_when="PERIOD_END",
    upgrade_charge="FULL",
    downgrade_when="NOW",
    downgrade_charge="RESET",
    **{"quantity_pricing-model": "VOLUME"},
    **rows("quantity_pricing-tiers", *TIERS),
    **rows("features", {"name": "sso", "value": "Yes"}, {"name": "export", "value": "csv"}),
    **rows("limits", {"name": "seats", "value": "5"}),
)


@pytest.fixture(autouse=True)
def _meters(db: None) -> None:
    for code in ("api_calls", "storage", "sales"):
        make_meter(code)


def test_whatever_terms_say_the_form_shows_and_keeps(operator: Client) -> None:
    plan = make_plan("Everything", EVERYTHING)

    assert operator.post(change(plan), as_shown(operator, change(plan))).status_code == 302

    plan = Plan.objects.readable().get()
    assert (plan.terms, plan.version) == (EVERYTHING, 1)


def test_nobodys_change_is_undone_unseen(operator: Client) -> None:
    plan = make_plan()
    first, second = (as_shown(operator, change(plan)) for _ in range(2))
    assert operator.post(change(plan), {**first, "amount": "190"}).status_code == 302

    late = operator.post(change(plan), {**second, "trial_days": "30"})

    assert "Somebody has changed the terms meanwhile." in errors_of(late)["__all__"][0]
    terms = Plan.objects.readable().get().terms
    assert (terms.amount, terms.trial_days) == (Decimal(190), 14)


def test_every_term_can_be_entered(operator: Client) -> None:
    filtered = replace(EVERYTHING.usage[0], only={"region": ("eu",), "model": ("large", "xl")})

    answer = operator.post(add(Plan), ENTERED)

    assert answer.status_code == 302, errors_of(answer)
    assert Plan.objects.readable().get().terms == replace(
        EVERYTHING,
        usage=(EVERYTHING.usage[3], filtered, *EVERYTHING.usage[1:3]),
        features={"sso": True, "export": "csv"},
    )


def test_blank_rows_and_removed_ones_are_not_there(operator: Client) -> None:
    gone = {"up_to": "5", "unit_amount": "wrong", "DELETE": "on"}
    sent = entered(
        {"meter": "storage", "model": "GRADUATED"},
        {"meter": "", "model": "ALLOWANCE"},
        {**ALLOWANCE, "unit_amount": "", "DELETE": "on"},
        tiers=(TIERS[0], {}, gone, TIERS[2], {}),
        **rows("limits", {"name": "", "value": ""}, {"name": "a", "value": "1", "DELETE": "on"}),
    )

    answer = operator.post(add(Plan), sent)

    assert answer.status_code == 302, errors_of(answer)
    terms = Plan.objects.readable().get().terms
    assert terms.usage == (
        UsageTerms("storage", Price(UsageModel.GRADUATED, tiers=(READ[0], READ[2]))),
    )
    assert terms.limits == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"interval_count": "61"}, "interval_count"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "1.234"}, "amount"),
        ({"amount": "1E+400"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"currency": "?"}, "currency"),
        ({"currency": "XXA"}, "currency"),
        ({"minimum_quantity": "2"}, "minimum_quantity"),
        ({"quantity_pricing-model": "VOLUME"}, "quantity_pricing-model"),
        (
            {
                "quantity_pricing-model": "PACKAGE",
                "quantity_pricing-unit_amount": "1",
                "quantity_pricing-package_size": "5",
            },
            "quantity_unit",
        ),
        ({"usage-0-meter": ""}, "usage-0-meter"),
        ({"usage-0-meter": "teleports"}, "usage-0-meter"),
        ({"usage-0-unit_amount": ""}, "usage-0-unit_amount"),
        ({"usage-0-model": "PER_UNIT"}, "usage-0-included"),
        ({"usage-0-model": "PERCENTAGE", "usage-0-unit_amount": ""}, "usage-0-percent"),
        ({"usage-0-model": "PACKAGE"}, "usage-0-package_size"),
        ({"usage-0-package_size": "0"}, "usage-0-package_size"),
        ({"usage-0-only": "region"}, "usage-0-only"),
        ({"usage-0-only": "=eu"}, "usage-0-only"),
        ({"usage-0-only": "region=" + "x" * 300}, "usage-0-only"),
        (rows("features", {"name": "sso"}), "features-0-value"),
    ],
)
def test_a_fault_is_shown_where_it_was_made(
    operator: Client, changes: dict[str, Any], field: str
) -> None:
    answer = operator.post(add(Plan), entered(**changes))

    assert answer.status_code == 200
    assert field in errors_of(answer)
    assert answer.context["errors"]
    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("tiers", "field"),
    [
        ((), "usage-0-model"),
        (TIERS[:2], "usage-0-tiers-1-up_to"),
        ((TIERS[2], TIERS[0]), "usage-0-tiers-0-up_to"),
        ((TIERS[1], TIERS[0], TIERS[2]), "usage-0-tiers-1-up_to"),
        (({"up_to": "many"}, TIERS[2]), "usage-0-tiers-0-up_to"),
        (({"up_to": "5", "package_size": "0"}, TIERS[2]), "usage-0-tiers-0-package_size"),
    ],
)
def test_a_fault_in_a_tier_is_shown_in_its_row(
    operator: Client, tiers: tuple[Row, ...], field: str
) -> None:
    sent = entered({"meter": "storage", "model": "VOLUME"}, tiers=tiers)

    answer = operator.post(add(Plan), sent)

    assert answer.status_code == 200
    assert field in errors_of(answer)
    assert not Plan.objects.exists()


def test_tiers_are_refused_where_the_price_has_none(operator: Client) -> None:
    answer = operator.post(add(Plan), entered(tiers=TIERS))

    assert errors_of(answer)["usage-0-model"] == ["It has no tiers: remove them."]


def test_the_same_meter_twice_is_shown_where_it_comes_again(operator: Client) -> None:
    answer = operator.post(add(Plan), entered(ALLOWANCE, ALLOWANCE))

    assert "usage-1-meter" in errors_of(answer)
    assert "usage-0-meter" not in errors_of(answer)


def test_what_is_entered_is_still_there_after_a_fault(operator: Client) -> None:
    sent = entered({"meter": "storage", "model": "VOLUME"}, tiers=TIERS, amount="?")

    form = operator.post(add(Plan), sent).context["adminform"].form

    tiers = form.usage.forms[0].tiers
    assert [row["up_to"].value() for row in tiers.forms] == ["100", "1000", ""]
    assert form.usage.forms[0]["meter"].value() == "storage"


def test_a_preview_shows_prices_and_saves_nothing(operator: Client) -> None:
    answer = operator.post(add(Plan), entered(_preview="on"))

    assert answer.status_code == 200
    assert not answer.context["errors"]
    assert not Plan.objects.exists()
    assert prices(answer.content) == [
        ("a period", "180.00 USD"),
        ("0", "0.00 USD"),
        ("1", "0.00 USD"),
        ("100", "0.00 USD"),
        ("10 000", "17,280.00 USD"),
    ]
    assert "10000 used − 400 included = 9600 × 1.80 = 17,280.00 USD" in answer.content.decode()


def test_a_plans_page_shows_what_it_costs(operator: Client) -> None:
    seats = Price(UsageModel.GRADUATED, tiers=READ)
    terms = seed_terms("0", "400", "1.80", quantity_unit="seat", quantity_pricing=seats)

    page = operator.get(change(make_plan("Team", terms))).content

    assert prices(page)[:3] == [
        ("1 × seat", "7.00 USD"),
        ("100 × seat", "205.00 USD"),
        ("10 000 × seat", "9,340.00 USD"),
    ]


def test_prices_come_as_one_types(operator: Client) -> None:
    usage = {"meter": "storage", "model": "VOLUME"}
    sent = entered(usage, {"meter": "sales", "model": "PER_UNIT"}, tiers=TIERS, name="")

    answer = operator.post(PREVIEW, sent)

    assert prices(answer.content) == [
        ("a period", "180.00 USD"),
        ("0", "5.00 USD"),
        ("1", "7.00 USD"),
        ("100", "205.00 USD"),
        ("10 000", "10,000.00 USD"),
    ]
    assert "Price: This price needs it." in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_what_cannot_be_priced_yet_says_why(operator: Client) -> None:
    page = operator.post(PREVIEW, entered(amount="", currency="?")).content.decode()

    assert "Amount: This field is required." in page
    assert prices(page.encode()) == []
    assert operator.get(PREVIEW).status_code == 405


def test_prices_are_shown_to_who_may_write_plans(guest: Client) -> None:
    assert guest.post(PREVIEW, entered()).status_code == 403

    clerk = User.objects.create_user("clerk@example.org", "secret", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="change_plan"))
    assert signed_in(clerk).post(PREVIEW, entered()).status_code == 200


PREVIEW = reverse("admin:plans_plan_preview")
_PRICE = re.compile(r'<th scope="row">([^<]+)</th>\s*<td><strong[^>]*><span[^>]*>([^<]+)</span>')


def prices(page: bytes) -> list[tuple[str, str]]:
    """How many cost how much."""
    found = _PRICE.findall(page.decode())
    return [
        (quantity.replace("\N{NARROW NO-BREAK SPACE}", " "), price) for quantity, price in found
    ]


def errors_of(answer: Any) -> dict[str, list[str]]:
    """Every fault of the form and its parts, by the name of its field."""
    if answer.context is None:
        return {}
    form = answer.context["adminform"].form
    parts = [form, form.quantity, *form.quantity.tiers, *form.features, *form.limits, *form.usage]
    parts += [tier for component in form.usage for tier in component.tiers]
    return {
        part.add_prefix(name): list(sentences)
        for part in parts
        for name, sentences in part.errors.items()
    }
