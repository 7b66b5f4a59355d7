"""Metadata merges, and has its limits."""

from __future__ import annotations

from typing import Any

import pytest
import stripe


@pytest.mark.parametrize(
    ("update", "after"),
    [
        ({"b": "2"}, {"a": "1", "b": "2"}),
        ({"a": "9"}, {"a": "9"}),
        ({"a": ""}, {}),
        ({"a": "", "b": "2"}, {"b": "2"}),
        ("", {}),
    ],
)
def test_an_update_merges(api: stripe.V1Services, update: Any, after: dict[str, str]) -> None:
    customer = api.customers.create({"metadata": {"a": "1"}})

    changed = api.customers.update(customer.id, {"metadata": update})

    assert changed.to_dict()["metadata"] == after


@pytest.mark.parametrize(
    "metadata", [{"k" * 41: "v"}, {"k": "v" * 501}, {f"k{at}": "v" for at in range(51)}]
)
def test_more_than_stripe_keeps_is_refused(
    api: stripe.V1Services, metadata: dict[str, str]
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Metadata"):
        api.customers.create({"metadata": metadata})


def test_an_update_without_metadata_leaves_it(api: stripe.V1Services) -> None:
    customer = api.customers.create({"metadata": {"a": "1"}, "business_name": "before"})

    changed = api.customers.update(customer.id, {"business_name": ""})

    assert changed.to_dict()["metadata"] == {"a": "1"}
    assert changed.business_name is None
