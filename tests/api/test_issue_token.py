"""`manage.py issue_token`."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing import clock
from billing.models import ApiToken
from customers.models import Customer
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db


def _issue(*arguments: str) -> Caller:
    out = StringIO()
    call_command("issue_token", *arguments, stdout=out)
    return Caller(out.getvalue().strip())


def test_an_operators_token() -> None:
    assert _issue("shop").post("/features", {"code": "sso"}).status == 201


def test_a_customers_token(alice: Customer) -> None:
    token = _issue("alice's own", "--customer", "alice")

    assert token.get(f"/customers/{alice.pk}").status == 200
    assert token.get("/journal").code == "operator_only"


def test_a_token_that_may_only_read() -> None:
    token = _issue("auditor", "--read-only")

    assert token.get("/journal").status == 200
    assert token.post("/features", {"code": "sso"}).code == "read_only_token"


def test_nobodys_token() -> None:
    with pytest.raises(CommandError, match="no customer of organization 'nobody'"):
        _issue("x", "--customer", "nobody")


def test_a_token_that_expires() -> None:
    before = clock.now()

    _issue("contractor", "--expires-in-days", "30")

    expires_at = ApiToken.objects.get().expires_at
    assert expires_at is not None
    assert before + timedelta(days=30) <= expires_at <= clock.now() + timedelta(days=30)


@pytest.mark.parametrize("days", ["0", "-1", "soon", "4000"])
def test_a_life_that_makes_no_sense(days: str) -> None:
    with pytest.raises(CommandError, match="a number of days"):
        _issue("x", "--expires-in-days", days)
