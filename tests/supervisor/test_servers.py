"""PostgreSQL and Valkey start, stop, survive, and never double."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import celery
import dj_database_url
import psycopg
import pytest
import redis

from supervisor import home as homes
from supervisor import place, postgres
from supervisor.errors import HomeBusyError, SupervisorError
from supervisor.home import Home
from supervisor.reset import reset
from supervisor.servers import Servers, running
from tests.supervisor.processes_of import children, gone, supervising

_HOLD_SERVERS = """
import sys, time
from pathlib import Path
from supervisor import servers
with servers.running(Path(sys.argv[1]), durable=True) as found:
    print("ready", flush=True)
    time.sleep(600)
"""


def _write(servers: Servers, word: str) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS word (text text)")
        connection.execute("INSERT INTO word VALUES (%s)", [word])
    with redis.Redis.from_url(servers.redis_url) as client:
        client.rpush("words", word)


def _read(servers: Servers) -> tuple[list[str], list[str]]:
    with psycopg.connect(servers.database_url) as connection:
        rows = connection.execute("SELECT text FROM word").fetchall()
    with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
        words = client.lrange("words", 0, -1)
    assert isinstance(words, list)
    return [text for (text,) in rows], words


def test_data_outlives_restarts_and_the_killing_of_both_servers(home: Path) -> None:
    with running(home, durable=True) as servers:
        _write(servers, "Überweisung")
        first = children(home)
    assert set(first) == {"postgres", "valkey"}
    assert all(gone(pid) for pid in first.values())

    with running(home, durable=True) as servers:
        assert _read(servers) == (["Überweisung"], ["Überweisung"])
        _write(servers, "just before")
        for pid in children(home).values():
            os.kill(pid, signal.SIGKILL)
    # As after a reboot: the number in the file is somebody else's by now.
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{pid_file.parent.resolve()}\n")

    with running(home, durable=True) as servers:
        assert _read(servers) == (["Überweisung", "just before"],) * 2


def test_after_a_killed_supervisor_the_next_start_works_and_no_orphan_stays(home: Path) -> None:
    with supervising("-c", _HOLD_SERVERS, str(home)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        former = children(home)
        process.kill()
        process.wait()

        with running(home, durable=True) as servers:
            _write(servers, "alive")
            assert all(gone(pid) for pid in former.values())


@pytest.mark.parametrize(
    "name",
    ["With a space, 'quotes' & ümlauts", "/".join(["long" * 12] * 6)],
    ids=["odd", "long"],
)
def test_any_home_will_do(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    try:
        with running(home, durable=False) as servers:
            _write(servers, "here")
        with running(home, durable=False) as servers:
            assert _read(servers)[0] == ["here"]
    finally:
        reset(home)


def test_a_directory_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    with (
        pytest.raises(SupervisorError, match="not a home of Bursar"),
        running(tmp_path, durable=False),
    ):
        pytest.fail("it moved in")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_planted_directory_is_refused(home: Path) -> None:
    with homes.claim(home) as claimed:
        shared = place.sockets(claimed).parent
        shared.chmod(0o777)
        try:
            with pytest.raises(SupervisorError, match="not ours alone"):
                place.sockets(claimed)
        finally:
            shutil.rmtree(shared)


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Servers]]:
    """Servers for tests that only look at them, and their home."""
    home = tmp_path_factory.mktemp("throwaway") / "home"
    with running(home, durable=False) as servers:
        yield home, servers
    reset(home)


def test_the_urls_suit_django_redis_and_celery(throwaway: tuple[Path, Servers]) -> None:
    _, servers = throwaway
    parsed = dj_database_url.parse(servers.database_url)
    assert Path(str(parsed["HOST"])).is_dir()
    assert (parsed["NAME"], parsed["USER"], parsed["PORT"]) == ("bursar", "postgres", 5432)

    broker = servers.redis_url.replace("unix://", "redis+socket://", 1)
    with celery.Celery(broker=broker, set_as_current=False).connection() as connection:
        connection.ensure_connection(max_retries=1)
        assert connection.connected


def test_nobody_else_can_reach_the_sockets_or_the_data(throwaway: tuple[Path, Servers]) -> None:
    home, _ = throwaway
    sockets = place.sockets(Home(home))
    for directory in (sockets, home / "postgres", home / "valkey", home / "logs"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {path.name for path in sockets.iterdir()} >= {".s.PGSQL.5432", "valkey.sock"}


def test_postgres_folds_and_sorts_text_alike_everywhere(throwaway: tuple[Path, Servers]) -> None:
    with psycopg.connect(throwaway[1].database_url) as session:
        row = session.execute("SELECT upper('élan'), 'Z' < 'a', now()::text LIKE '%+00'")
        assert row.fetchone() == ("ÉLAN", True, True)


def test_only_a_throwaway_database_forgoes_durability(throwaway: tuple[Path, Servers]) -> None:
    with psycopg.connect(throwaway[1].database_url) as session:
        assert session.execute("SHOW fsync").fetchone() == ("off",)
    with homes.claim(throwaway[0].with_name("other")) as other:
        flags = postgres.at(other, durable=True).program().argv
    reset(other.path)
    assert not any("=off" in flag for flag in flags if "log_" not in flag)


def test_two_supervisors_never_share_a_home(throwaway: tuple[Path, Servers]) -> None:
    with (
        pytest.raises(HomeBusyError, match=rf"process {os.getpid()}\b"),
        running(throwaway[0], durable=False),
    ):
        pytest.fail("the second was let in")
