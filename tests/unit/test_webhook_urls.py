"""Where notifications may be sent to, as far as a URL says by itself."""

from __future__ import annotations

import pytest

from billing.core import webhook_urls


def code(url: str, *, allows_private: bool = False) -> str:
    """Why not; empty if it may be."""
    found = webhook_urls.fault(url, allows_private=allows_private)
    return found.code if found else ""


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hooks?key=1",
        "https://example.com:443/",
        "https://hooks.example.com:8443/",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
        "https://xn--bcher-kva.example/",
    ],
)
def test_these_may_be(url: str) -> None:
    assert code(url) == ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "invalid_url"),
        ("example.com/hooks", "invalid_url"),
        ("ftp://example.com/", "invalid_url"),
        ("file:///etc/passwd", "invalid_url"),
        ("https:///hooks", "invalid_url"),
        ("https://example.com:99999/", "invalid_url"),
        ("https://example.com:port/", "invalid_url"),
        ("https://[::1/", "invalid_url"),
        ("https://exa mple.com/", "invalid_url"),
        ("https://example.com/\r\nHost: inner", "invalid_url"),
        ("https://example.com\\@127.0.0.1/", "invalid_url"),
        ("https://bücher.example/", "invalid_url"),
        ("https://user@example.com/", "url_with_credentials"),
        ("https://user:secret@example.com/", "url_with_credentials"),
        ("https://example.com/#part", "url_with_fragment"),
        ("http://example.com/", "https_required"),
        ("https://example.com:22/", "port_not_allowed"),
        ("https://example.com:80/", "port_not_allowed"),
        ("https://localhost/", "inner_address"),
        ("https://LOCALHOST./", "inner_address"),
        ("https://db.internal/", "inner_address"),
        ("https://printer.local/", "inner_address"),
        ("https://postgres/", "inner_address"),
        ("https://127.0.0.1/", "inner_address"),
        ("https://127.1/", "inner_address"),
        ("https://2130706433/", "inner_address"),
        ("https://0x7f000001/", "inner_address"),
        ("https://0x7f.0.0.0x1/", "inner_address"),
        ("https://10.0.0.1/", "inner_address"),
        ("https://169.254.169.254/latest/meta-data/", "inner_address"),
        ("https://[::1]/", "inner_address"),
        ("https://[::ffff:10.0.0.1]/", "inner_address"),
        ("https://[fe80::1%25eth0]/", "inner_address"),
        ("https://[64:ff9b::a00:1]/", "inner_address"),
    ],
)
def test_these_may_not(url: str, why: str) -> None:
    assert code(url) == why


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://localhost:9000/", ""),
        ("http://127.0.0.1:1/", ""),
        ("https://10.0.0.1:6379/", ""),
        ("http://user@localhost/", "url_with_credentials"),
        ("gopher://localhost/", "invalid_url"),
    ],
)
def test_on_a_laptop(url: str, why: str) -> None:
    assert code(url, allows_private=True) == why
