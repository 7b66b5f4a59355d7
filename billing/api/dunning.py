"""`/dunning-policies` and `/dunning-runs`: what is done about invoices that are not paid."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Flag, Instant, Strict, Text, Word
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, found, own
from billing.api.tokens import caller
from billing.core.dunning import (
    MAX_DAYS,
    MAX_SUBJECT,
    MAX_TEXT,
    MAX_TIMES,
    PLACEHOLDERS,
    DunningPolicy,
    DunningReason,
    DunningStatus,
    FinalAct,
    notices_from_json,
)
from billing.models import DunningPolicy as PolicyRow
from billing.models import DunningRun
from billing.queries.dunning import value_of
from billing.services import dunning, dunning_policies
from billing.services.dunning_policies import Use

_MAX_PLANS = 500
_PLACEHOLDERS = ", ".join(f"`{{{name}}}`" for name in PLACEHOLDERS)


class NoticeShape(Strict):
    """What the customer is told so many days after the first failure."""

    after_days = serializers.IntegerField(min_value=0, max_value=MAX_DAYS)
    subject = Text(max_length=MAX_SUBJECT)
    text = Text(max_length=MAX_TEXT, trim_whitespace=False)


class PolicyChange(Strict):
    """How invoices that are not paid are dunned."""

    name = Text(max_length=64, required=False)
    retry_after_days = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_DAYS),
        max_length=MAX_TIMES,
        required=False,
        help_text="Days after each soft decline, in order. Hard declines are not tried again.",
    )
    grace_days = serializers.IntegerField(
        min_value=0,
        max_value=MAX_DAYS,
        required=False,
        help_text="How long access outlives the first failure.",
    )
    notices = serializers.ListField(child=NoticeShape(), max_length=MAX_TIMES, required=False)
    final_act = Word(FinalAct, required=False)
    final_after_days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, required=False)
    is_default = Flag(required=False, help_text="For everybody who has no other.")
    plans = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=_MAX_PLANS,
        required=False,
        help_text="The plans whose subscribers are dunned by it.",
    )


class PolicyInput(PolicyChange):
    """A new policy; what is not said is as usual."""

    name = Text(max_length=64)


@extend_schema_serializer(component_name="DunningPolicy")
class PolicyOutput(Answer):
    """A policy."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    retry_after_days = serializers.ListField(child=serializers.IntegerField())
    grace_days = serializers.IntegerField()
    notices = NoticeShape(many=True)
    final_act = Word(FinalAct)
    final_after_days = serializers.IntegerField()
    is_default = serializers.BooleanField()
    plans = serializers.ListField(child=serializers.UUIDField())
    version = serializers.IntegerField()

    def to_representation(self, row: PolicyRow) -> dict[str, Any]:
        """With the plans that use it."""
        same = ("name", "retry_after_days", "grace_days", "notices", "final_act")
        more = ("final_after_days", "is_default", "version")
        shown = {name: getattr(row, name) for name in (*same, *more)}
        plans = sorted(use.plan_id for use in row.plans.all())
        return super().to_representation({**shown, "id": row.pk, "plans": plans})


