"""`python -m supervisor`: what it refuses, what it runs, what it forgets."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor import environment, place
from supervisor import home as homes
from supervisor.errors import SupervisorError
from tests.supervisor.processes_of import PROJECT, gone, supervising

_TELL = "import os, json; print(json.dumps(dict(os.environ)))"
_OURS = {
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "DEBUG",
    "ALLOWED_HOSTS",
    "PUBLIC_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_BASE",
    "TEST_CLOCKS",
    "SECURE",
    "EMAIL_URL",
    "VIES_URL",
}


@pytest.fixture(autouse=True)
def _bare_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test run's own settings must not look like the person's."""
    for name in _OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BURSAR_HOME", str(home))


def _supervisor(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "supervisor", *arguments],
        cwd=PROJECT,
        env=os.environ | env,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_command_gets_the_settings_and_another_joins_what_runs(home: Path) -> None:
    inner = [sys.executable, "-m", "supervisor", "exec", "--", sys.executable, "-c", _TELL]
    code = f"{_TELL}; import subprocess; subprocess.run({inner!r}, check=True); exit(7)"
    done = _supervisor("exec", "--", sys.executable, "-uc", code, PGHOSTADDR="::1")
    outer, joined = (json.loads(line) for line in done.stdout.splitlines())

    assert done.returncode == 7
    assert outer.keys() >= _OURS
    assert outer["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert outer["DATABASE_URL"].startswith("postgresql://postgres@%2F")
    assert "PGHOSTADDR" not in outer
    assert {name: joined[name] for name in _OURS} == {name: outer[name] for name in _OURS}
    assert not (home / "run" / "environment.json").exists()


def test_a_command_that_does_not_exist_is_a_sentence_not_a_traceback() -> None:
    done = _supervisor("exec", "--", "/no/such/command", DATABASE_URL="x:", REDIS_URL="x:")
    assert (done.returncode, done.stderr) == (1, "/no/such/command: No such file or directory\n")


def test_servers_that_the_person_brings_are_used_and_none_started(home: Path) -> None:
    theirs = {
        "DATABASE_URL": "postgresql://db.example.com/bursar",
        "REDIS_URL": "redis://cache.example.com/0",
        "STRIPE_SECRET_KEY": "sk_test_theirs",
        "STRIPE_WEBHOOK_SECRET": "whsec_theirs",
    }
    done = _supervisor("exec", "--", sys.executable, "-c", _TELL, **theirs, PGSERVICE="theirs")
    given = json.loads(done.stdout)
    assert given.items() >= theirs.items()
    assert given["PGSERVICE"] == "theirs"
    assert "STRIPE_API_BASE" not in given
    assert not (home / "postgres").exists()


def test_sigterm_ends_all_and_a_start_that_fails_says_why(home: Path) -> None:
    code = "import time; print('up', flush=True); time.sleep(600)"
    arguments = ("-m", "supervisor", "exec", "--", sys.executable, "-c", code)
    with supervising(*arguments) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        rows = json.loads((home / "run" / "children.json").read_text())
        process.terminate()
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
        assert all(gone(row["pid"]) for row in rows)

    (home / "postgres" / "data" / "PG_VERSION").write_text("9.6\n")
    done = _supervisor("exec", "--", "true")
    assert done.returncode == 1
    assert "PostgreSQL" in done.stderr
    assert "incompatible" in done.stderr
    assert not (home / "run" / "children.json").exists()


def test_the_demo_names_a_port_in_use_and_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = _supervisor("demo", PORT=port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} is in use. Choose another: PORT=")


def test_the_demo_refuses_a_home_in_use(home: Path) -> None:
    with homes.claim(home):
        done = _supervisor("demo", PORT="1")
    assert done.returncode == 1
    assert f"in use by another supervisor (process {os.getpid()})" in done.stderr


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"PORT": "http"}, "PORT=http is not a port"),
        ({"PORT": "70000"}, "PORT=70000 is not a port"),
        ({"STRIPE_SECRET_KEY": "sk_live_1"}, "live key"),
        ({"STRIPE_SECRET_KEY": "rk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}, "live key"),
        ({"STRIPE_SECRET_KEY": "sk_test_1"}, "STRIPE_WEBHOOK_SECRET is not"),
        ({"PAYPAL_CLIENT_ID": "x"}, "PAYPAL_CLIENT_SECRET is not"),
    ],
)
def test_the_demo_refuses_settings_that_cannot_be_meant(
    home: Path, env: dict[str, str], message: str
) -> None:
    done = _supervisor("demo", **env)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not home.exists()


def test_secrets_are_made_once_and_for_the_owner_only(home: Path) -> None:
    with homes.claim(home) as claimed:
        first = environment.remembered(claimed)
        assert environment.remembered(claimed) == first
    assert stat.S_IMODE((home / "secrets.json").stat().st_mode) == 0o600
    assert first["STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert len(first["STRIPE_SECRET_KEY"]) == len("sk_test_") + 32
    assert len(first["STRIPE_WEBHOOK_SECRET"]) == len("whsec_") + 32


def test_the_port_of_the_stand_in_stays_unless_somebody_took_it(home: Path) -> None:
    with homes.claim(home) as claimed:
        first = environment.port_of("stripe", claimed, to_listen=True)
        assert environment.port_of("stripe", claimed, to_listen=True) == first
        with socket.create_server(("127.0.0.1", first)):
            assert environment.port_of("stripe", claimed) == first
            assert environment.port_of("stripe", claimed, to_listen=True) != first


def test_reset_forgets_a_home_wherever_its_parts_are(home: Path) -> None:
    with homes.claim(home) as claimed:
        data = place.data(claimed, place.server_owner(claimed))
        sockets = place.sockets(claimed)
    done = _supervisor("reset")
    assert (done.returncode, done.stdout) == (0, f"{home} is forgotten.\n")
    assert not any(path.exists() for path in (home, data, sockets))
    assert "nothing to forget" in _supervisor("reset").stdout


def test_reset_refuses_while_running_and_what_is_not_a_home(home: Path, tmp_path: Path) -> None:
    with homes.claim(home):
        assert "in use by another supervisor" in _supervisor("reset").stderr
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.txt").touch()
    done = _supervisor("reset", BURSAR_HOME=str(stranger))
    assert done.returncode == 1
    assert "left as it is" in done.stderr
    assert (stranger / "thesis.txt").exists()


def test_a_torn_file_of_secrets_is_a_sentence(home: Path) -> None:
    with homes.claim(home) as claimed:
        (home / "secrets.json").write_text("{")
        with pytest.raises(SupervisorError, match="cannot be read"):
            environment.remembered(claimed)
