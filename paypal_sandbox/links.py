"""Links from one resource to the next (HATEOAS)."""

from __future__ import annotations

from stripe_sandbox.bodies import Json


def link(base_url: str, rel: str, path: str, method: str = "GET") -> Json:
    """Return one link."""
    return {"href": f"{base_url}{path}", "rel": rel, "method": method}


def vault_link(base_url: str, rel: str, path: str, method: str = "GET") -> Json:
    """Return one link as the vault and the notifications write it."""
    return link(base_url, rel, path, method) | {"encType": "application/json"}
