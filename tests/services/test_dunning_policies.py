"""Policies and profiles: what is agreed, with whom, and what it does to the runs there are."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from billing.core.dunning import DunningPolicy
from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.core.money import Money
from billing.models import BillingProfile, JournalEntry, PlanDunning
from billing.models import DunningPolicy as PolicyRow
from billing.services import dunning_policies, profiles
from billing.services.dunning_policies import Use
from billing.services.profiles import TopUp
from tests import builders
from tests.builders import LONG_AGO
from tests.services.dunned import STRICT, changed, made

pytestmark = pytest.mark.django_db


def test_there_is_one_default_at_most() -> None:
    first = made()
    second = made(changed(name="second"))

    assert list(PolicyRow.objects.filter(is_default=True).values_list("pk", flat=True)) == [second]
    dunning_policies.change(first, STRICT, by="carol", now=LONG_AGO, use=Use(is_default=True))
    assert list(PolicyRow.objects.filter(is_default=True).values_list("pk", flat=True)) == [first]
    dunning_policies.change(first, STRICT, by="carol", now=LONG_AGO)
    assert PolicyRow.objects.get(pk=first).is_default


def test_a_plan_has_one_policy_and_leaves_its_former_one() -> None:
    gold, silver = builders.make_plan("Gold"), builders.make_plan("Silver")
    first = made(plans=[gold.pk, silver.pk])
    second = made(changed(name="second"), plans=[gold.pk])

    assert dict(PlanDunning.objects.values_list("plan", "policy")) == {
        gold.pk: second,
        silver.pk: first,
    }
    dunning_policies.change(first, STRICT, by="carol", now=LONG_AGO, use=Use(plans=[]))
    assert dict(PlanDunning.objects.values_list("plan", "policy")) == {gold.pk: second}


def test_who_set_which_terms_stands_in_the_journal() -> None:
    made()

    entry = JournalEntry.objects.get(kind="DUNNING_POLICY_SET")
    assert (entry.customer, entry.context["by"]) == (None, "test")
    assert DunningPolicy.from_json(entry.context["terms"]) == STRICT


def test_what_makes_no_sense_is_refused() -> None:
    made()
    with pytest.raises(ConflictError, match="of this name"):
        made()
    with pytest.raises(InvalidError, match="From 0 to 365"):
        made(changed(name="x", grace_days=-1))
    with pytest.raises(InvalidError) as refused:
        made(changed(name="x"), plans=[uuid4()])
    assert refused.value.code == "unknown_plan"
    with pytest.raises(NotFoundError):
        dunning_policies.change(uuid4(), STRICT, by="test", now=LONG_AGO)


def agreed(customer_id: UUID, **fields: object) -> BillingProfile:
    return profiles.change(customer_id, fields=fields, by="carol", now=LONG_AGO)


def test_without_a_profile_everything_is_as_usual() -> None:
    alice = builders.make_customer()
    usual = profiles.of(alice.pk)
    assert (usual.is_dunned, usual.dunning_policy, usual.seller, usual.version) == (
        True,
        None,
        None,
        1,
    )
    assert not BillingProfile.objects.exists()


def test_what_is_agreed_is_kept_and_what_is_not_named_stays() -> None:
    alice, policy = builders.make_customer(), made()
    agreed(alice.pk, dunning_policy=policy, top_up=TopUp(Money(0, "EUR"), Money(50_00, "EUR")))
    found = agreed(alice.pk, is_dunned=False)

    found.refresh_from_db()
    assert (found.dunning_policy_id, found.is_dunned, found.version) == (policy, False, 3)
    assert (found.top_up_currency, found.top_up_threshold_minor, found.top_up_amount_minor) == (
        "EUR",
        0,
        50_00,
    )
    found = agreed(alice.pk, top_up=None, dunning_policy=None)
    found.refresh_from_db()
    assert (found.top_up_currency, found.top_up_amount_minor, found.dunning_policy) == (
        "",
        None,
        None,
    )
    said = JournalEntry.objects.filter(kind="BILLING_PROFILE_CHANGED").order_by("pk")
    assert [entry.context for entry in said][1] == {"is_dunned": False, "by": "carol"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"dunning_policy": uuid4()}, "unknown_dunning_policy"),
        ({"seller": uuid4()}, "unknown_seller"),
        ({"top_up": TopUp(Money(-1, "EUR"), Money(1, "EUR"))}, "invalid_top_up"),
        ({"top_up": TopUp(Money(0, "EUR"), Money(0, "EUR"))}, "invalid_top_up"),
        ({"top_up": TopUp(Money(0, "USD"), Money(1, "EUR"))}, "currency_mismatch"),
    ],
)
def test_what_cannot_be_agreed_is_refused(fields: dict[str, object], code: str) -> None:
    alice = builders.make_customer()
    with pytest.raises(InvalidError) as refused:
        agreed(alice.pk, **fields)
    assert refused.value.code == code
    assert not BillingProfile.objects.exists()


def test_who_has_seen_an_older_profile_changes_nothing() -> None:
    alice = builders.make_customer()
    agreed(alice.pk, is_dunned=True)
    with pytest.raises(ConflictError) as refused:
        profiles.change(
            alice.pk, fields={"is_dunned": False}, by="x", now=LONG_AGO, expected_version=1
        )
    assert refused.value.code == "version_mismatch"
