"""The files for a server name the same settings as the code."""

from __future__ import annotations

import ast
import re
from typing import Any

import yaml

from tests.supervisor.processes_of import PROJECT

_COMPOSE_ONLY = {"POSTGRES_PASSWORD"}


def _compose() -> dict[str, Any]:
    found = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    assert isinstance(found, dict)
    return found


def _documented() -> set[str]:
    text = (PROJECT / ".env.example").read_text()
    return set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", text, re.MULTILINE))


def _read_by_settings() -> dict[str, bool]:
    """Each variable the settings read, and whether they insist on it."""
    tree = ast.parse((PROJECT / "config" / "settings.py").read_text())
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env."):
            match node.args:
                case [ast.Constant(value=str(name)), *default] if name.isupper():
                    named = [keyword.arg for keyword in node.keywords]
                    found[name] = not default and "default" not in named
    return found


def _read_by_gateways() -> set[str]:
    """What gateways read for themselves."""
    files = (PROJECT / "billing" / "gateways").rglob("*.py")
    return {name for file in files for name in re.findall(r'\boption\("(\w+)"', file.read_text())}


def test_every_setting_is_documented_and_no_other() -> None:
    read = set(_read_by_settings()) | _read_by_gateways()
    assert _documented() - _COMPOSE_ONLY == read


def test_what_the_settings_insist_on_is_documented_as_required() -> None:
    required = (PROJECT / ".env.example").read_text().split("--- Optional")[0]
    named = set(re.findall(r"^([A-Z][A-Z_]+)=", required, re.MULTILINE))
    insisted = {name for name, insists in _read_by_settings().items() if insists}
    assert named - _COMPOSE_ONLY == insisted


def test_the_image_is_built_with_everything_the_settings_insist_on() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    given = set(re.findall(r"^\s+(?:RUN )?([A-Z][A-Z_]+)=", dockerfile, re.MULTILINE))
    given |= set(re.findall(r"^RUN ([A-Z][A-Z_]+)=", dockerfile, re.MULTILINE))
    assert given >= {name for name, insists in _read_by_settings().items() if insists}


def test_compose_runs_all_processes_after_the_migrations() -> None:
    services = _compose()["services"]
    assert set(services) == {"migrate", "web", "worker", "beat", "postgres", "valkey"}
    for name in ("web", "worker", "beat"):
        needs = services[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["environment"].keys() == {"DATABASE_URL", "REDIS_URL"}
    for name in ("web", "worker", "postgres", "valkey"):
        assert services[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


def test_compose_asks_only_for_documented_variables() -> None:
    text = (PROJECT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) <= _documented()


def test_no_server_writes_down_the_addresses_that_are_asked_for() -> None:
    """Some hold a link by which one gets in."""
    for file in ("Dockerfile", "supervisor/services.py"):
        assert '"--no-access-log"' in (PROJECT / file).read_text()


def test_the_image_gets_every_package_it_runs_and_no_secret() -> None:
    allowed = {
        line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    assert allowed >= {"billing", "config", "customers", "plans", "templates", "manage.py"}
    assert not {name for name in allowed if name.startswith(".")}
