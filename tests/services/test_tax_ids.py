"""Tax numbers: taken down, asked about over HTTP, vouched for; and a register that is down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from pytest_django import Settings

from billing import tasks
from billing.models import Seller
from customers import services, tax_ids, vat, vies
from customers.models import BillingDetails, Customer, TaxId, TaxIdStatus
from customers.vies import Answer
from tests import register as registers
from tests.builders import make_customer
from tests.register import INVALID, UNREACHABLE, VALID, Register

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
OURS = "FR40303265045"


@pytest.fixture
def register(settings: Settings) -> Iterator[Register]:
    """A register that the settings point at."""
    with registers.running() as found:
        settings.VIES_URL = found.url
        yield found


@pytest.fixture
def alice() -> Customer:
    return make_customer("alice", country="DE")


def has(customer: Customer, *values: str) -> list[TaxId]:
    services.set_tax_ids(customer.pk, [("eu_vat", value) for value in values], by="test", now=NOW)
    return [TaxId.objects.get(customer=customer, value=value) for value in values]


def test_a_valid_number_is_found_valid_and_asked_about_again_in_90_days(
    register: Register, alice: Customer
) -> None:
    [number] = has(alice, VALID)

    assert tax_ids.check_due(now=NOW) == 1

    number.refresh_from_db()
    assert (number.status, number.country, number.is_valid) == ("VALID", "DE", True)
    assert (number.checked_at, number.next_check_at) == (NOW, NOW + timedelta(days=90))
    assert tax_ids.check_due(now=NOW + timedelta(days=89)) == 0
    assert tax_ids.check_due(now=NOW + timedelta(days=90)) == 1
    assert len(register.heard) == 2


def test_an_invalid_number_is_found_invalid(register: Register, alice: Customer) -> None:
    [number] = has(alice, INVALID)

    tax_ids.check_due(now=NOW)

    number.refresh_from_db()
    assert (number.status, number.is_valid, number.checked_at) == ("INVALID", False, NOW)


def test_nothing_is_sent_but_the_number_and_ours(register: Register, alice: Customer) -> None:
    [number] = has(alice, VALID)

    tax_ids.check_due(now=NOW, own="FR 40 303 265 045")

    number.refresh_from_db()
    assert number.consultation == "WAPIAAAAYSsr1234"
    assert register.paths == ["/rest-api/check-vat-number"]
    assert register.heard == [
        {
            "countryCode": "DE",
            "vatNumber": "136695976",
            "requesterMemberStateCode": "FR",
            "requesterNumber": "40303265045",
        }
    ]
    [sent] = register.headers
    assert set(sent) <= {
        "Host",
        "User-Agent",
        "Accept-Encoding",
        "Accept",
        "Connection",
        "Content-Length",
        "Content-Type",
    }


def test_a_number_of_ours_that_the_register_does_not_know_is_left_out(
    register: Register, alice: Customer
) -> None:
    [number] = has(alice, VALID)
    register.is_requester_known = False

    tax_ids.check_due(now=NOW, own=OURS)

    number.refresh_from_db()
    assert (number.status, number.consultation) == ("VALID", "")
    assert ["requesterNumber" in body for body in register.heard] == [True, False]


@pytest.mark.parametrize("mood", ["down", "busy", "garbage", "moved", "slow"])
def test_a_register_that_is_not_well_gives_no_answer(
    register: Register, alice: Customer, monkeypatch: pytest.MonkeyPatch, mood: str
) -> None:
    monkeypatch.setattr(vies, "ANSWER_SECONDS", 0.2)
    [number] = has(alice, VALID)
    register.mood = mood

    assert tax_ids.check_due(now=NOW) == 0

    number.refresh_from_db()
    assert (number.status, number.checked_at, number.tries) == ("UNCHECKED", None, 1)
    assert number.next_check_at == NOW + timedelta(minutes=1)
    assert not number.is_stale
    register.mood = "well"
    assert tax_ids.check_due(now=NOW + timedelta(minutes=1)) == 1


def test_a_member_state_that_does_not_answer_is_no_refusal(
    register: Register, alice: Customer
) -> None:
    number, other = has(alice, UNREACHABLE, VALID)

    assert tax_ids.check_due(now=NOW) == 1

    number.refresh_from_db()
    other.refresh_from_db()
    assert (number.status, other.status) == ("UNCHECKED", "VALID")
    assert vies.ask(UNREACHABLE) == Answer(None, trouble="MS_UNAVAILABLE")


def test_the_last_answer_stands_and_is_marked_while_the_register_is_down(
    register: Register, alice: Customer
) -> None:
    [number] = has(alice, VALID)
    tax_ids.check_due(now=NOW)
    later = NOW + timedelta(days=90)
    register.mood = "down"

    tax_ids.check_due(now=later)

    number.refresh_from_db()
    assert (number.status, number.is_stale, number.checked_at) == ("VALID", True, NOW)
    register.mood = "well"
    tax_ids.check_due(now=later + timedelta(minutes=1))
    number.refresh_from_db()
    assert (number.is_stale, number.tries) == (False, 0)
    assert number.checked_at == later + timedelta(minutes=1)


def test_pauses_grow_to_a_day() -> None:
    minutes = [tax_ids.pause(tries) / timedelta(minutes=1) for tries in (1, 2, 3, 10, 11, 1000)]

    assert minutes == [1, 2, 4, 512, 1024, 1440]
    assert tax_ids.pause(12) == timedelta(days=1)


def test_one_silence_speaks_for_the_batch(
    register: Register, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vies, "ANSWER_SECONDS", 0.2)
    numbers = has(alice, VALID, INVALID, UNREACHABLE)
    register.mood = "slow"

    tax_ids.check_due(now=NOW)

    assert len(register.heard) == 1
    for number in numbers:
        number.refresh_from_db()
        assert (number.tries, number.next_check_at) == (1, NOW + timedelta(minutes=1))


def test_nobody_is_asked_where_no_register_is_set(settings: Settings, alice: Customer) -> None:
    settings.VIES_URL = ""
    [number] = has(alice, VALID)

    assert tax_ids.check_due(now=NOW) == 0

    number.refresh_from_db()
    assert (number.status, number.tries, number.next_check_at) == ("UNCHECKED", 0, NOW)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_asked_inside_a_transaction(
    register: Register, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(alice, VALID)
    seen = []
    ask = vies.ask

    def watched(value: str, *, own: str = "") -> Answer:
        seen.append(connection.in_atomic_block)
        return ask(value, own=own)

    monkeypatch.setattr(vies, "ask", watched)
    tax_ids.check_due(now=NOW)

    assert seen == [False]


@pytest.mark.django_db(transaction=True)
def test_two_workers_ask_about_a_number_once(register: Register, alice: Customer) -> None:
    has(alice, VALID, INVALID)
    register.mood = "slow"

    def work() -> None:
        try:
            tax_ids.check_due(now=NOW)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    register.mood = "well"
    assert len(register.heard) == 2


def test_a_number_that_a_killed_worker_had_is_due_again(
    register: Register, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    [number] = has(alice, VALID)

    def killed(value: str, *, own: str = "") -> Answer:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(vies, "ask", killed)
        with pytest.raises(KeyboardInterrupt):
            tax_ids.check_due(now=NOW)

    assert tax_ids.check_due(now=NOW) == 0
    assert tax_ids.check_due(now=NOW + tax_ids.LEASE) == 1
    number.refresh_from_db()
    assert number.status == "VALID"


def test_an_answer_about_a_number_that_was_removed_is_dropped(alice: Customer) -> None:
    [number] = has(alice, VALID)
    has(alice)

    assert tax_ids.record_answer(number.pk, Answer(is_valid=True), now=NOW) is None
    assert not TaxId.objects.exists()


def test_a_number_that_is_given_again_keeps_what_is_known_of_it(
    register: Register, alice: Customer
) -> None:
    [number] = has(alice, VALID)
    tax_ids.check_due(now=NOW)

    kept, new = has(alice, VALID, INVALID)

    assert (kept.pk, kept.status) == (number.pk, "VALID")
    assert new.status == "UNCHECKED"
    assert Customer.objects.get(pk=alice.pk).version == 3


def test_an_operator_vouches_for_a_number_with_a_reason(
    register: Register, alice: Customer
) -> None:
    [number] = has(alice, INVALID)
    tax_ids.check_due(now=NOW)

    confirmed = tax_ids.confirm(number.pk, reason="Letter of the tax office", by="user:1", now=NOW)

    assert (confirmed.status, confirmed.confirmed_by) == ("VALID", "user:1")
    assert confirmed.confirmation == "Letter of the tax office"
    assert tax_ids.check_due(now=NOW + timedelta(days=900)) == 0
    tax_ids.record_answer(number.pk, Answer(is_valid=False), now=NOW)
    number.refresh_from_db()
    assert number.status == TaxIdStatus.VALID


def test_vouching_needs_a_reason_and_a_number(alice: Customer) -> None:
    [number] = has(alice, VALID)

    with pytest.raises(ValidationError) as caught:
        tax_ids.confirm(number.pk, reason=" ", by="user:1", now=NOW)
    assert caught.value.code == "reason_required"
    has(alice)
    with pytest.raises(ValidationError) as caught:
        tax_ids.confirm(number.pk, reason="Letter", by="user:1", now=NOW)
    assert caught.value.code == "tax_id_gone"


def test_the_task_asks_in_the_name_of_the_default_seller(
    register: Register, alice: Customer
) -> None:
    Seller.objects.filter(is_default=True).delete()
    Seller.objects.create(name="Ours", is_default=True, vat_id=OURS)
    [number] = has(alice, VALID)

    tasks.check_tax_ids()

    number.refresh_from_db()
    assert (number.status, number.consultation) == ("VALID", "WAPIAAAAYSsr1234")


@pytest.mark.parametrize(
    ("kind", "typed", "value", "country"),
    [
        ("eu_vat", "de 136 695 976", "DE136695976", "DE"),
        ("eu_vat", "GR 094259216", "EL094259216", "GR"),
        ("eu_vat", "EL094259216", "EL094259216", "GR"),
        ("eu_vat", "ATU13585627", "ATU13585627", "AT"),
        ("gb_vat", "GB 980 7806 84", "GB980780684", "GB"),
        ("ch_vat", "CHE-107.787.577 IVA", "CHE107787577IVA", "CH"),
        ("no_vat", "NO 995 525 828 MVA", "995525828MVA", "NO"),
    ],
)
def test_numbers_are_kept_in_one_notation(kind: str, typed: str, value: str, country: str) -> None:
    assert vat.parsed(kind, typed) == vat.Number(kind, value, country)


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [
        ("eu_vat", "DE136695975", "invalid_tax_id"),
        ("eu_vat", "US123456789", "invalid_tax_id"),
        ("eu_vat", "", "invalid_tax_id"),
        ("gb_vat", "GB980780685", "invalid_tax_id"),
        ("eu_wat", "DE136695976", "unknown_tax_id_type"),
    ],
)
def test_malformed_numbers_are_refused(kind: str, typed: str, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        vat.parsed(kind, typed)

    assert caught.value.code == code


def test_a_malformed_number_changes_nothing(alice: Customer) -> None:
    with pytest.raises(ValidationError) as caught:
        services.update(
            alice.pk,
            fields={"city": "Rome", "tax_ids": [("eu_vat", "IT1")]},
            by="test",
            now=NOW,
        )

    assert list(caught.value.message_dict) == ["tax_ids"]
    alice.details.refresh_from_db()
    assert alice.details.city == "Oxford"


def test_countries_of_before_become_codes_and_numbers_of_before_are_due() -> None:
    places = {"alice": "germany", "bob": "Wonderland", "charlie": "fr", "dora": "GB", "eve": ""}
    made = {name: make_customer(name, country=text) for name, text in places.items()}
    TaxId.objects.create(customer=made["alice"], kind="eu_vat", value="EL094259216")

    import_module("customers.migrations.0003_countries_by_code").fill(apps, None)

    found = {name: BillingDetails.objects.get(customer=row).country for name, row in made.items()}
    assert found == {**places, "alice": "DE", "charlie": "FR"}
    number = TaxId.objects.get()
    assert number.country == "GR"
    assert number.next_check_at is not None


def test_only_numbers_that_a_register_knows_are_due(alice: Customer) -> None:
    services.set_tax_ids(alice.pk, [("gb_vat", "GB980780684")], by="test", now=NOW)

    assert TaxId.objects.get().next_check_at is None
