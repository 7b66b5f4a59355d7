"""`If-Match` on what has no version: its `ETag` is made of what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.addresses import ids_of
from tests.api.calling import caller
from tests.api.stage import set_stage

pytestmark = pytest.mark.django_db

CHANGES: dict[str, tuple[dict[str, Any], int]] = {
    "disputes/{dispute_id}": ({"status": "won"}, 200),
    "dunning-policies/{policy_id}": ({"grace_days": 3}, 200),
    "dunning-runs/{run_id}": ({"status": "stopped"}, 200),
    "refunds/{refund_id}": ({"status": "succeeded", "reference": "1"}, 409),
}


@pytest.mark.parametrize("template", CHANGES)
def test_only_what_was_seen_is_changed(template: str) -> None:
    operator, (change, status) = caller(), CHANGES[template]
    address = f"/{template.format(**ids_of(set_stage(), template))}"
    seen = operator.get(address).headers["ETag"]

    assert operator.patch(address, change, If_Match='"another"').code == "version_mismatch"
    assert operator.get(address).headers["ETag"] == seen
    assert operator.patch(address, change, If_Match=seen).status == status

    now = operator.get(address).headers["ETag"]
    assert (now == seen) == (status == 409)
    if status == 200:
        assert operator.patch(address, change, If_Match=seen).status == 412


def test_a_stranger_learns_nothing_by_guessing() -> None:
    stage = set_stage()
    address = f"/disputes/{ids_of(stage, 'dispute_id')['dispute_id']}"
    change = CHANGES["disputes/{dispute_id}"][0]

    answer = caller(stage.bob).patch(address, change, If_Match='"x"')

    assert (answer.status, answer.code) == (404, "not_found")
