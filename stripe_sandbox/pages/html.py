"""The frame around every page, and the few elements they share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from stripe_sandbox.messages import Answer

STYLE = Path(__file__).with_name("style.css").read_bytes()

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    # No form-action: browsers apply it to the redirect back to the shop as well.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="/_assets/style.css">
</head>
<body class="{kind}">
<p class="banner" role="note"><strong>Stand-in, no money moves.</strong>
This page is part of a test program. Never enter a real card.</p>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def page(title: str, body: str, *, status: int = 200, kind: str = "narrow") -> Answer:
    """Answer with a page; the title is escaped, the body is HTML already."""
    text = _FRAME.format(title=escape(title), body=body, kind=kind)
    return Answer(status, text.encode(), _HEADERS)


def redirect(url: str) -> Answer:
    """Send a browser on, by GET."""
    return Answer(303, b"", {"Location": url, "Cache-Control": "no-store"})


def alert(message: str | None) -> str:
    """Return a message that a screen reader reads out at once."""
    if not message:
        return ""
    return f'<p class="alert" role="alert" id="error">{escape(message)}</p>'


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for cells in rows)
    empty = "" if lines else '<p class="quiet">Nothing yet.</p>'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{lines}</tbody></table></div>{empty}"
    )


def time_of(at: float) -> str:
    """Write an instant, in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
