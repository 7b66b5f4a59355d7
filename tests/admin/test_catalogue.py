"""Plans and coupons are written by their services; terms are superseded, never edited."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from plans import services
from plans.models import Coupon, Meter, Plan
from plans.prices import Price, UsageModel
from plans.services import CouponTerms
from plans.terms import Alignment, PlanTerms, Proration, UsageTerms
from tests.admin.plan_entry import as_shown, entered
from tests.admin.urls_of import action, add, change, changelist
from tests.builders import LONG_AGO, make_meter, make_plan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _meter(db: None) -> None:
    make_meter()


def test_a_plan_is_put_on_sale(operator: Client) -> None:
    assert operator.post(add(Plan), entered()).status_code == 302

    plan = Plan.objects.readable().get()
    assert (plan.name, plan.tier, plan.version) == ("Premium", 2, 1)
    assert plan.terms == PlanTerms(
        currency="USD",
        amount=Decimal(180),
        alignment=Alignment.CALENDAR,
        trial_days=14,
        usage=(
            UsageTerms("api_calls", Price(UsageModel.ALLOWANCE, Decimal("1.80"), Decimal(400))),
        ),
        proration=Proration.DAY,
        first_day_counts=False,
    )
    assert plan.created_by.startswith("user:")


def test_other_terms_make_a_new_version(operator: Client) -> None:
    operator.post(add(Plan), entered())
    plan = Plan.objects.get()

    assert operator.post(change(plan), entered(amount="200")).status_code == 302

    plan = Plan.objects.readable().get()
    assert (plan.version, plan.terms.amount) == (2, Decimal(200))
    page = operator.get(change(plan)).content.decode()
    assert "180.00 USD per month" in page
    assert "200.00 USD per month" in page
    assert "400 api_calls included, then 1.80 USD each" in page


def test_another_name_makes_no_new_version(operator: Client) -> None:
    operator.post(add(Plan), entered())
    plan = Plan.objects.get()

    operator.post(change(plan), entered(name="Plus"))

    plan.refresh_from_db()
    assert (plan.name, plan.version) == ("Plus", 1)


def test_a_services_refusal_is_a_message(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.post(add(Plan), entered())
    plan = Plan.objects.readable().get()
    terms = plan.terms

    def refused(*_: Any, **__: Any) -> None:
        raise ValidationError("Somebody changed it at the same moment.", code="changed_meanwhile")

    monkeypatch.setattr(services, "update", refused)
    answer = operator.post(change(plan), entered(amount="1"), follow=True)

    assert b"Somebody changed it at the same moment." in answer.content
    assert Plan.objects.readable().get().terms == terms


def test_a_retired_plan_shows_what_it_says(operator: Client) -> None:
    plan = make_plan()
    services.retire(plan.pk, by="test", now=LONG_AGO)

    page = operator.get(change(plan)).content.decode()

    assert "400 api_calls included, then 1.80 USD each" in page
    assert "data-preview" not in page
    assert operator.post(change(plan), entered()).status_code == 403


def test_a_meters_code_is_given_once(operator: Client) -> None:
    meter = make_meter()
    operator.post(change(meter), {"code": "other", "name": "Calls", "unit": "call"})

    meter = Meter.objects.get()
    assert (meter.code, meter.name) == ("api_calls", "Calls")


def test_a_coupon_is_made_and_says_what_it_does(operator: Client) -> None:
    plan = make_plan()
    sent = {
        "code": "WELCOME",
        "percent_off": "20",
        "duration": "REPEATING",
        "periods": "3",
        "max_redemptions": "500",
        "expires_at_0": "2026-12-31",
        "expires_at_1": "23:00",
        "plans": [str(plan.pk)],
    }

    assert operator.post(add(Coupon), sent).status_code == 302

    coupon = Coupon.objects.get()
    assert (coupon.percent_off, coupon.periods) == (Decimal(20), 3)
    assert coupon.max_redemptions == 500
    assert (coupon.plan_ids, coupon.amount_off, coupon.currency) == ([plan.pk], None, "")
    assert coupon.created_by.startswith("user:")
    for address in (change(coupon), changelist(Coupon)):
        page = operator.get(address).content.decode()
        for words in ("WELCOME", "20 %", "3 periods", "0 of 500"):
            assert words in page
    assert "Premium" in operator.get(change(coupon)).content.decode()
    assert operator.post(change(coupon), sent).status_code == 403


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"percent_off": ""}, "percent_off"),
        ({"percent_off": "101"}, "percent_off"),
        ({"percent_off": "", "amount_off": "5"}, "currency"),
        ({"percent_off": "", "amount_off": "1.5", "currency": "jpy"}, "amount_off"),
        ({"currency": "???"}, "currency"),
        ({"duration": "REPEATING"}, "periods"),
        ({"code": "welcome"}, "code"),
    ],
)
def test_a_senseless_coupon_is_refused_in_its_form(
    operator: Client, changes: dict[str, str], field: str
) -> None:
    terms = CouponTerms(amount_off=Decimal(5), currency="EUR")
    services.create_coupon("WELCOME", terms=terms, by="test", now=LONG_AGO)

    answer = operator.post(
        add(Coupon), {"code": "X", "percent_off": "5", "duration": "ONCE", **changes}
    )

    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert Coupon.objects.count() == 1


def test_a_coupon_is_retired_once(operator: Client) -> None:
    terms = CouponTerms(amount_off=Decimal(5), currency="EUR", duration="FOREVER")
    coupon = services.create_coupon("LESS", terms=terms, by="test", now=LONG_AGO)
    assert b"5.00 EUR" in operator.get(change(coupon)).content

    operator.post(action(coupon, "retire"), {"_form_submitted": "on"})

    coupon.refresh_from_db()
    assert coupon.retired_at is not None
    assert action(coupon, "retire") not in operator.get(change(coupon)).content.decode()


def test_what_is_saved_as_it_is_shown_stays(operator: Client) -> None:
    plan = make_plan()
    terms = replace(plan.terms, limits={"seats": "5"}, features={"sso": True, "weight": 0.5})
    services.update(plan.pk, by="test", now=LONG_AGO, terms=terms)

    assert operator.post(change(plan), as_shown(operator, change(plan))).status_code == 302

    plan = Plan.objects.readable().get()
    assert (plan.version, plan.terms) == (2, terms)
