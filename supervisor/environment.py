"""The settings every process of Bursar is given, and the secrets made for them once."""

from __future__ import annotations

import json
import os
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor import ports
from supervisor.errors import SupervisorError
from supervisor.files import write_private
from supervisor.home import Home
from supervisor.ports import HOST

_LIVE_KEYS = ("sk_live_", "rk_live_")


@dataclass(frozen=True)
class Own:
    """What the person brought along, and we therefore do not run."""

    database: bool
    redis: bool
    stripe: bool
    paypal: bool


def own(given: Mapping[str, str]) -> Own:
    """Read what is given.

    :raises SupervisorError: for a live Stripe key, or one half of an account without the other.
    """
    key = given.get("STRIPE_SECRET_KEY", "")
    if key.startswith(_LIVE_KEYS):
        raise SupervisorError("STRIPE_SECRET_KEY is a live key; the demo takes test keys only.")
    if key and not given.get("STRIPE_WEBHOOK_SECRET"):
        raise SupervisorError(
            "STRIPE_SECRET_KEY is set but STRIPE_WEBHOOK_SECRET is not; "
            "`stripe listen` prints it (whsec_…)."
        )
    if given.get("PAYPAL_CLIENT_ID") and not given.get("PAYPAL_CLIENT_SECRET"):
        raise SupervisorError("PAYPAL_CLIENT_ID is set but PAYPAL_CLIENT_SECRET is not.")
    return Own(
        database=bool(given.get("DATABASE_URL")),
        redis=bool(given.get("REDIS_URL")),
        stripe=bool(key),
        paypal=bool(given.get("PAYPAL_CLIENT_ID")),
    )


def remembered(home: Home) -> dict[str, str]:
    """The secrets of this home, each made at the first start that needed it."""
    path = home.path / "secrets.json"
    kept = read_texts(path) if path.exists() else {}
    fresh = {
        "SECRET_KEY": _random(64),
        "STRIPE_SECRET_KEY": f"sk_test_{_random(32)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{_random(32)}",
        "PAYPAL_CLIENT_ID": _random(32),
        "PAYPAL_CLIENT_SECRET": _random(32),
        "PAYPAL_WEBHOOK_ID": _random(17),
    }
    if not fresh.keys() <= kept.keys():
        kept = fresh | kept
        write_private(path, json.dumps(kept, indent=1))
    return kept


def port_of(vendor: str, home: Home, *, to_listen: bool = False) -> int:
    """The port of the stand-in for `stripe` or `paypal`, the same at every start unless taken."""
    path = home.path / f"{vendor}-port"
    kept = path.read_text() if path.exists() else ""
    if kept.isdecimal() and not (to_listen and not ports.is_free(int(kept))):
        return int(kept)
    port = ports.any_free()
    write_private(path, str(port))
    return port


def read_texts(path: Path) -> dict[str, str]:
    """A JSON object of texts.

    :raises SupervisorError: if the file holds anything else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise SupervisorError(f"{path} cannot be read: {error}") from error


def settings(given: Mapping[str, str], home: Home, *, port: int) -> dict[str, str]:
    """Every setting but the URLs of embedded servers."""
    kept = remembered(home)
    ours = {
        "SECRET_KEY": kept["SECRET_KEY"],
        "DEBUG": "0",
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "PUBLIC_URL": f"http://{HOST}:{port}",
        "STRIPE_SECRET_KEY": kept["STRIPE_SECRET_KEY"],
        "STRIPE_WEBHOOK_SECRET": kept["STRIPE_WEBHOOK_SECRET"],
        "STRIPE_API_BASE": f"http://{HOST}:{port_of('stripe', home)}",
        "PAYPAL_CLIENT_ID": kept["PAYPAL_CLIENT_ID"],
        "PAYPAL_CLIENT_SECRET": kept["PAYPAL_CLIENT_SECRET"],
        "PAYPAL_WEBHOOK_ID": kept["PAYPAL_WEBHOOK_ID"],
        "PAYPAL_API_BASE": f"http://{HOST}:{port_of('paypal', home)}",
        "TEST_CLOCKS": "1",
        "SECURE": "0",
        "VIES_URL": "",
        "RETURN_ORIGINS": "https://example.com,https://*.example.com,http://localhost:*,http://127.0.0.1:*",
        "WEBHOOK_PRIVATE_TARGETS": "1",
        "EMAIL_URL": f"file:///{home.path.resolve() / 'mail'}",
    }
    if own(given).stripe:
        del ours["STRIPE_API_BASE"]
    if own(given).paypal:
        del ours["PAYPAL_API_BASE"]
    return ours | brought(given)


def brought(given: Mapping[str, str]) -> dict[str, str]:
    """What the person set themselves and we leave so.

    All else is ours: a variable left in a shell cannot break the demo.
    """
    names = ["DATABASE_URL", "REDIS_URL", "EMAIL_URL"]
    if own(given).stripe:
        names += ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE"]
    if own(given).paypal:
        names += [f"PAYPAL_{name}" for name in ("CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_ID")]
        names.append("PAYPAL_API_BASE")
    return {name: given[name] for name in names if given.get(name)}


def complete(given: Mapping[str, str], chosen: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a child: the caller's, with our settings over it."""
    bends = _libpq(given)
    base = {name: value for name, value in given.items() if name not in bends}
    return base | {"PYTHONUNBUFFERED": "1"} | dict(chosen)


def shed_libpq(given: Mapping[str, str]) -> None:
    """Remove from our own environment what would bend the URL of an embedded server."""
    for name in _libpq(given):
        os.environ.pop(name, None)


def _libpq(given: Mapping[str, str]) -> list[str]:
    """PGHOSTADDR, PGSERVICE and the like; none where the person brought a database for them."""
    return [] if own(given).database else [name for name in given if name.startswith("PG")]


def _random(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
