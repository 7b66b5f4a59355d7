"""What can be done about a charge that is under way: by its payer, and by operators."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.charge_shapes import OWNER, CallOutput, ChargeOutput, charges
from billing.api.endpoint import Endpoint
from billing.api.fields import Flag, ReturnUrl, Strict, Text
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find
from billing.api.tokens import caller
from billing.core import lifecycle
from billing.models import GatewayCall, PaymentAttempt
from billing.services import following, payer_actions


class ResumeInput(Strict):
    """Where the gateway's page leads back to. What it says there is not believed: read it here."""

    return_url = ReturnUrl()


class DecisionInput(Strict):
    """What an operator found at the gateway."""

    was_taken = Flag()
    external_id = Text(
        max_length=255,
        allow_blank=True,
        default="",
        required=False,
        help_text="What the gateway calls the charge; needed where it was taken.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What was taken has a name."""
        if attrs["was_taken"] and not attrs["external_id"]:
            raise serializers.ValidationError(
                {"external_id": ["What does the gateway call the charge?"]}, "required"
            )
        return attrs


class ChargeResumption(Endpoint):
    """The payer is there."""

    is_atomic = False

    @extend_schema(
        operation_id="resumeCharge",
        summary="Go on with a charge that waits for its payer",
        description=(
            "For the payer who is there now. Send them to the `url` in `action`, if there is one "
            "then; it may also be settled at once. 409 `nothing_to_do` where it does not wait for "
            "them, `rejected_by_gateway` where the gateway refuses; 503 `gateway_unavailable`."
        ),
        request=ResumeInput,
        responses={200: ChargeOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Back to the shop",
                {"return_url": "https://shop.example.com/paid"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, charge_id: UUID) -> Response:
        """Go on."""
        _charge(request, charge_id)
        fields = self.read(ResumeInput)
        attempt = payer_actions.resume(charge_id, return_url=fields["return_url"], now=clock.now())
        return Response(ChargeOutput.of(attempt))


class ChargeWithdrawal(Endpoint):
    """It shall be paid another way."""

    is_atomic = False

    @extend_schema(
        operation_id="withdrawCharge",
        summary="Withdraw a charge that waits for its payer",
        description=(
            "So that another may be made; one that was never sent is withdrawn likewise. It is "
            "`abandoned` then, or `succeeded` if it was paid meanwhile; again is the same as once. "
            "409 `charge_under_way` where it may have reached the gateway and waits for nobody, "
            "`rejected_by_gateway` where the gateway refuses; 503 `gateway_unavailable`."
        ),
        request=None,
        responses={200: ChargeOutput, **problems(403, 404, 409, 422)},
    )
    def post(self, request: Request, charge_id: UUID) -> Response:
        """Withdraw it."""
        _charge(request, charge_id)
        return Response(ChargeOutput.of(payer_actions.withdraw(charge_id, now=clock.now())))


class ChargeDecision(Endpoint):
    """Nobody knows but the operator."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="decideCharge",
        summary="Say what became of a charge",
        description=(
            "Operators only, of a charge that `needs_decision`: the gateway was asked for long "
            "enough and gives no answer. Taken, it pays the invoice; not taken, it counts as "
            "declined. Should the gateway say later that it was taken after all, it is booked all "
            "the same. 409 `still_asking` where no decision is needed, `external_id_taken` where "
            "another charge has that id."
        ),
        request=DecisionInput,
        responses={200: ChargeOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Taken", {"was_taken": True, "external_id": "pi_3Q5x"}, request_only=True
            ),
            OpenApiExample("Not taken", {"was_taken": False}, request_only=True),
        ],
    )
    def post(self, request: Request, charge_id: UUID) -> Response:
        """Decide it."""
        _charge(request, charge_id)
        attempt = following.decide(
            charge_id, **self.read(DecisionInput), by=caller(request).name, now=clock.now()
        )
        return Response(ChargeOutput.of(attempt))


class ChargeQuestion(Endpoint):
    """Asking once more."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="askAboutCharge",
        summary="Ask the gateway about a charge now",
        description=(
            "Operators only. A worker asks at once instead of later, under the same key. 409 "
            "`nothing_to_ask` where it is known what became of it."
        ),
        request=None,
        responses={202: ChargeOutput, **problems(403, 404, 409, 422)},
    )
    def post(self, request: Request, charge_id: UUID) -> Response:
        """Tell a worker."""
        _charge(request, charge_id)
        attempt = following.ask_again(charge_id, now=clock.now())
        is_waiting = attempt.status in lifecycle.WAITING_ATTEMPTS
        task = tasks.ask_charge if is_waiting else tasks.collect
        transaction.on_commit(partial(tasks.soon, task, attempt_id=str(attempt.pk)))
        return Response(ChargeOutput.of(attempt), status=202)


class ChargeCalls(Endpoint):
    """What passed between the gateway and us."""

    operator_only = frozenset({"GET"})
    filters = PageQuery

    @extend_schema(
        operation_id="listChargeCalls",
        summary="List the calls to the gateway about a charge",
        description="Operators only. Oldest first; neither questions nor answers are kept.",
        parameters=[PageQuery],
        responses={200: listing("calls", CallOutput, "Call"), **problems(400, 403, 404)},
    )
    def get(self, request: Request, charge_id: UUID) -> Response:
        """List them."""
        _charge(request, charge_id)
        rows = GatewayCall.objects.filter(reference=str(charge_id)).order_by("called_at", "pk")
        return page("calls", rows, self.filtered(), show=CallOutput.all_of)


def _charge(request: Request, charge_id: UUID) -> PaymentAttempt:
    return find(request, charges(), charge_id, by=OWNER, noun="charge")
