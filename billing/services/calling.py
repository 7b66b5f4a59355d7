"""Asking a gateway: through its breaker, with a note of what came of it.

Never inside a transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from django.db import transaction

from billing.core.breaker import CLOSED
from billing.gateways import registry
from billing.gateways.base import (
    Gateway,
    GatewayRejectedError,
    GatewayUnavailableError,
    GatewayUnreachableError,
)
from billing.models import GatewayCall, GatewayRoute
from billing.models.gateway import CallOutcome
from billing.services import locks, routes

_Answer = TypeVar("_Answer")

_DETAIL: Final = 255


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom.

    :param about: the id of the attempt, refund or checkout session; empty for what is about none.
    :param is_simulated: for a customer on a test clock, whose months pass in seconds: how it goes
        says nothing about the gateway's health, and they need not wait for its recovery.
    """

    gateway: str
    verb: str
    about: str = ""
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    """One call, under way since `began` on the monotonic clock."""

    at: datetime
    began: float
    detail: str = ""


def ask(question: Question, put: Callable[[Gateway], _Answer], *, now: datetime) -> _Answer:
    """Put a question to a gateway.

    :param now: in real time, but for customers on a test clock.
    :raises GatewayUnreachableError: if it was not reached, or is left alone for now.
    :raises GatewayUnavailableError: if it gave no answer that can be relied on.
    :raises GatewayRejectedError: if it refuses.
    :raises RuntimeError: if a transaction is open.
    """
    _require_closed(question, now=now)
    gateway = registry.get(question.gateway)
    began = time.monotonic()
    try:
        answer = put(gateway)
    except GatewayUnreachableError as error:
        _note(question, CallOutcome.UNREACHED, _Call(now, began, str(error)))
        raise
    except GatewayUnavailableError as error:
        _note(question, CallOutcome.NO_ANSWER, _Call(now, began, str(error)))
        raise
    except GatewayRejectedError as error:
        _note(question, CallOutcome.REFUSED, _Call(now, began, str(error)))
        raise
    _note(question, CallOutcome.ANSWERED, _Call(now, began))
    return answer


@transaction.atomic(durable=True)
def _require_closed(question: Question, *, now: datetime) -> None:
    """Hold a call back while the breaker is open, but for one that probes."""
    if question.is_simulated:
        return
    if GatewayRoute.objects.filter(name=question.gateway, opened_at__isnull=False).exists():
        route = locks.gateway_route(question.gateway)
        if not route.breaker.lets_through(now):
            raise GatewayUnreachableError(f"{question.gateway} did not answer; it is left alone.")
        routes.keep(route, route.breaker.probing(now))


def _note(question: Question, outcome: CallOutcome, call: _Call) -> None:
    if question.about or outcome != CallOutcome.ANSWERED:
        GatewayCall.objects.create(
            gateway=question.gateway,
            verb=question.verb,
            reference=question.about,
            outcome=outcome,
            detail=call.detail[:_DETAIL],
            took_ms=int((time.monotonic() - call.began) * 1000),
            called_at=call.at,
        )
    if question.is_simulated:
        return
    if outcome in {CallOutcome.UNREACHED, CallOutcome.NO_ANSWER}:
        _count_failure(question.gateway, call.at)
    elif GatewayRoute.objects.filter(name=question.gateway, failures__gt=0).exists():
        _close(question.gateway)


@transaction.atomic
def _count_failure(gateway: str, now: datetime) -> None:
    route = locks.gateway_route(routes.row(gateway).name)
    routes.keep(route, route.breaker.failed(now))


@transaction.atomic
def _close(gateway: str) -> None:
    routes.keep(locks.gateway_route(gateway), CLOSED)
