"""What goes wrong is told as Stripe tells it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from tests.stripe_sandbox.conftest import KEY, client_in


def refused(sandbox: Sandbox, path: str, form: str = "", method: str = "POST") -> dict[str, Any]:
    """Ask by hand, since the SDK would not send some of this; return the error."""
    answer = sandbox.handle(method, path, form, {"Authorization": f"Bearer {KEY}"})
    error: dict[str, Any] = json.loads(answer.body)["error"]
    return error | {"status": answer.status}


@pytest.mark.parametrize(
    ("form", "code", "param", "message"),
    [
        ("currency=usd", "parameter_missing", "amount", "Missing required param: amount."),
        (
            "amount=100&currency=usd&colour=red",
            "parameter_unknown",
            "colour",
            "Received unknown parameter: colour",
        ),
        (
            "amount=100&currency=usd&colour=red&shape=round",
            "parameter_unknown",
            "colour",
            "Received unknown parameters: colour, shape",
        ),
        (
            (
                "amount=100&currency=usd&automatic_payment_methods[enabled]=true"
                "&automatic_payment_methods[colour]=red"
            ),
            "parameter_unknown",
            "automatic_payment_methods[colour]",
            "Received unknown parameter: automatic_payment_methods[colour]",
        ),
        (
            "amount=100&currency=usd&automatic_payment_methods[allow_redirects]=never",
            "parameter_missing",
            "automatic_payment_methods[enabled]",
            "Missing required param: automatic_payment_methods[enabled].",
        ),
        ("amount=ten&currency=usd", "parameter_invalid_integer", "amount", "Invalid integer: ten"),
        ("amount=1.5&currency=usd", "parameter_invalid_integer", "amount", "Invalid integer: 1.5"),
        (
            "amount=100&currency=usd&confirm=yes",
            None,
            "confirm",
            "Invalid boolean: yes",
        ),
        (
            "amount=100&currency=usd&capture_method=soon",
            None,
            "capture_method",
            "Invalid capture_method: must be one of automatic, automatic_async, or manual",
        ),
        (
            "amount=100&currency=usd&payment_method_types=card",
            None,
            "payment_method_types",
            "Invalid array",
        ),
        (
            "amount=100&currency=usd&shipping=home",
            None,
            "shipping",
            "Invalid object",
        ),
    ],
)
def test_a_malformed_request_is_explained(
    sandbox: Sandbox, *, form: str, code: str | None, param: str, message: str
) -> None:
    error = refused(sandbox, "/v1/payment_intents", form)

    assert error["type"] == "invalid_request_error"
    assert (error["status"], error.get("code"), error["param"]) == (400, code, param)
    assert error["message"] == message


def test_an_empty_value_cannot_unset_what_must_be_set(sandbox: Sandbox) -> None:
    error = refused(sandbox, "/v1/payment_intents", "amount=100&currency=usd&customer=")

    assert (error["code"], error["param"]) == ("parameter_invalid_empty", "customer")
    assert error["message"].startswith("You passed an empty string for 'customer'.")


@pytest.mark.parametrize("form", ["a[=1", "a]=1", "[a]=1", "a=1&a[b]=2", "a[b]=1&a[]=2"])
def test_a_name_that_cannot_be_read_is_refused(sandbox: Sandbox, form: str) -> None:
    assert refused(sandbox, "/v1/customers", form)["status"] == 400


def test_what_is_not_there_is_404_in_the_path_and_400_in_a_parameter(
    api: stripe.V1Services,
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as in_path:
        api.payment_intents.retrieve("pi_nowhere")
    with pytest.raises(stripe.InvalidRequestError) as in_parameter:
        api.payment_intents.create({"amount": 100, "currency": "usd", "customer": "cus_nobody"})

    assert (in_path.value.http_status, in_path.value.code) == (404, "resource_missing")
    assert in_path.value.user_message == "No such payment_intent: 'pi_nowhere'"
    assert in_path.value.param == "intent"
    assert (in_parameter.value.http_status, in_parameter.value.param) == (400, "customer")
    assert in_parameter.value.user_message == "No such customer: 'cus_nobody'"


def test_an_id_of_another_kind_is_not_found(
    api: stripe.V1Services, visa: stripe.PaymentMethod
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        api.customers.retrieve(visa.id)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH"])
def test_an_unknown_address_is_404(sandbox: Sandbox, method: str) -> None:
    error = refused(sandbox, "/v1/unheard_of", method=method)

    assert error["status"] == 404
    assert error["message"].startswith(f"Unrecognized request URL ({method}: /v1/unheard_of)")


@pytest.mark.parametrize("path", ["/v1/topups", "/v1/customers/search"])
def test_what_stripe_has_and_the_stand_in_has_not_is_said(sandbox: Sandbox, path: str) -> None:
    error = refused(sandbox, path, method="GET")

    assert error["status"] == 404
    assert "this stand-in does not yet" in error["message"]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "You did not provide an API key."),
        ("sk_test_", "Invalid API Key provided: sk_test_"),
        ("nonsense", "Invalid API Key provided: nonsense"),
        ("sk_live_abcdefghijklmnop", "takes no live key"),
        ("rk_live_abcdefghijklmnop", "takes no live key"),
    ],
)
def test_a_key_must_be_a_test_key(sandbox: Sandbox, key: str, message: str) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = sandbox.handle("GET", "/v1/customers", "", headers)

    error = json.loads(answer.body)["error"]
    assert answer.status == 401
    assert error["type"] == "invalid_request_error"
    assert message in error["message"]
    assert "abcdefghijklmnop" not in error["message"]


def test_the_sdk_raises_its_own_errors(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.AuthenticationError):
        client_in(sandbox, "sk_live_abcdefghijklmnop").v1.customers.list()


def test_a_key_may_come_as_a_user_name(sandbox: Sandbox) -> None:
    headers = {"Authorization": "Basic c2tfdGVzdF9hYmM6"}  # sk_test_abc:

    assert sandbox.handle("GET", "/v1/customers", "", headers).status == 200


def test_every_answer_says_which_request_and_which_version(sandbox: Sandbox) -> None:
    right = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "2026-08-26.dahlia"}
    for headers in (right, {}):
        answer = sandbox.handle("GET", "/v1/customers", "", headers)
        assert answer.headers["Request-Id"].startswith("req_")
        assert answer.headers["Stripe-Version"] == "2026-08-26.dahlia"


def test_a_version_that_is_none_is_refused(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "latest"}

    assert sandbox.handle("GET", "/v1/customers", "", headers).status == 400


def test_what_would_be_ignored_is_refused_instead(api: stripe.V1Services) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not act on `source` yet"):
        api.customers.create({"source": "tok_visa"})


def test_its_own_faults_are_500_and_leave_nothing_behind(
    sandbox: Sandbox, api: stripe.V1Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("stripe_sandbox.webhooks.events.record", broken)
        with pytest.raises(stripe.APIError) as failure:
            api.customers.create({})

    assert failure.value.http_status == 500
    assert api.customers.list().data == []
