"""`/test-clocks`: a customer's life in seconds. Sandboxes only; 404 in production."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Instant, Strict
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import found
from billing.core.errors import NotFoundError
from billing.services import test_clocks
from customers.models import TestClock


class ClockInput(Strict):
    """Where the clock shall stand."""

    now = Instant()


@extend_schema_serializer(component_name="TestClock")
class ClockOutput(Answer):
    """A clock that is moved only by advancing it."""

    id = serializers.UUIDField()
    now = Instant()
    created_at = Instant()


class _SandboxEndpoint(Endpoint):
    """Clocks are an operator's, and known to sandboxes alone."""

    operator_only = frozenset({"GET", "POST"})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Be unknown in production, whoever asks.

        :raises NotFoundError: there.
        """
        if not settings.TEST_CLOCKS:
            raise NotFoundError(f"There is nothing at {request.path}.", code="not_found")
        super().initial(request, *args, **kwargs)


class TestClocks(_SandboxEndpoint):
    """All clocks."""

    __test__ = False  # pytest would take it for a test
    filters = PageQuery

    @extend_schema(
        operation_id="listTestClocks",
        summary="List the test clocks",
        description="Newest first.",
        parameters=[PageQuery],
        responses={
            200: listing("test_clocks", ClockOutput, "TestClock"),
            **problems(400, 403, 404),
        },
    )
    def get(self, request: Request) -> Response:
        """List them."""
        rows = TestClock.objects.order_by("-created_at", "-pk")
        return page("test_clocks", rows, self.filtered(), show=ClockOutput.all_of)

    @extend_schema(
        operation_id="createTestClock",
        summary="Make a test clock",
        description="Customers created with it as `test_clock` live by it.",
        request=ClockInput,
        responses={201: ClockOutput, **problems(400, 403, 404, 409, 422)},
        examples=[OpenApiExample("March", {"now": "2026-03-28T09:00:00Z"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        made = test_clocks.create(now=self.read(ClockInput)["now"])
        return Response(ClockOutput.of(made), status=201)


class OneTestClock(_SandboxEndpoint):
    """One clock."""

    @extend_schema(
        operation_id="getTestClock",
        summary="Read a test clock",
        description="Where it stands.",
        responses={200: ClockOutput, **problems(403, 404)},
    )
    def get(self, request: Request, clock_id: UUID) -> Response:
        """Read it."""
        return Response(ClockOutput.of(found(TestClock.objects.all(), clock_id, noun="clock")))


class Advance(_SandboxEndpoint):
    """Let time pass. Repeated, it goes on where it stopped."""

    is_atomic = False

    @extend_schema(
        operation_id="advanceTestClock",
        summary="Advance a test clock",
        description=(
            "Does everything that would have happened until then, in order: trials end, periods "
            "are invoiced, charges are made and retried. Answers when it is done."
        ),
        request=ClockInput,
        responses={200: ClockOutput, **problems(400, 403, 404, 409, 422)},
        examples=[OpenApiExample("May", {"now": "2026-05-01T00:00:00Z"}, request_only=True)],
    )
    def post(self, request: Request, clock_id: UUID) -> Response:
        """Advance it."""
        moved = test_clocks.advance(clock_id, to=self.read(ClockInput)["now"])
        return Response(ClockOutput.of(moved))
