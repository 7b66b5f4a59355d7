"""A page as a reader gets it, checked for what every page must have."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, Protocol

_VOID = frozenset({"base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_IN_LINE = frozenset({"a", "span", "strong"})
_LABELLED = frozenset({"input", "select", "textarea"})
_NEEDS_NO_LABEL = frozenset({"hidden", "submit", "button"})


class Response(Protocol):
    """What of a test client's answer is looked at."""

    @property
    def status_code(self) -> int:
        """HTTP's."""
        ...

    @property
    def content(self) -> bytes:
        """The page."""
        ...

    @property
    def request(self) -> Mapping[str, Any]:
        """What was asked last."""
        ...


class Page(HTMLParser):
    """The text of a page and its elements."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response
        self.status = response.status_code
        self.html = response.content.decode()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        if self.html.lstrip().startswith("<"):
            self.feed(self.html)

    @property
    def text(self) -> str:
        """What it says, with single spaces."""
        return " ".join("".join(self._texts).split())

    @property
    def path(self) -> str:
        """Where it is, after all redirects."""
        return str(self.response.request["PATH_INFO"])

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def faults(self) -> list[str]:
        """What is wrong with it as a document."""
        return [*self._document(), *self._labels(), *self._scripts(), *self.unbalanced]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        attributes = dict(attrs)
        if tag == "input" and "label" in self._open:
            attributes["in-label"] = ""
        self.elements.append((tag, attributes))
        if tag not in _IN_LINE:
            self._texts.append(" ")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element without content, as SVG writes them."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Note what closes what."""
        if not self._open or self._open[-1] != tag:
            self.unbalanced.append(f"</{tag}> closes {self._open[-1:]}")
        elif self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Note what is said."""
        if self._open and self._open[-1] not in {"script", "style"}:
            self._texts.append(data)

    def _document(self) -> list[str]:
        faults = []
        if not self.html.lower().startswith("<!doctype html>"):
            faults.append("no doctype")
        if [a.get("lang") for a in self.all("html")] != ["en"]:
            faults.append("no language")
        counts = {tag: len(self.all(tag)) for tag in ("h1", "main", "title")}
        faults += [f"{count} <{tag}>" for tag, count in counts.items() if count != 1]
        ids = [a["id"] for _, a in self.elements if a.get("id")]
        faults += [f"id {one} twice" for one in {i for i in ids if ids.count(i) > 1}]
        faults += ["image without alt" for a in self.all("img") if "alt" not in a]
        faults += ["table head without scope" for a in self.all("th") if "scope" not in a]
        return faults

    def _labels(self) -> list[str]:
        named = {a.get("for") for a in self.all("label")}
        return [
            f"no label for {attributes}"
            for tag, attributes in self.elements
            if tag in _LABELLED
            and attributes.get("type") not in _NEEDS_NO_LABEL
            and attributes.get("id") not in named
            and not {"aria-label", "in-label"} & set(attributes)
        ]

    def _scripts(self) -> list[str]:
        faults = [f"inline style on <{tag}>" for tag, a in self.elements if "style" in a]
        faults += ["inline script" for a in self.all("script") if _is_inline(a)]
        faults += ["inline style sheet" for _ in self.all("style")]
        faults += [f"{n} on <{tag}>" for tag, a in self.elements for n in a if n.startswith("on")]
        outside = [a.get("src") or a.get("href") or "" for _, a in self.elements]
        foreign = ("http:", "https:", "//")
        return faults + [f"loads {url}" for url in outside if url.startswith(foreign)]


def _is_inline(script: dict[str, str | None]) -> bool:
    """Whether it holds code; a block of JSON is none."""
    return "src" not in script and script.get("type") != "application/json"
