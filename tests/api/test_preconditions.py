"""`If-Match` on what shows more than its version counts: its `ETag` is made of what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Refund
from tests.api.addresses import ids_of
from tests.api.calling import caller
from tests.api.stage import Stage

pytestmark = pytest.mark.django_db

CHANGES: dict[str, tuple[dict[str, Any], int]] = {
    "disputes/{dispute_id}": ({"status": "won"}, 200),
    "dunning-policies/{policy_id}": ({"grace_days": 3}, 200),
    "dunning-runs/{run_id}": ({"status": "stopped"}, 200),
    "refunds/{refund_id}": ({"status": "succeeded", "reference": "1"}, 409),
}


@pytest.mark.parametrize("template", CHANGES)
def test_only_what_was_seen_is_changed(template: str, stage: Stage) -> None:
    operator, (change, status) = caller(), CHANGES[template]
    address = f"/{template.format(**ids_of(stage, template))}"
    seen = operator.get(address).headers["ETag"]

    assert operator.patch(address, change, If_Match='"another"').code == "version_mismatch"
    assert operator.get(address).headers["ETag"] == seen
    assert operator.patch(address, change, If_Match=seen).status == status

    now = operator.get(address).headers["ETag"]
    assert (now == seen) == (status == 409)
    if status == 200:
        assert operator.patch(address, change, If_Match=seen).status == 412


@pytest.mark.parametrize(
    "template", [name for name, (_, status) in CHANGES.items() if status < 300]
)
def test_the_version_counts_changes(template: str, stage: Stage) -> None:
    operator = caller()
    address = f"/{template.format(**ids_of(stage, template))}"
    before = operator.get(address).body["version"]

    changed = operator.patch(address, CHANGES[template][0])

    assert changed.body["version"] > before
    assert operator.get(address).body["version"] == changed.body["version"]
    assert operator.get(address).headers["ETag"] == changed.headers["ETag"]


def test_a_refund_counts_what_its_gateway_makes_of_it(stage: Stage) -> None:
    refund = Refund.objects.get(pk=ids_of(stage, "refund_id")["refund_id"])

    Refund.objects.filter(pk=refund.pk).update(reason="Other")
    refund.save(update_fields=["reason"])

    assert caller().get(f"/refunds/{refund.pk}").body["version"] == refund.version + 2


def test_what_is_made_is_tagged_as_it_is_read() -> None:
    operator = caller()
    made = operator.post("/dunning-policies", {"name": "Soft"})

    read = operator.get(f"/dunning-policies/{made.body['id']}")

    assert read.headers["ETag"] == made.headers["ETag"]


def test_a_stranger_learns_nothing_by_guessing(stage: Stage) -> None:
    address = f"/disputes/{ids_of(stage, 'dispute_id')['dispute_id']}"
    change = CHANGES["disputes/{dispute_id}"][0]

    answer = caller(stage.bob).patch(address, change, If_Match='"x"')

    assert (answer.status, answer.code) == (404, "not_found")
