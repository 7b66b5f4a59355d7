from __future__ import annotations

import pytest

from plans.terms import Interval
from tests.api.calling import Caller
from tests.world import World

pytestmark = pytest.mark.django_db


def test_the_schedule_says_what_each_month_earns(operator: Caller, world: World) -> None:
    plan = world.sells("Yearly", "365.00", interval=Interval.YEAR)
    alice = world.at("2026-01-01").customer("alice")
    world.adds_card(alice)
    world.subscribes(alice, "Yearly")

    months = operator.get("/reports/deferred-revenue?from=2026-01&to=2026-03").body["months"]

    names = {"account": f"revenue:{plan.pk}", "name": "Yearly", "currency": "USD"}
    assert months == [
        {
            "month": month,
            **names,
            "opening": opening,
            "added": added,
            "earned": earned,
            "closing": closing,
        }
        for month, opening, added, earned, closing in [
            ("2026-01", "0.00", "365.00", "31.00", "334.00"),
            ("2026-02", "334.00", "0.00", "28.00", "306.00"),
            ("2026-03", "306.00", "0.00", "31.00", "275.00"),
        ]
    ]


@pytest.mark.parametrize("query", ["from=2026-13", "from=2026-05&to=2026-04", "to=9999-12"])
def test_months_that_make_no_sense(operator: Caller, query: str) -> None:
    assert operator.get(f"/reports/deferred-revenue?{query}").status == 400
