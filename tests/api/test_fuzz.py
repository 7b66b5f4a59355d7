"""Whatever anybody sends, each answer is one that the document knows: none is a failure of ours.

`make fuzz` does the same for longer, by new seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis.stateful import run_state_machine_as_test
from hypothesis.strategies import SearchStrategy
from schemathesis import Response

from tests.api import fuzzing
from tests.api.addresses import ids_of
from tests.api.calling import caller
from tests.api.fuzzing import Request
from tests.api.rights import CALLERS, TABLE
from tests.api.stage import Stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stage")]

# Requests to each operation by each caller whom it does not refuse.
EXAMPLES = {"nobody": 1, "stranger": 1, "reader": 1, "owner": 2, "operator": 4}


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    with fuzzing.one_connection():
        yield


@pytest.mark.parametrize("name", TABLE)
def test_every_answer_is_documented(name: str, stage: Stage) -> None:
    method, _, path = name.partition(" ")
    with fuzzing.about(ids_of(stage, name)):
        address = path if path.startswith("/") else f"/api/v1/{path}"
        requests = fuzzing.requests(fuzzing.operation(address, method))
        for who, status in zip(CALLERS, TABLE[name].statuses, strict=True):
            is_refused = status in {401, 403} or (status == 404 and "{" in name)
            examples = 1 if is_refused else EXAMPLES[who]
            _send(requests, examples, _token(stage, who), is_refused=is_refused)


@pytest.mark.parametrize(
    ("who", "number"),
    [
        ("operator", 1),
        ("operator", 2),
        ("operator", 3),
        ("owner", 4),
        ("reader", 5),
        ("stranger", 6),
        ("nobody", 7),
    ],
)
def test_no_sequence_of_requests_brings_it_down(who: str, number: int, stage: Stage) -> None:
    """Each is about what came of the ones before, as far as the document lets that be inferred."""
    token = _token(stage, who)

    class Sequence(fuzzing.schema().as_state_machine()):  # type: ignore[misc]  # made at run time
        def setup(self) -> None:
            self.before = fuzzing.undone()
            self.before.__enter__()

        def teardown(self) -> None:
            self.before.__exit__(None, None, None)
            super().teardown()

        def call(self, case: Request, **_options: Any) -> Response:
            return fuzzing.called(case, token)

        def validate_response(self, response: Response, case: Request, **_options: Any) -> None:
            fuzzing.validate(case, response)

    machine = Sequence if fuzzing.TIMES > 1 else hypothesis.seed(number)(Sequence)
    with fuzzing.about(ids_of(stage)):
        run_state_machine_as_test(machine, settings=fuzzing.thoroughly(6, stateful_step_count=10))


def _send(
    requests: SearchStrategy[Request], examples: int, token: str | None, *, is_refused: bool
) -> None:
    @fuzzing.thoroughly(examples)
    @given(case=requests)
    def send(case: Request) -> None:
        response = fuzzing.send(case, token)
        assert not is_refused or response.status_code >= 400, response.text

    send()


def _token(stage: Stage, who: str) -> str | None:
    if who == "nobody":
        return None
    customer = {"operator": None, "stranger": stage.bob}.get(who, stage.alice)
    return caller(customer, is_read_only=who == "reader").token
