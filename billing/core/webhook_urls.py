"""Which addresses notifications may be sent to: none that lead inward, or where nobody listens."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

PORTS: Final = frozenset({443, 8443})
_HTTPS: Final = 443
# What Python holds global, and leads to an IPv4 address or to nobody.
_TUNNELS: Final = (
    IPv6Network("::/96"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("2002::/16"),
    IPv6Network("fec0::/10"),
)


@dataclass(frozen=True, slots=True)
class UrlFault:
    """Why nothing is sent there."""

    code: str
    sentence: str


_MALFORMED: Final = UrlFault("invalid_url", "A URL like “https://example.com/webhooks”.")


def fault(url: str, *, allows_private: bool) -> UrlFault | None:
    """Why nothing is sent to a URL; None if it may be, as far as it says by itself.

    What its name resolves to is looked at when it is sent to.

    :param allows_private: plain http, any port and inner addresses, on a laptop.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return _MALFORMED
    if parts.scheme not in {"http", "https"} or not host or not _is_plain(url):
        return _MALFORMED
    if "@" in parts.netloc:
        return UrlFault("url_with_credentials", "A URL carries no user and no password.")
    if parts.fragment or url.endswith("#"):
        return UrlFault("url_with_fragment", "A fragment (#…) is never sent.")
    return None if allows_private else _outward(parts.scheme, host, port)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the internet's, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _TUNNELS):
            return False
    return address.is_global and not address.is_multicast


def _outward(scheme: str, host: str, port: int | None) -> UrlFault | None:
    if scheme != "https":
        return UrlFault("https_required", "Notifications are sent by https only.")
    if (port or _HTTPS) not in PORTS:
        allowed = " and ".join(str(number) for number in sorted(PORTS))
        return UrlFault("port_not_allowed", f"Only the ports {allowed} are sent to.")
    if _is_inner(host):
        return UrlFault("inner_address", "It leads to no address of the internet.")
    return None


def _is_inner(host: str) -> bool:
    """Whether a host is an inner address or name by its looks."""
    try:
        return not is_public(ip_address(host))
    except ValueError:
        name = host.rstrip(".").lower()
        labels = name.split(".")
        # A last label that is a number is an IPv4 address in an old notation: 127.1, 0x7f000001.
        return len(labels) < 2 or labels[-1][:1].isdigit() or labels[-1] in _INNER_NAMES


def _is_plain(url: str) -> bool:
    """No blanks, no control characters, no backslashes, which readers of URLs differ about."""
    return url.isascii() and all("!" <= letter <= "~" for letter in url) and "\\" not in url


_INNER_NAMES: Final = frozenset({"localhost", "local", "internal", "localdomain"})
