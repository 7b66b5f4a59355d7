"""Plans are written by their services; terms are superseded, never edited."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from plans import services
from plans.models import Meter, Plan
from plans.terms import Alignment, PlanTerms, Price, Proration, UsageModel, UsageTerms
from tests.admin.urls_of import add, change
from tests.builders import LONG_AGO, make_meter, make_plan

pytestmark = pytest.mark.django_db


def entered(**changes: Any) -> dict[str, Any]:
    """What an operator types for seed 003's Premium."""
    return {
        "name": "Premium",
        "tier": "2",
        "is_public": "on",
        "metadata": "{}",
        "currency": "usd",
        "amount": "180",
        "interval": "MONTH",
        "interval_count": "1",
        "alignment": "CALENDAR",
        "trial_days": "14",
        "meter": str(make_meter().pk),
        "usage_model": "ALLOWANCE",
        "included": "400",
        "unit_amount": "1.80",
        "proration": "DAY",
        **changes,
    }


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
    assert "api_calls: 400 included, then 1.80 USD each" in page


def test_another_name_makes_no_new_version(operator: Client) -> None:
    operator.post(add(Plan), entered())
    plan = Plan.objects.get()

    operator.post(change(plan), entered(name="Plus"))

    plan.refresh_from_db()
    assert (plan.name, plan.version) == ("Plus", 1)


def test_what_the_form_does_not_show_stays(operator: Client) -> None:
    make_meter("storage")
    more = UsageTerms("storage", Price(UsageModel.PER_UNIT, Decimal("0.1")))
    plan = make_plan()
    terms = replace(plan.terms, usage=(*plan.terms.usage, more), limits={"seats": "5"})
    services.update(plan.pk, by="test", now=LONG_AGO, terms=terms)

    operator.post(change(plan), entered(amount="200"))

    kept = Plan.objects.readable().get().terms
    assert (kept.amount, kept.usage[1], kept.limits) == (Decimal(200), more, {"seats": "5"})


@pytest.mark.parametrize(
    ("field", "value"),
    [("interval_count", "61"), ("amount", "-1"), ("usage_model", "PER_UNIT"), ("currency", "?")],
)
def test_senseless_terms_are_refused_in_the_form(operator: Client, field: str, value: str) -> None:
    answer = operator.post(add(Plan), entered(**{field: value}))

    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not Plan.objects.exists()


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


def test_a_meters_code_is_given_once(operator: Client) -> None:
    meter = make_meter()
    operator.post(change(meter), {"code": "other", "name": "Calls", "unit": "call"})

    meter = Meter.objects.get()
    assert (meter.code, meter.name) == ("api_calls", "Calls")
