"""Which addresses lead to an origin that is allowed, and which only look as if they did."""

from __future__ import annotations

import pytest

from billing.core import origins

ALLOWED = [
    origins.pattern(text)
    for text in (
        "https://app.example.com",
        "https://*.example.org",
        "http://localhost:*",
        "https://shop.example.com:8443",
        "http://[::1]:3000",
    )
]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/settings?tab=billing#card",
        "https://app.example.com?next=https://evil.example",
        "https://app.example.com:443/",
        "HTTPS://APP.EXAMPLE.COM/",
        "https://app.example.com/thanks?session={session}",
        "https://a.example.org/",
        "https://a.b.example.org/",
        "http://localhost/",
        "http://localhost:3000/back",
        "https://shop.example.com:8443/",
        "http://[::1]:3000/",
    ],
)
def test_these_are_allowed(url: str) -> None:
    assert origins.allows(ALLOWED, url)


@pytest.mark.parametrize(
    "url",
    [
        # another host, however much it looks like ours
        "https://app.example.com.evil.example/",
        "https://evil.example/https://app.example.com/",
        "https://evil.example?https://app.example.com",
        "https://evil.example#@app.example.com",
        "https://evilapp.example.com/",
        "https://example.com/",
        "https://app.example.com./",
        "https://example.org/",
        "https://evilexample.org/",
        "https://a.example.org.evil.example/",
        "http://localhost.evil.example/",
        # a person before the host, and slashes that lean the other way
        "https://app.example.com@evil.example/",
        "https://app.example.com:x@evil.example/",
        "https://user@app.example.com/",
        "https://app.example.com\\@evil.example/",
        "https://evil.example\\.example.org/",
        "https:\\\\app.example.com/",
        "https://app.example.com/\\evil.example",
        # what browsers drop or add
        " https://app.example.com/",
        "https://app.example.com/\n",
        "https://app.example\n.com/",
        "https://app.example.com/\tx",
        "ht\ntps://app.example.com/",
        "https:/app.example.com/",
        "https:app.example.com/",
        "https:///app.example.com/",
        "//app.example.com/",
        "/settings",
        "",
        # another scheme or port
        "http://app.example.com/",
        "https://localhost/",
        "https://app.example.com:8443/",
        "https://app.example.com:/",
        "https://shop.example.com/",
        "ftp://app.example.com/",
        "javascript:alert(1)//https://app.example.com/",
        "data:text/html,https://app.example.com/",
        # other spellings of a host
        "https://app%2eexample.com/",
        "https://app。example.com/",
        "https://\u0430pp.example.com/",  # a Cyrillic letter
        "https://[app.example.com]/",
        "http://127.0.0.1/",
        "http://[::1]/",
    ],
)
def test_these_are_not(url: str) -> None:
    assert not origins.allows(ALLOWED, url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "example.com",
        "https://*",
        "https://*.*.example.com",
        "https://a.*.example.com",
        "https://example.com/",
        "https://example.com/path",
        "https://user@example.com",
        "https://example.com:https",
        "ftp://example.com",
        "https://*example.com",
    ],
)
def test_a_pattern_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        origins.pattern(text)
