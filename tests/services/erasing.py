"""A customer to whom everything happened, and where a marker stands in the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.test import Client

from billing.core.dunning import DunningReason, DunningStatus
from billing.core.lifecycle import AttemptStatus, DisputeStatus, InvoiceStatus
from billing.models import (
    ApiRequest,
    BillingProfile,
    CheckoutSession,
    CreditDraw,
    CreditGrant,
    CreditNote,
    CreditNoteLine,
    CustomerNotice,
    Deferral,
    Delivery,
    DeliveryTry,
    Dispute,
    DisputeEvidence,
    DunningNotice,
    DunningRun,
    EntitlementState,
    Instalment,
    Invoice,
    InvoiceLine,
    Payment,
    Redemption,
    Refund,
    RejectedUsage,
)
from billing.models.credit import DrawKind, GrantKind
from billing.models.credit_note import CreditReason
from billing.models.notice import NoticeKind
from billing.models.portal import PortalPurpose
from billing.models.refund import DisputeSource
from billing.models.rejection import Resolution
from billing.queries import personal
from billing.services import customers, payment_methods, portal, tokens, webhook_endpoints
from billing.services.choosing import Wanted
from billing.services.payment_methods import ReturnUrls
from customers import services as customer_services
from customers.models import Customer, TaxId, User
from plans import services as plan_services
from plans.models import Plan
from plans.services import CouponTerms
from tests import builders
from tests.services.verdicts import ERASED, VERDICTS, verdict_of
from tests.world import World

MARKER: Final = "Zq7marker"
OURS: Final = frozenset(
    ["account", "admin", "auth", "billing", "contenttypes", "customers", "plans", "sessions"]
)
URLS: Final = ReturnUrls("https://example.com/ok", "https://example.com/no")


def texts(model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
    """The columns of a model in which anything could be written."""
    for field in model._meta.concrete_fields:
        kinds = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
        is_list = isinstance(field, ArrayField) and isinstance(field.base_field, models.CharField)
        if (isinstance(field, kinds) or is_list) and not field.choices:
            yield field


@dataclass(frozen=True)
class Life:
    """Everything that the product can do, done to one customer."""

    world: World
    alice: Customer
    user: User
    colleague: User
    plan: Plan


def live(world: World) -> Life:
    """Alice lived, paid and left; every table has something of hers."""
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    coupon = plan_services.create_coupon(
        "SPRING",
        terms=CouponTerms(percent_off=Decimal(10)),
        by="test",
        now=world.now,
    )
    Redemption.objects.create(
        coupon=coupon, subscription=world.subscription(alice), created_at=world.now
    )
    world.at("2026-04-11 15:00").adds_card(alice)
    world.at("2026-04-20").uses(alice, 300)
    world.at("2026-05-03")
    world.cancels(alice, when="now")
    world.at("2026-06-03")
    user = User.objects.create_user(f"{MARKER}@example.org", "secret")
    colleague = User.objects.create_user("bob@example.org", "secret")
    customer_services.add_member(alice, user)
    customer_services.add_member(alice, colleague)
    customer_services.add_member(builders.make_customer("bob"), colleague)
    EmailAddress.objects.create(user=user, email=f"{MARKER}@example.com")
    plan = builders.make_plan("Hers", allowed_organizations=["alice", "bob"])
    return Life(world, alice, user, colleague, plan)


def furnish(life: Life) -> None:
    """Rows in the tables that the story leaves empty."""
    alice, now = life.alice, life.world.now
    invoice = Invoice.objects.filter(customer=alice, number__isnull=False).latest("created_at")
    line, payment = (
        invoice.lines.earliest("position"),
        Payment.objects.filter(customer=alice).earliest("pk"),
    )
    series = invoice.series
    assert series is not None
    whose = {"customer": alice, "currency": "USD"}
    note = CreditNote.objects.create(
        **whose, invoice=invoice, series=series, sequence=1, number="CN1", tax_minor=0,
        reason=CreditReason.RETURN, total_minor=1, to_due_minor=0, to_credit_minor=1,
        to_refund_minor=0, seller={}, buyer={}, issued_at=now,
    )  # fmt: skip
    CreditNoteLine.objects.create(
        credit_note=note, invoice_line=line, position=1, net_minor=1, tax_minor=0
    )
    grant = CreditGrant.objects.create(
        **whose, kind=GrantKind.PAID, amount_minor=1, remaining_minor=0, effective_at=now,
        created_at=now,
    )  # fmt: skip
    CreditDraw.objects.create(grant=grant, kind=DrawKind.VOID, amount_minor=1, created_at=now)
    Refund.objects.create(
        **whose, payment=payment, amount_minor=1, status=AttemptStatus.FAILED, created_at=now
    )
    dispute = Dispute.objects.create(
        **whose, payment=payment, amount_minor=1, source=DisputeSource.CUSTOMER,
        status=DisputeStatus.WON, opened_at=now, closed_at=now,
    )  # fmt: skip
    DisputeEvidence.objects.create(dispute=dispute, created_at=now)
    CustomerNotice.objects.create(
        customer=alice, kind=NoticeKind.METHOD_EXPIRING, about="method:x", created_at=now
    )
    Deferral.objects.create(
        **whose, line=line, account="revenue:x", amount_minor=1, starts_on=now.date(),
        ends_on=now.date() + timedelta(days=1), recognized_until_on=now.date(),
    )  # fmt: skip
    EntitlementState.objects.create(customer=alice, told={"sso": {"granted": True}})
    RejectedUsage.objects.create(
        customer=alice, digest="d", event={"id": "e1"}, is_retryable=False, index=0, code="x",
        received_at=now, last_received_at=now, resolved_at=now, resolution=Resolution.DISMISSED,
    )  # fmt: skip
    _of_dunning(life, invoice)
    _told(life)
    _unfinished(life)
    _of_access(life)


def _of_dunning(life: Life, invoice: Invoice) -> None:
    alice, now = life.alice, life.world.now
    BillingProfile.objects.get_or_create(customer=alice)
    Instalment.objects.create(invoice=invoice, position=1, amount_minor=1, due_at=now)
    run = DunningRun.objects.create(
        invoice=invoice, customer=alice, policy_name="usual", terms={}, started_at=now,
        reason=next(iter(DunningReason)), ended_at=now,
        status=next(status for status in DunningStatus if status != DunningStatus.RUNNING),
    )  # fmt: skip
    DunningNotice.objects.create(run=run, position=1, created_at=now)


def _unfinished(life: Life) -> None:
    alice, now = life.alice, life.world.now
    whose = {"customer": alice, "currency": "USD"}
    canceled = Invoice.objects.create(**whose, status=InvoiceStatus.CANCELED, created_at=now)
    items = {"quantity": 1, "currency": "USD", "amount_minor": 1, "discount_minor": 0}
    InvoiceLine.objects.create(
        invoice=canceled, customer=alice, position=1, kind="ITEM", created_at=now, **items
    )
    TaxId.objects.create(customer=alice, kind="x", value="x", status="VALID")
    payment_methods.start_checkout(alice, urls=URLS, now=now, wanted=Wanted("sandbox"))
    CheckoutSession.objects.create(customer=alice, gateway="sandbox", created_at=now)
    numbered = Invoice.objects.filter(customer=alice, number__isnull=False)
    portal.open_session(
        alice,
        purpose=PortalPurpose.INVOICE,
        return_url=URLS.success,
        by=MARKER,
        now=now,
        invoice=numbered.latest("created_at"),
    )


def _of_access(life: Life) -> None:
    now = life.world.now
    own, _ = tokens.issue(MARKER, now=now, customer=life.alice)
    operators, _ = tokens.issue("shop", now=now)
    for token in (own, operators):
        ApiRequest.objects.create(
            token=token,
            key=f"key-{token.pk}",
            fingerprint="f",
            body=json.dumps({"id": str(life.alice.pk), "name": MARKER}),
            created_at=now,
        )
    for row in (life.user, life.alice, payment_of(life)):
        LogEntry.objects.create(
            user=User.objects.create_superuser(f"root{row.pk}@example.net", "secret"),
            content_type=ContentType.objects.get_for_model(type(row)),
            object_id=str(row.pk),
            object_repr=MARKER,
            action_flag=CHANGE,
            change_message=MARKER,
        )
    Client().force_login(life.user)


def _told(life: Life) -> None:
    """Of the customer, to somebody who listens."""
    now = life.world.now
    webhook_endpoints.create("https://a.example/hooks", types=["customer.*"], by="test", now=now)
    customers.update(life.alice.pk, fields={"city": "London"}, by="test", now=now)
    DeliveryTry.objects.create(delivery=Delivery.objects.get(), sent_at=now, took_ms=1)


def mark(life: Life) -> None:
    """Write the marker into every column of every row of hers that may hold something of hers."""
    for section in personal.SECTIONS:
        for field in texts(section.model):
            verdict = verdict_of(section.model._meta.label, field.name)
            if verdict.erased or verdict.kept:
                for number, row in enumerate(section.of(life.alice.pk)):
                    if row != life.colleague:  # who stays, because of Bob
                        _write(row, field, _marked(field, number))
    Plan.objects.filter(pk=life.plan.pk).update(allowed_organizations=[MARKER, "bob"])
    life.alice.refresh_from_db()


def _marked(field: models.Field[Any, Any], number: int) -> Any:
    if isinstance(field, models.JSONField):
        return {"said": MARKER}
    if isinstance(field, models.EmailField):
        return f"{MARKER}{number}@example.org"
    if field.name.endswith("_by") or field.name in {"name", "organization_id"}:
        return MARKER  # as her details call her
    return f"{MARKER}{number}"[-(field.max_length or 100) :]


def _write(row: models.Model, field: models.Field[Any, Any], value: Any) -> None:
    """Past every guard."""
    prepared = field.get_db_prep_save(value, connection)
    if field.max_length is not None and field.max_length < len(MARKER) + 2:
        return
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f'UPDATE "{row._meta.db_table}" SET "{field.column}" = %s'
            f' WHERE "{row._meta.pk.column}" = %s',
            [prepared, row.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")


def found() -> set[tuple[str, str]]:
    """Every table and column of the whole database in which the marker stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'ARRAY', 'bytea')"
        )
        places = cursor.fetchall()
        marked = set()
        for table, column in places:
            cursor.execute(
                f'SELECT EXISTS (SELECT 1 FROM "{table}" WHERE "{column}"::text ILIKE %s)',
                [f"%{MARKER}%"],
            )
            if cursor.fetchone()[0]:
                marked.add((table, column))
    return marked


def kept() -> set[tuple[str, str]]:
    """The places that law keeps."""
    return {
        (model._meta.db_table, model._meta.get_field(name).column)
        for label, verdicts in VERDICTS.items()
        for model in [apps.get_model(label)]
        for verdict, columns in verdicts.items()
        if verdict.kept
        for name in columns.split()
    }


def erasable() -> set[tuple[str, str]]:
    """The places that must be empty."""
    return {
        (model._meta.db_table, model._meta.get_field(name).column)
        for label, verdicts in VERDICTS.items()
        for model in [apps.get_model(label)]
        for name in verdicts.get(ERASED, "").split()
    }


def payment_of(life: Life) -> Payment:
    """The first of hers."""
    return Payment.objects.filter(customer=life.alice).earliest("pk")
