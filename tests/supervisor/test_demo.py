"""The whole demo, with a project in which every program is a few lines of Python."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from supervisor import demo, ports, services, tables
from supervisor.errors import StartError
from supervisor.home import Home
from supervisor.options import Options
from supervisor.services import Application
from supervisor.signals import Stop
from tests.supervisor.processes_of import FOREVER, children, gone, wait_until

_SERVER = """
import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Ok).serve_forever()
"""
_DJANGO = """
def execute_from_command_line(argv):
    with open("ran", "a") as ran:
        print(*argv[1:], file=ran)
"""
_MANAGE = """
import json, os, sys
assert sys.argv[1:3] == ["seed_demo", "--output"]
login = {"email": "alice@example.com", "password": "correct horse"}
facts = {"admin": login, "customer": login, "operator_token": "tok_1"}
with open(sys.argv[3], "w") as seed:
    json.dump(facts, seed)
with open("environment", "w") as file:
    json.dump(dict(os.environ), file)
print("three months of four lives")
"""
# Found before the real ones: the current directory comes first.
_PROJECT = {
    "stripe_sandbox/__main__.py": _SERVER,
    "paypal_sandbox/__main__.py": _SERVER,
    "granian/__main__.py": _SERVER,
    "celery/__main__.py": FOREVER,
    "django/core/management/__init__.py": _DJANGO,
    "manage.py": _MANAGE,
    "plans/migrations/0001_initial.py": "",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    for name, text in _PROJECT.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if name.endswith("__main__.py"):
            path.with_name("__init__.py").touch()
    for package in ("django", "django/core"):
        (root / package / "__init__.py").touch()
    monkeypatch.setattr(services, "PROJECT", root)
    return root


def _run_until_ready(home: Path, **given: str) -> dict[str, int]:
    """Run the demo in this thread until it has said where it is; the processes it had."""
    stop = Stop()
    seen: dict[str, int] = {}

    def end() -> None:
        try:
            wait_until(lambda: stop.is_set() or (home / "demo.json").exists())
            seen.update(children(home))
        finally:
            stop.set()

    other = threading.Thread(target=end)
    other.start()
    try:
        demo.run(Options(home, ports.any_free(), given), stop)
    finally:
        stop.set()
        other.join()
    return seen


def test_the_demo_starts_all_tells_all_and_stops_all(
    home: Path, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen = _run_until_ready(home)
    told = capfd.readouterr().out
    facts = json.loads((home / "demo.json").read_text())

    stand_ins = {"stripe_sandbox", "paypal_sandbox"}
    assert set(seen) >= {"postgres", "valkey", "web", "worker", "beat"} | stand_ins
    assert all(gone(pid) for pid in seen.values())
    assert stat.S_IMODE((home / "demo.json").stat().st_mode) == 0o600
    assert facts["customer"]["email"] == "alice@example.com"
    assert facts["admin"]["url"] == f"{facts['url']}/admin/"
    assert facts["operator_token"] == "tok_1"
    assert facts["stripe_sandbox"]["control"] == f"{facts['stripe_sandbox']['url']}/_control/"
    for expected in (facts["url"], "[ 9/9] ", "three months", "alice@example.com  correct horse"):
        assert expected in told
    assert told.endswith("Stopping …\nStopped.\n")

    environment = json.loads((project / "environment").read_text())
    assert environment["STRIPE_API_BASE"] == facts["stripe_sandbox"]["url"]
    assert environment["PAYPAL_API_BASE"] == facts["paypal_sandbox"]["url"]
    assert environment["DJANGO_SETTINGS_MODULE"] == "config.settings"

    _a_second_start_migrates_only_what_changed(home, project)


def _a_second_start_migrates_only_what_changed(home: Path, project: Path) -> None:
    once = ["migrate --no-input"]
    _run_until_ready(home)
    assert (project / "ran").read_text().splitlines() == once

    (project / "plans/migrations/0002_price_tiers.py").touch()
    _run_until_ready(home)
    assert (project / "ran").read_text().splitlines() == [*once, *once]


def test_what_fails_to_start_is_shown_and_nothing_is_left(
    home: Path, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "django/core/management/__init__.py").write_text(
        "raise SystemExit('no such column')"
    )
    with pytest.raises(StartError, match=r"Tables ended with 1\.\n +no such column"):
        _run_until_ready(home, DATABASE_URL="postgresql://x", REDIS_URL="redis://x")
    assert not (home / "demo.json").exists()
    assert children(home) == {}
    assert "Bursar  " not in capfd.readouterr().out


def _application(home: Path, *, stripe_port: int | None, tables_at: Path | None) -> Application:
    env = {"STRIPE_WEBHOOK_SECRET": "whsec_1"}
    return Application(Home(home), 8000, env, stripe_port, None, tables_at, publish=lambda: None)


def test_without_a_stand_in_and_a_database_of_ours_their_services_are_absent(
    tmp_path: Path,
) -> None:
    theirs = _application(tmp_path, stripe_port=None, tables_at=None).services()
    assert {service.name for service in theirs} == {
        "web",
        "worker",
        "beat",
        "seed_demo",
        "migrations",
    }


def test_nobody_is_stopped_before_those_who_need_it(tmp_path: Path) -> None:
    table = {
        service.name: service
        for service in _application(tmp_path, stripe_port=1, tables_at=None).services()
    }
    for service in table.values():
        for name in service.needs:
            if name in table:
                assert set(table[name].needs) <= set(service.needs)


def test_a_changed_migration_makes_the_tables_out_of_date(tmp_path: Path) -> None:
    record, migration = tmp_path / "record", tmp_path / "plans" / "migrations" / "0001_initial.py"
    migration.parent.mkdir(parents=True)
    migration.write_text("old")
    assert not tables.are_current(record, tmp_path)
    record.write_text(tables.digest(tmp_path))
    assert tables.are_current(record, tmp_path)
    migration.write_text("new")
    assert not tables.are_current(record, tmp_path)
