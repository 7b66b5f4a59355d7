"""`Authorization: Bearer …`: who is calling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast
from uuid import UUID

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from billing import clock
from billing.models import ApiToken
from billing.models.token import Role
from billing.services import tokens


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as their token says."""

    is_authenticated: ClassVar[bool] = True

    token: ApiToken

    @property
    def name(self) -> str:
        """What records say of who did it: of a customer's own token nothing that names anybody."""
        if not self.is_operator:
            return f"token {self.token.prefix}…"
        return f"{self.token.name} ({self.token.prefix}…)"

    @property
    def is_operator(self) -> bool:
        """Whether they may do everything."""
        return self.token.role == Role.OPERATOR

    @property
    def customer_id(self) -> UUID | None:
        """The one customer whose things they may see and do; None for an operator."""
        return None if self.is_operator else self.token.customer_id

    @property
    def organization_id(self) -> str | None:
        """That customer's organization."""
        return self.token.customer.organization_id if self.token.customer else None


class BearerAuthentication(BaseAuthentication):
    """Finds the token; unknown, expired and revoked ones are refused alike."""

    def authenticate(self, request: Request) -> tuple[Caller, ApiToken] | None:
        """The caller, or None where no token came."""
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise AuthenticationFailed("Send “Authorization: Bearer <token>”.", "invalid_token")
        token = tokens.authenticate(text.strip(), now=clock.now())
        if token is None:
            raise AuthenticationFailed("The token is not valid.", "invalid_token")
        return Caller(token), token

    def authenticate_header(self, request: Request) -> str:
        """What 401 answers carry in `WWW-Authenticate`."""
        return 'Bearer realm="api"'


def caller(request: Request) -> Caller:
    """Who calls; permission was given already, so there is somebody."""
    return cast("Caller", request.user)
