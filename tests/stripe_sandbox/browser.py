"""A browser without scripts: it fills in forms, keeps nothing, and follows no redirect blindly."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        """Show the redirect instead of following it."""


_WEB = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())


@dataclass
class Visit:
    """One page, or one redirect."""

    status: int
    url: str
    text: str
    location: str | None
    headers: Message

    @property
    def fields(self) -> dict[str, str]:
        """Label → name of every field that has both."""
        reader = _Form()
        reader.feed(self.text)
        return {
            " ".join(words.split()): reader.names[target]
            for target, words in reader.labels.items()
            if target in reader.names
        }

    @property
    def buttons(self) -> dict[str, tuple[str, str]]:
        """What is written on each button → the field it sends."""
        reader = _Form()
        reader.feed(self.text)
        return reader.buttons

    def send(self, button: str, **by_label: str) -> Visit:
        """Fill in fields by (the beginning of) their label and press a button."""
        fields = self.fields
        form = dict(_hidden(self.text))
        for label, value in by_label.items():
            wanted = label.replace("_", " ").lower()
            form[next(n for t, n in fields.items() if t.lower().startswith(wanted))] = value
        name, value = self.buttons[button]
        return visit(self.url.split("?")[0], form | {name: value})


def visit(url: str, form: dict[str, str] | None = None) -> Visit:
    """Go to an address, posting a form if there is one."""
    data = urlencode(form).encode() if form is not None else None
    try:
        answer = _WEB.open(url, data, timeout=10)
    except urllib.error.HTTPError as other:
        answer = other
    with answer:
        location = answer.headers["Location"]
        return Visit(
            answer.status,
            url,
            answer.read().decode(),
            urljoin(url, location) if location else None,
            answer.headers,
        )


def _hidden(text: str) -> dict[str, str]:
    reader = _Form()
    reader.feed(text)
    return reader.hidden


class _Form(HTMLParser):
    """Reads labels, fields and buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.hidden: dict[str, str] = {}
        self.buttons: dict[str, tuple[str, str]] = {}
        self._label: str | None = None
        self._button: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "label":
            self._label = given["for"]
            self.labels[self._label] = ""
        elif tag in ("input", "select") and given.get("type") == "hidden":
            self.hidden[given["name"]] = given["value"]
        elif tag in ("input", "select"):
            self.names[given["id"]] = given["name"]
        elif tag == "button":
            self._button = (given.get("name", ""), given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._label is not None:
            self.labels[self._label] += data
        if self._button is not None and data.strip():
            self.buttons[data.strip()] = self._button

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._label = None
        elif tag == "button":
            self._button = None