class RunStatus(StrEnum):
    """What an operator may make of a run."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class RunChange(Strict):
    """Stop a run, or let it go on."""

    status = Word(RunStatus)
    note = Text(max_length=255, allow_blank=True, required=False, help_text="Why it is stopped.")


class GivenNotice(Answer):
    """What the customer was told."""

    subject = serializers.CharField()
    text = serializers.CharField()
    created_at = Instant()
    mailed_at = Instant(allow_null=True)


@extend_schema_serializer(component_name="DunningTerms")
class TermsOutput(Answer):
    """The policy as it was when the run began."""

    name = serializers.CharField()
    retry_after_days = serializers.ListField(child=serializers.IntegerField())
    grace_days = serializers.IntegerField()
    notices = NoticeShape(many=True)
    final_act = Word(FinalAct)
    final_after_days = serializers.IntegerField()


@extend_schema_serializer(component_name="DunningRun")
class RunOutput(Answer):
    """What is done about one invoice. Who ended it, and their note, only operators see."""

    id = serializers.UUIDField()
    customer = serializers.UUIDField(source="customer_id")
    invoice = serializers.UUIDField(source="invoice_id")
    number = serializers.CharField(source="invoice.number")
    reason = Word(DunningReason)
    status = Word(DunningStatus)
    terms = TermsOutput()
    started_at = Instant()
    next_charge_at = Instant(
        source="invoice.next_charge_at",
        allow_null=True,
        help_text="When the invoice is charged again by itself.",
    )
    due_at = Instant(allow_null=True, help_text="When the next notice is due, or the end.")
    ended_at = Instant(allow_null=True)
    ended_by = serializers.CharField()
    note = serializers.CharField()
    notices = GivenNotice(many=True)
    version = serializers.IntegerField()

    def to_representation(self, row: DunningRun) -> dict[str, Any]:
        """What was written for operators is kept from customers."""
        shown = super().to_representation(row)
        hidden = {} if self.context["is_operator"] else {"ended_by": "", "note": ""}
        return {**shown, **hidden}


class RunQuery(PageQuery):
    """Which runs."""

    customer = serializers.UUIDField(required=False)
    invoice = serializers.UUIDField(required=False)
    status = Word(DunningStatus, required=False)


class DunningPolicies(Endpoint):
    """All policies."""

    is_tagged_by_version = False
    operator_only = frozenset({"GET", "POST"})
    filters = PageQuery

    @extend_schema(
        operation_id="listDunningPolicies",
        summary="List the dunning policies",
        description="Operators only. By name.",
        parameters=[PageQuery],
        responses={
            200: listing("dunning_policies", PolicyOutput, "DunningPolicy"),
            **problems(400, 403),
        },
    )
    def get(self, request: Request) -> Response:
        """List them."""
        rows = PolicyRow.objects.prefetch_related("plans").order_by("name")
        return page("dunning_policies", rows, self.filtered(), show=PolicyOutput.all_of)

    @extend_schema(
        operation_id="createDunningPolicy",
        summary="Make a dunning policy",
        description=(
            "Operators only. A customer's own policy goes before their plan's, and that before "
            f"the default. A notice may name {_PLACEHOLDERS}."
        ),
        request=PolicyInput,
        responses={201: PolicyOutput, **problems(400, 403, 409, 422)},
        examples=[
            OpenApiExample(
                "Three tries, two notices, then the end",
                {
                    "name": "standard",
                    "retry_after_days": [1, 3, 5],
                    "grace_days": 7,
                    "notices": [
                        {
                            "after_days": 0,
                            "subject": "Invoice {number} is not paid",
                            "text": "{amount} could not be charged. Please see {url}.",
                        },
                        {
                            "after_days": 10,
                            "subject": "Invoice {number}: last reminder",
                            "text": "Your plan ends on {final_on}. {url}",
                        },
                    ],
                    "final_act": "cancel",
                    "final_after_days": 14,
                    "is_default": True,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields = self.read(PolicyInput)
        use = _use(fields, usual=Use(is_default=False))
        row = dunning_policies.create(
            _policy(DunningPolicy(), fields), by=caller(request).name, now=clock.now(), use=use
        )
        return Response(PolicyOutput.of(row), status=201)


class OneDunningPolicy(Endpoint):
    """One policy."""

    is_tagged_by_version = False
    operator_only = frozenset({"GET", "PATCH"})

    @extend_schema(
        operation_id="getDunningPolicy",
        summary="Read a dunning policy",
        description="Operators only.",
        responses={200: PolicyOutput, **problems(403, 404)},
    )
    def get(self, request: Request, policy_id: UUID) -> Response:
        """Read it."""
        return Response(PolicyOutput.of(_policy_row(policy_id)))

    @extend_schema(
        operation_id="updateDunningPolicy",
        summary="Change a dunning policy",
        description=(
            "Operators only. What is not named stays; a list replaces the one there was. Runs "
            "that have begun keep the terms they began with; the grace period is the new one's "
            "at once."
        ),
        request=PolicyChange,
        parameters=IF_MATCH,
        responses={200: PolicyOutput, **problems(400, 403, 404, 409, 412)},
        examples=[OpenApiExample("Longer grace", {"grace_days": 14}, request_only=True)],
    )
    def patch(self, request: Request, policy_id: UUID) -> Response:
        """Change it."""
        stored = value_of(_policy_row(policy_id))
        fields = self.read(PolicyChange)
        dunning_policies.change(
            policy_id,
            _policy(stored, fields),
            by=caller(request).name,
            now=clock.now(),
            use=_use(fields, usual=Use()),
        )
        return Response(PolicyOutput.of(_policy_row(policy_id)))


class DunningRuns(Endpoint):
    """All runs."""

    filters = RunQuery

    @extend_schema(
        operation_id="listDunningRuns",
        summary="List what is done about unpaid invoices",
        description="Newest first. A customer's token sees that customer's only.",
        parameters=[RunQuery],
        responses={200: listing("dunning_runs", RunOutput, "DunningRun"), **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        if "customer" in query:
            customer_named(request, query["customer"])
        filters = {name: query[name] for name in ("customer", "invoice", "status") if name in query}
        rows = own(request, _runs()).filter(**filters).order_by("-pk")
        return page("dunning_runs", rows, query, show=lambda part: _shown(request, part))


class OneDunningRun(Endpoint):
    """One run."""

    is_tagged_by_version = False
    operator_only = frozenset({"PATCH"})

    @extend_schema(
        operation_id="getDunningRun",
        summary="Read a dunning run",
        description="With its terms and every notice that was given.",
        responses={200: RunOutput, **problems(404)},
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        """Read it."""
        return Response(_answer(request, run_id))

    @extend_schema(
        operation_id="updateDunningRun",
        summary="Stop a dunning run, or let it go on",
        description=(
            "Operators only. `stopped`: no retry, no notice, no end by itself; the invoice stays "
            "owed. `running`: it goes on where it stood; the days in between do not count."
        ),
        request=RunChange,
        parameters=IF_MATCH,
        responses={200: RunOutput, **problems(400, 403, 404, 409, 412)},
        examples=[
            OpenApiExample(
                "Stop", {"status": "stopped", "note": "Will pay in June."}, request_only=True
            )
        ],
    )
    def patch(self, request: Request, run_id: UUID) -> Response:
        """Stop or resume it."""
        fields = self.read(RunChange)
        name, now = caller(request).name, clock.now()
        if fields["status"] == RunStatus.STOPPED:
            dunning.stop(run_id, by=name, now=now, note=fields.get("note", ""))
        else:
            dunning.resume(run_id, by=name, now=now)
        return Response(_answer(request, run_id))


def _runs() -> QuerySet[DunningRun]:
    return DunningRun.objects.select_related("invoice").prefetch_related("notices")


def _answer(request: Request, run_id: UUID) -> dict[str, Any]:
    (shown,) = _shown(request, [find(request, _runs(), run_id, noun="dunning run")])
    return shown


def _shown(request: Request, rows: list[DunningRun]) -> list[dict[str, Any]]:
    return RunOutput.all_of(rows, is_operator=caller(request).is_operator)


def _policy_row(policy_id: UUID) -> PolicyRow:
    return found(PolicyRow.objects.prefetch_related("plans"), policy_id, noun="dunning policy")


def _policy(stored: DunningPolicy, fields: dict[str, Any]) -> DunningPolicy:
    """What the body makes of a policy."""
    said = {name: value for name, value in fields.items() if name not in {"is_default", "plans"}}
    if "retry_after_days" in said:
        said["retry_after_days"] = tuple(said["retry_after_days"])
    if "notices" in said:
        said["notices"] = notices_from_json(said["notices"])
    return replace(stored, **said)


def _use(fields: dict[str, Any], *, usual: Use) -> Use:
    return Use(fields.get("is_default", usual.is_default), fields.get("plans", usual.plans))
