"""`docs/pricing.md`, run as it stands: every request is sent, every answer compared.

An `http` block has one or more requests, each a line `[$name = ]METHOD /path` and its JSON body;
`$name` is the id that was answered. The block after it, `text` or `json`, is what the last of them
answers: a table with the columns its first line names, or the fields that matter.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from tests.api.calling import Answer, Caller

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "pricing.md"
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_REQUEST: Final = re.compile(r"(?:\$(\w+) = )?([A-Z]+) (/\S+)\n?(.*)", re.DOTALL)
_CODE: Final = re.compile(r'code="(\w+)"')
_EXAMPLES: Final = {("http", "text"), ("http", "json")}
# Where a change or a coupon is refused.
_REFUSING: Final = (
    "billing/core/changes.py",
    "billing/core/schedule.py",
    "billing/services/coupons.py",
    "billing/services/schedule.py",
)
Row = dict[str, str]


@dataclass(frozen=True)
class Block:
    """A fenced block, and the line of the page that it begins at."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Every fenced block, in order."""
    return [
        Block(found[1], found[2], page.count("\n", 0, found.start()) + 1)
        for found in _BLOCK.finditer(page)
    ]


def differences(operator: Caller, page: str) -> Iterator[str]:
    """Send every request of a page; tell where an answer is not what the page says."""
    ids: dict[str, str] = {}
    found = blocks(page)
    for requests, said in zip(found[::2], found[1::2], strict=True):
        assert (requests.language, said.language) in _EXAMPLES, f"{PAGE.name}:{requests.line}"
        *before, answer = [_sent(operator, one, ids) for one in requests.text.split("\n\n")]
        for refused in (earlier for earlier in before if earlier.status >= 300):
            yield _difference(requests, "it succeeds\n", _pretty(refused.body))
        expected, actual = _compared(said, answer, ids)
        if expected != actual:
            yield _difference(said, expected, actual)


def table(body: Any, columns: Sequence[str]) -> str:
    """Invoices, oldest first, or a timeline, as rows of these columns."""
    if "timeline" in body:
        rows = [_step(step) for step in body["timeline"]]
    else:
        invoices = body.get("invoices", [body])
        stored = [row for row in invoices if "at" not in row]
        in_order = reversed(invoices) if stored else invoices
        rows = [row for invoice in in_order for row in _invoice(invoice)]
    cells = [list(columns), *([row.get(name, "") for name in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "".join(
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in cells
    )


def _sent(operator: Caller, request: str, ids: dict[str, str]) -> Answer:
    match = _REQUEST.fullmatch(_named(request.strip(), ids))
    assert match is not None, request
    name, method, path, body = match.groups()
    answer = operator.send(method, path, json.loads(body) if body else None)
    if name:
        assert answer.status < 300, f"{request}\n{_pretty(answer.body)}"
        ids[name] = answer.body["id"]
    return answer


def _named(text: str, ids: dict[str, str]) -> str:
    """A text in which every `$name`, but one that is being given, is the id it stands for."""
    return re.sub(r"\$(\w+)(?! = )\b", lambda name: ids[name[1]], text)


def _compared(said: Block, answer: Answer, ids: dict[str, str]) -> tuple[str, str]:
    """What the page says and what was answered, in the same notation."""
    if said.language == "text":
        if answer.status >= 300:
            return said.text, _pretty(answer.body)
        columns = [name.strip() for name in said.text.partition("\n")[0].split("|")]
        return said.text, table(answer.body, columns)
    expected = json.loads(_named(said.text, ids))
    if answer.status >= 300 and "status" not in expected:
        return _pretty(expected), _pretty(answer.body)
    return _pretty(expected), _pretty(_restricted(answer.body, expected))


def _restricted(actual: Any, expected: Any) -> Any:
    """Of an answer, the fields that are expected; of a list, all of it."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        return {name: _restricted(actual.get(name), value) for name, value in expected.items()}
    if isinstance(actual, list) and isinstance(expected, list):
        pairs = zip(actual, expected, strict=False)
        return [_restricted(*pair) for pair in pairs] + actual[len(expected) :]
    return actual


def _invoice(invoice: dict[str, Any]) -> Iterator[Row]:
    """A row for each line, and one for the total."""
    at = _instant(invoice.get("at") or invoice["issued_at"] or invoice["created_at"])
    for index, line in enumerate(invoice["lines"]):
        shown = {name: str(value) for name, value in line.items() if isinstance(value, str)}
        yield shown | {"at": "" if index else at, "period": _period(line)}
    is_discounted = Decimal(invoice["discount"])
    yield {
        "at": "" if invoice["lines"] else at,
        "description": "total",
        "explanation": (
            f"{invoice['subtotal']} − {invoice['discount']} discount" if is_discounted else ""
        ),
        "amount": f"{invoice['total']} {invoice['currency']}",
    }


def _step(step: dict[str, Any]) -> Row:
    """A row for a change on the timeline."""
    after, conflict = step["after"], step["conflict"]
    return {
        "at": _instant(step["at"]),
        "status": after["status"],
        "plan": after["plan"],
        "quantity": after["quantity"],
        "period ends": _instant(after["period_end"]),
        "conflict": conflict["code"] if conflict else "",
    }


def _period(line: dict[str, Any]) -> str:
    if line["period_start"] is None:
        return ""
    return f"{_instant(line['period_start'])} – {_instant(line['period_end'])}"


def _instant(text: str | None) -> str:
    """`2026-04-01`, or `2026-04-01 09:00` where it is not midnight in UTC."""
    if text is None:
        return ""
    shown = text.removesuffix("Z").removesuffix(":00").replace("T", " ")
    return shown.removesuffix(" 00:00")


def _pretty(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _difference(block: Block, expected: str, actual: str) -> str:
    lines = difflib.ndiff(expected.splitlines(), actual.splitlines())
    kept = "\n".join(line for line in lines if not line.startswith("?"))
    return f"{PAGE.relative_to(ROOT)}:{block.line}: - the page, + the answer\n{kept}"


@pytest.mark.django_db(transaction=True)
def test_every_example_is_answered_as_the_page_says(operator: Caller) -> None:
    found = list(differences(operator, PAGE.read_text(encoding="utf-8")))

    assert not found, "\n\n" + "\n\n".join(found)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_not_what_the_page_says_is_told_with_its_line(operator: Caller) -> None:
    page = (
        "```http\nPOST /api/v1/invoice-previews\n"
        '{"plan": {"currency": "EUR", "amount": "49"}, "period_start": "2026-04-01T00:00:00Z"}\n'
        "```\n"
        "```text\nat         | description | amount\n2026-05-01 | Plan        | 48.00\n```\n"
    )

    (told,) = differences(operator, page)

    assert told.splitlines() == [
        "docs/pricing.md:5: - the page, + the answer",
        "  at         | description | amount",
        "- 2026-05-01 | Plan        | 48.00",
        "+ 2026-05-01 | Plan        | 49.00",
        "+            | total       | 49.00 EUR",
    ]


def test_every_reason_to_refuse_a_change_stands_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    codes = {code for name in _REFUSING for code in _CODE.findall((ROOT / name).read_text("utf-8"))}

    missing = [code for code in codes if f"`{code}`" not in page and f'"{code}"' not in page]

    assert codes
    assert sorted(missing) == ["not_found"]
