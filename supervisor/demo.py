"""The whole of Bursar on one machine, until Ctrl-C."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from supervisor import environment, execute, ports, servers
from supervisor import home as homes
from supervisor.errors import StopRequestedError, SupervisorError
from supervisor.files import write_private
from supervisor.home import Home
from supervisor.options import Options
from supervisor.ports import HOST
from supervisor.services import Application
from supervisor.signals import Stop


def run(options: Options, stop: Stop) -> None:
    """Start everything, say where it is, keep it up; when told to stop, return with all stopped.

    :raises SupervisorError: if the home or the port is taken, or something does not start.
    """
    environment.own(options.given)
    with homes.claim(options.home) as home:
        servers.end_leftovers(home, say)
        if not ports.is_free(options.port):
            raise SupervisorError(
                f"Port {options.port} is in use. Choose another: PORT={options.port + 1} make demo"
            )
        with contextlib.suppress(StopRequestedError):
            _run(home, options, stop)
        say("Stopped.")


def say(text: str) -> None:
    """Print a line; a terminal that is gone must not keep us from stopping in order."""
    try:
        print(text, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _run(home: Home, options: Options, stop: Stop) -> None:
    embedded = execute.embedded(home, options.given)
    application, chosen = _application(home, options, embedded)
    (home.path / "demo.json").unlink(missing_ok=True)
    services = [*embedded.services(), *application.services()]
    with servers.manned(home, services, tell=say, stop=stop) as crew:
        facts = _facts(application, chosen)
        write_private(home.path / "demo.json", json.dumps(facts, indent=1))
        say(_announcement(facts, home))
        crew.watch()
        say("Stopping …")


def _application(
    home: Home, options: Options, embedded: servers.Embedded
) -> tuple[Application, Mapping[str, str]]:
    brought = environment.own(options.given)
    stripe_port, paypal_port = (
        None if is_theirs else environment.port_of(vendor, home, to_listen=True)
        for vendor, is_theirs in (("stripe", brought.stripe), ("paypal", brought.paypal))
    )
    chosen = environment.settings(options.given, home, port=options.port) | embedded.urls()
    application = Application(
        home=home,
        port=options.port,
        env=environment.complete(options.given, chosen)
        | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stripe_port=stripe_port,
        paypal_port=paypal_port,
        tables=None if embedded.postgres is None else embedded.postgres.directory / "tables",
        publish=functools.partial(execute.publish, home, chosen),
    )
    return application, chosen


def _facts(application: Application, chosen: Mapping[str, str]) -> dict[str, Any]:
    """What a person or a script needs to use the demo.

    The addresses are of this start: the port may have been another when the people were made.
    """
    url = chosen["PUBLIC_URL"]
    try:
        seed = json.loads(application.seed.read_text(encoding="utf-8"))
        facts = {
            "url": url,
            "admin": _login(seed["admin"], f"{url}/admin/"),
            "customer": _login(seed["customer"], f"{url}/"),
            "operator_token": seed["operator_token"],
            "stripe_sandbox": _stand_in(application.stripe_port),
            "paypal_sandbox": _stand_in(application.paypal_port),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SupervisorError(f"{application.seed} does not say who may log in: {error}") from error
    return facts


def _stand_in(port: int | None) -> dict[str, str] | None:
    base = f"http://{HOST}:{port}"
    return None if port is None else {"url": base, "control": f"{base}/_control/"}


def _login(person: Mapping[str, str], url: str) -> dict[str, str]:
    return {"email": person["email"], "password": person["password"], "url": url}


def _announcement(facts: Mapping[str, Any], home: Home) -> str:
    rows = [("Bursar", facts["url"], "")]
    for who in ("customer", "admin"):
        person = facts[who]
        rows.append((who.capitalize(), person["url"], f"{person['email']}  {person['password']}"))
    rows.append(("API token", facts["operator_token"], ""))
    rows += [
        (f"{vendor} stand-in", stand_in["url"], "")
        for vendor in ("Stripe", "PayPal")
        if (stand_in := facts[f"{vendor.lower()}_sandbox"])
    ]
    rows.append(("Logs", str(home.logs), ""))
    width = max(len(url) for _, url, login in rows if login)
    lines = [f"  {name:<16} {where:<{width}}  {login}".rstrip() for name, where, login in rows]
    return "\n".join(["", *lines, "", "  Ctrl-C stops it, `make demo-reset` forgets it.", ""])
