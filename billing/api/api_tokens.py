"""`/tokens`: who may call, made and ended by those who may already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Flag, Instant, Strict, Text, Word
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own, require_operator
from billing.api.tokens import caller
from billing.models import ApiToken
from billing.models.token import Role, TokenStatus
from billing.services import tokens
from customers.models import Customer

_TEXT: Final = "token"  # the answer's member, which is shown once
_SECONDS: Final = timedelta(seconds=1)


class TokenInput(Strict):
    """What it is for, whose it is, what it may do and for how long."""

    name = Text(max_length=120)
    role = Word(Role, help_text="`operator`: everything. `customer`: one customer's own things.")
    customer = serializers.UUIDField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Whose, with `customer`; a customer's own token may leave it out.",
    )
    read_only = Flag(required=False, default=False)  # type: ignore[assignment]  # the contract names it so
    expires_at = Instant(
        required=False,
        allow_null=True,
        default=None,
        help_text="From then on it is refused. Null: never, or with the customer's token that "
        "makes it.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An operator's is nobody's."""
        if attrs["role"] == Role.OPERATOR and attrs["customer"] is not None:
            raise serializers.ValidationError(
                {"customer": ["An operator's token is no customer's."]}, "invalid"
            )
        return attrs


class RotationInput(Strict):
    """How long both are taken."""

    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=tokens.LONGEST_OVERLAP // _SECONDS,
        default=tokens.OVERLAP // _SECONDS,
        required=False,
        help_text="For how long the old one is still taken; 0 ends it at once.",
    )


@extend_schema_serializer(component_name="Token")
class TokenOutput(Answer):
    """A token, without its text."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How its text begins.")
    role = Word(Role)
    customer = serializers.UUIDField(source="customer_id", allow_null=True)
    read_only = serializers.BooleanField(  # type: ignore[assignment]  # the contract names it so
        source="is_read_only"
    )
    status = Word(TokenStatus)
    predecessor = serializers.UUIDField(
        source="predecessor_id", allow_null=True, help_text="The one it was made to replace."
    )
    created_at = Instant()
    expires_at = Instant(allow_null=True)
    revoked_at = Instant(
        allow_null=True, help_text="To come, while one that was rotated is still taken."
    )
    last_used_at = Instant(allow_null=True, help_text="To the minute.")

    def to_representation(self, token: ApiToken) -> dict[str, Any]:
        """As it stands now."""
        token.status = token.status_at(self.context["now"])  # type: ignore[attr-defined]
        return super().to_representation(token)


@extend_schema_serializer(component_name="NewToken")
class NewTokenOutput(TokenOutput):
    """A token with its text, which is shown this once."""

    token = serializers.CharField(
        allow_null=True,
        help_text="Keep it: it cannot be shown again. Null in a repetition under an idempotency "
        "key, for it is not kept here either.",
    )


class TokenQuery(PageQuery):
    """Which tokens."""

    customer = serializers.UUIDField(required=False)
    role = Word(Role, required=False)
    read_only = serializers.BooleanField(  # type: ignore[assignment]  # the contract names it so
        required=False
    )
    status = Word(TokenStatus, required=False)


class Tokens(Endpoint):
    """All tokens."""

    filters = TokenQuery
    shown_once = frozenset({_TEXT})

    @extend_schema(
        operation_id="listTokens",
        summary="List tokens",
        description="Newest first; of one customer, role or status, where asked. Their texts are "
        "nowhere.",
        parameters=[TokenQuery],
        responses={200: listing("tokens", TokenOutput, "Token"), **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query, now = self.filtered(), clock.now()
        found = ApiToken.objects.all()
        if "status" in query:
            found = found.standing(query["status"], now)
        rows = own(request, found).order_by("-created_at", "-pk")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        for name, column in {"role": "role", "read_only": "is_read_only"}.items():
            if name in query:
                rows = rows.filter(**{column: query[name]})
        return page("tokens", rows, query, show=lambda part: TokenOutput.all_of(part, now=now))

    @extend_schema(
        operation_id="createToken",
        summary="Make a token",
        description=(
            "Its text is in `token`, this once. A customer's token makes tokens for that customer "
            "only, and none that outlives it (409 `outlives_token`). 400 `expires_in_past`."
        ),
        request=TokenInput,
        responses={201: NewTokenOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "An operator's", {"name": "shop", "role": "operator"}, request_only=True
            ),
            OpenApiExample(
                "A customer's, for reading, for a year",
                {
                    "name": "their dashboard",
                    "role": "customer",
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "read_only": True,
                    "expires_at": "2027-04-11T00:00:00Z",
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields, now, who = self.read(TokenInput), clock.now(), caller(request)
        token, text = tokens.issue(
            fields["name"],
            now=now,
            customer=_whose(request, fields),
            is_read_only=fields["read_only"],
            expires_at=tokens.end_given_by(who.token, fields["expires_at"]),
            by=who.name,
        )
        return _made(token, text)


class OneToken(Endpoint):
    """One token."""

    @extend_schema(
        operation_id="getToken",
        summary="Read a token",
        description="Without its text. Ended ones stay readable.",
        responses={200: TokenOutput, **problems(404)},
    )
    def get(self, request: Request, token_id: UUID) -> Response:
        """Read it."""
        return Response(TokenOutput.of(_token(request, token_id), now=clock.now()))

    @extend_schema(
        operation_id="revokeToken",
        summary="Revoke a token",
        description="It is refused from now on, everywhere. Again is the same as once.",
        request=None,
        responses={204: None, **problems(403, 404)},
    )
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke it."""
        tokens.revoke(_token(request, token_id), now=clock.now(), by=caller(request).name)
        return Response(status=204)


class TokenRotation(Endpoint):
    """One token's successor."""

    shown_once = frozenset({_TEXT})

    @extend_schema(
        operation_id="rotateToken",
        summary="Rotate a token",
        description=(
            "Makes a token of the same name and scope, which lives as long as the old one was "
            "given, and ends the old one after the overlap. Its text is in `token`, this once. "
            "409 `token_ended`; `already_rotated` while its successor is taken: revoke that, and "
            "it may be rotated again; `outlives_token` where the new one would outlive the "
            "customer's token that asks."
        ),
        request=RotationInput,
        responses={201: NewTokenOutput, **problems(400, 403, 404, 409, 422)},
        examples=[OpenApiExample("Within an hour", {"overlap_seconds": 3600}, request_only=True)],
    )
    def post(self, request: Request, token_id: UUID) -> Response:
        """Rotate it."""
        old, who = _token(request, token_id), caller(request)
        token, text = tokens.rotate(
            old.pk,
            now=clock.now(),
            overlap=self.read(RotationInput)["overlap_seconds"] * _SECONDS,
            by=who.name,
            maker=who.token,
        )
        return _made(token, text)


def _token(request: Request, token_id: UUID) -> ApiToken:
    return find(request, ApiToken.objects.all(), token_id, noun="token")


def _whose(request: Request, fields: dict[str, Any]) -> Customer | None:
    """The customer whose token it shall be; None for an operator's."""
    if fields["role"] == Role.OPERATOR:
        require_operator(request)
        return None
    customer_id = fields["customer"] or caller(request).customer_id
    if customer_id is None:
        raise serializers.ValidationError({"customer": ["Whose?"]}, "required")
    return customer_named(request, customer_id)


def _made(token: ApiToken, text: str) -> Response:
    """The one answer in which the text stands; nothing on the way may keep it."""
    shown = {**TokenOutput.of(token, now=token.created_at), _TEXT: text}
    return Response(shown, status=201, headers={"Cache-Control": "no-store"})
