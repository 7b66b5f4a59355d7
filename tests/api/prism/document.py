"""The contract's document, read: every command in it, and the answer that it shows after it.

`contract.md` is the document as it was handed over, to the letter. It holds a few slips, which no
shell, server or JSON parser lets pass; they are mended here, where everybody can see them, and
nothing else is.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from getopt import gnu_getopt
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

TEXT: Final = (Path(__file__).parent / "contract.md").read_text(encoding="utf-8")
# What stands in the document → what is meant. Each stands there once.
SLIPS: Final[Mapping[str, str]] = {
    "Copy code\n": "",
    "/billing/customer\n-H": "/billing/customer \\\n-H",
    "Authorization : Bearer": "Authorization: Bearer",
    '"State",\n}': '"State"\n}',
    '"<plan_id>",\n}': '"<plan_id>"\n}',
    '"8b131663-058d-4e8f-8ccb-cc83c3f9e694",\n}': '"8b131663-058d-4e8f-8ccb-cc83c3f9e694"\n}',
    "},\n   ...\n": "}\n",  # two plans of four are shown
}
FORM: Final = "application/x-www-form-urlencoded"  # what curl says of any `-d`
_BLOCK: Final = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACEHOLDER: Final = re.compile(r"<([a-z0-9_-]+)>")


@dataclass(frozen=True)
class Answer:
    """What came back, or what the document shows; its body with the order of its names."""

    status: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Command:
    """One command as curl would send it; `answer` is what the document shows next."""

    line: int
    method: str
    url: str
    headers: Mapping[str, str]
    data: str | None
    answer: Answer

    @property
    def path(self) -> str:
        """Where to."""
        return urlsplit(self.url).path

    @property
    def fields(self) -> dict[str, Any]:
        """What the body says."""
        return {} if self.data is None else dict(json.loads(self.data))

    def filled(self, values: Mapping[str, str]) -> Command:
        """With something in the place of everything that stands for something else."""
        return replace(
            self,
            url=_filled(self.url, values),
            headers={name: _filled(text, values) for name, text in self.headers.items()},
            data=None if self.data is None else _filled(self.data, values),
        )

    def sent_to(self, host: str) -> tuple[Answer, bytes]:
        """The answer of a server there, and its body as it came."""
        connection = HTTPConnection(host, timeout=10)
        connection.request(self.method, self.path, self.data, dict(self.headers))
        response = connection.getresponse()
        body = response.read()
        connection.close()
        status = f"{response.status} {response.reason}"
        return Answer(status, dict(response.getheaders()), loads(body.decode())), body


def loads(text: str) -> Any:
    """JSON in which no number loses a digit."""
    return json.loads(text, parse_float=Decimal)


def commands() -> Iterator[Command]:
    """All of them in the document's order."""
    text = TEXT
    for slip, meant in SLIPS.items():
        text = text.replace(slip, meant)
    blocks = [
        (text.count("\n", 0, found.start(1)) + 1, found[1]) for found in _BLOCK.finditer(text)
    ]
    asked: list[tuple[int, str]] = []
    for line, block in blocks:
        command, mark, answer = block.partition("HTTP/1.1 ")
        if command.strip():
            asked.append((line, command))
        if mark:
            shown = _answer(answer)
            yield from (_command(*each, shown) for each in asked)
            asked = []
    assert not asked, "commands without an answer"


def _command(line: int, text: str, answer: Answer) -> Command:
    """By curl's own rules; of what is read from a file or a pipe it drops the line ends."""
    typed, _, piped = text.replace("\\\n", " ").partition("<< EOF\n")
    program, *arguments = shlex.split(typed)
    assert program == "curl"
    options, [url] = gnu_getopt(arguments, "sSiX:H:d:")
    headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
    given = dict(options)
    data = given.get("-d")
    if data == "@-":
        data = piped.rpartition("EOF")[0].replace("\n", "")
    if data is not None:
        headers.setdefault("Content-Type", FORM)
    return Command(line, given["-X"], url, headers, data, answer)


def _answer(text: str) -> Answer:
    head, _, body = text.partition("\n\n")
    status, *lines = head.split("\n")
    return Answer(status, dict(line.split(": ", 1) for line in lines), loads(body))


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Placeholders by their names, the document's own ids as they stand."""
    for name, value in values.items():
        text = text.replace(name, value)
    assert not _PLACEHOLDER.search(text), text
    return text
