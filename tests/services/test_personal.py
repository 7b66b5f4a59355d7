"""Which columns are personal, and how a person has all that is held on them."""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.test import Client

from billing.queries import personal
from billing.services import tokens
from customers.models import Customer, User
from tests.api.calling import Caller, caller
from tests.services.erasing import OURS, Life, furnish, live, texts
from tests.services.verdicts import VERDICTS, verdict_of
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.crooked_books]


@pytest.fixture
def life(world: World) -> Life:
    """What happened to Alice."""
    return live(world)


def test_every_column_has_its_verdict() -> None:
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            for field in texts(model):
                verdict_of(model._meta.label, field.name)


def test_no_verdict_is_of_a_column_that_is_gone() -> None:
    for label, verdicts in VERDICTS.items():
        names = {field.name for field in texts(apps.get_model(label))}
        told = [name for columns in verdicts.values() for name in columns.split()]
        assert sorted(told) == sorted(set(told) & names)


def test_every_table_that_leads_to_a_customer_is_exported() -> None:
    told = {section.model._meta.label for section in personal.SECTIONS}
    # What is of nobody's interest: copies, and what proves the journal.
    told |= {
        "billing.ApiRequest",
        "billing.EntitlementMark",
        "billing.UnsealedEntry",
        "billing.JournalSeal",
    }
    told |= {"account.EmailConfirmation", "admin.LogEntry"}

    assert {model._meta.label for model in apps.get_models() if leads(model)} <= told


def leads(model: type[models.Model], depth: int = 4) -> bool:
    """Whether a row refers to a customer or a user, by itself or through others."""
    if model in {Customer, User}:
        return True
    if depth == 0 or model._meta.app_label not in OURS:
        return False
    targets = [
        field.related_model
        for field in model._meta.concrete_fields
        if field.is_relation and not isinstance(field.related_model, str)
    ]
    return any(leads(target, depth - 1) for target in targets if target and target is not model)


def test_everything_held_is_exported(
    life: Life, operator: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    furnish(life)

    held = operator.get(f"/customers/{life.alice.pk}/export").body

    empty = {"usage_values", "scheduled_changes"}
    assert {name for name, rows in held.items() if not rows} <= empty
    assert held["details"][0]["email"] == "alice@example.org"
    assert [user["email"] for user in held["users"]] == [life.user.email, "bob@example.org"]
    assert not {"password", "digest"} & {*held["users"][0], *held["api_tokens"][0]}
    assert held["usage_events"][0]["quantity"] == "300"
    assert held["payments"][0]["amount_minor"] > 0
    assert {entry["customer_id"] for entry in held["journal"]} == {str(life.alice.pk)}
    call_command("export_customer", "alice")
    assert json.loads(capsys.readouterr().out).keys() == held.keys()


def test_of_others_nothing_is_exported(life: Life, operator: Caller) -> None:
    text = json.dumps(operator.get(f"/customers/{life.alice.pk}/export").body)

    assert str(Customer.objects.get(organization_id="bob").pk) not in text


def test_a_customer_has_their_own(life: Life) -> None:
    _, text = tokens.issue("hers", now=life.world.now, customer=life.alice)

    assert Caller(text).get(f"/customers/{life.alice.pk}/export").status == 200
    other = Customer.objects.get(organization_id="bob")
    assert Caller(text).get(f"/customers/{other.pk}/export").status == 404


def test_a_member_downloads_it_from_their_page(life: Life) -> None:
    browser = Client()
    browser.force_login(life.user)
    assert "/billing/details/data/" in browser.get("/billing/details/").content.decode()

    answer = browser.get("/billing/details/data/")

    assert answer.headers["Content-Disposition"].startswith('attachment; filename="customer-')
    held = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert held["customer"][0]["organization_id"] == "alice"


@pytest.fixture
def operator(db: None) -> Caller:
    """Somebody who may do everything."""
    return caller()
