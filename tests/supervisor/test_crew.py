"""The crew: order, restarts, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from supervisor import processes
from supervisor.crew import Crew, Service
from supervisor.errors import StartError, StopRequestedError
from supervisor.processes import Identity
from supervisor.program import Child
from supervisor.roster import Roster
from supervisor.signals import Stop
from tests.supervisor.processes_of import (
    FOREVER,
    STUBBORN,
    children,
    gone,
    python,
    supervising,
    wait_until,
)

_SUPERVISE = """
import sys
from pathlib import Path
from supervisor import demo, home as homes, servers
from supervisor.errors import StopRequestedError
from supervisor.signals import stop_on_signals
from tests.supervisor.processes_of import FOREVER, STUBBORN, python
import dataclasses
with stop_on_signals() as stop, homes.claim(Path(sys.argv[1])) as home:
    table = [
        python("base", FOREVER, home.logs),
        python("stubborn", STUBBORN, home.logs, needs=("base",)),
        python("web", FOREVER, home.logs, needs=("base",)),
    ]
    if sys.argv[2] == "never ready":
        table.append(dataclasses.replace(python("slow", FOREVER, home.logs), ready=lambda: False))
    try:
        with servers.manned(home, table, tell=demo.say, stop=stop) as crew:
            demo.say("up")
            crew.watch()
    except StopRequestedError:
        pass
    demo.say("stopped")
"""


def _crew(services: Sequence[Service], home: Path) -> tuple[Crew, list[str], Stop]:
    told: list[str] = []
    stop = Stop()
    (home / "run").mkdir(parents=True, exist_ok=True)
    return Crew(services, Roster(home / "run" / "children.json"), told.append, stop), told, stop


def test_each_starts_after_what_it_needs(tmp_path: Path) -> None:
    out = tmp_path / "order"
    note = "import time; time.sleep({}); open({!r}, 'a').write({!r})"
    crew, told, _ = _crew(
        [
            python("third", note.format(0, str(out), "3"), tmp_path, needs=("second",), once=True),
            python("second", note.format(0, str(out), "2"), tmp_path, needs=("first",), once=True),
            python("first", note.format(0.2, str(out), "1"), tmp_path, once=True),
        ],
        tmp_path,
    )
    crew.start()
    crew.stop()
    assert out.read_text() == "123"
    assert [line[:7] for line in told] == ["[ 1/3] ", "[ 2/3] ", "[ 3/3] "]


def test_a_failed_step_ends_the_start_and_shows_its_log(tmp_path: Path) -> None:
    failing = python("tables", "raise SystemExit('no such table')", tmp_path, once=True)
    crew, _, _ = _crew([python("base", FOREVER, tmp_path), failing], tmp_path)
    with pytest.raises(StartError, match=r"Tables ended with 1\.\n +no such table"):
        crew.start()
    pids = children(tmp_path)
    crew.stop()
    assert all(gone(pid) for pid in pids.values())


def test_what_dies_is_named_and_started_again_and_the_others_stay(tmp_path: Path) -> None:
    talking = f"print('last words', flush=True); {FOREVER}"
    crew, told, stop = _crew(
        [python("web", talking, tmp_path), python("worker", FOREVER, tmp_path)], tmp_path
    )
    crew.start()
    before = children(tmp_path)
    wait_until(lambda: "last words" in (tmp_path / "web.log").read_text())
    os.kill(before["web"], signal.SIGKILL)
    _watch_until(crew, stop, lambda: "Web is back." in told)
    after = children(tmp_path)
    crew.stop()

    died = next(line for line in told if "ended with" in line)
    assert died == "Web ended with -9; starting it again in 1 s.\n    last words"
    assert after["worker"] == before["worker"]
    assert after["web"] != before["web"]
    assert all(gone(pid) for pid in after.values())


def test_the_pauses_between_starts_double(tmp_path: Path) -> None:
    until_restarted = f"import os; os.path.exists({str(tmp_path / 'up')!r}) and exit(3); "
    service = python(
        "web", f"{until_restarted}open({str(tmp_path / 'up')!r}, 'w'); {FOREVER}", tmp_path
    )
    crew, told, stop = _crew([service], tmp_path)
    crew.start()
    wait_until((tmp_path / "up").exists)
    os.kill(children(tmp_path)["web"], signal.SIGKILL)
    _watch_until(crew, stop, lambda: "again in 2 s" in " ".join(told))
    crew.stop()
    assert [line.split(";")[0] for line in told if "again in" in line] == [
        "Web ended with -9",
        "Web ended with 3",
    ]


def test_a_stubborn_process_is_killed_and_so_are_children_that_left_its_group(
    tmp_path: Path,
) -> None:
    parent = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {FOREVER!r}], start_new_session=True)
print(child.pid, flush=True)
{STUBBORN}
"""
    crew, _, _ = _crew([python("stubborn", parent, tmp_path)], tmp_path)
    crew.start()
    wait_until(lambda: "deaf" in (tmp_path / "stubborn.log").read_text())
    grandchild = int((tmp_path / "stubborn.log").read_text().split()[0])
    crew.stop()
    assert gone(grandchild)


def test_a_log_begins_anew_and_the_one_before_is_kept(tmp_path: Path) -> None:
    for word in ("one", "two"):
        crew, _, _ = _crew([python("step", f"print({word!r})", tmp_path, once=True)], tmp_path)
        crew.start()
        crew.stop()
    assert (tmp_path / "step.log").read_text() == "two\n"
    assert (tmp_path / "step.log.1").read_text() == "one\n"


def test_told_to_stop_while_starting_it_gives_up_at_once(tmp_path: Path) -> None:
    crew, _, stop = _crew([python("web", FOREVER, tmp_path)], tmp_path)
    stop.set()
    with pytest.raises(StopRequestedError):
        crew.start()
    crew.stop()


def test_leftovers_of_a_killed_supervisor_are_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, where the kernel does not end them with their parent."""
    monkeypatch.setattr("supervisor.roster._PATIENCE_SECONDS", 0.3)
    child = Child(python("worker", STUBBORN, tmp_path).program)
    Roster(tmp_path / "children.json").add(child)
    wait_until(lambda: "deaf" in (tmp_path / "worker.log").read_text())
    assert Roster(tmp_path / "children.json").end_leftovers() == ["worker"]
    assert child.exit_code() == -signal.SIGKILL


def test_a_reused_process_number_is_not_taken_for_a_leftover(tmp_path: Path) -> None:
    innocent = Child(python("innocent", FOREVER, tmp_path).program)
    Identity(innocent.pid, started=1.0).send(signal.SIGKILL)
    assert innocent.exit_code() is None
    innocent.kill()
    wait_until(innocent.ended)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_also_after_one_was_killed(
    home: Path, number: signal.Signals
) -> None:
    with supervising("-c", _SUPERVISE, str(home), "") as process:
        wait_until(lambda: len(children(home)) == 3)
        pids = children(home)
        os.kill(pids["web"], signal.SIGKILL)
        process.send_signal(number)
        _assert_stopped_well(process, list(pids.values()))


def test_ctrl_c_during_the_start_stops_everything(home: Path) -> None:
    with supervising("-c", _SUPERVISE, str(home), "never ready") as process:
        wait_until(lambda: len(children(home)) == 4)
        pids = children(home)
        process.send_signal(signal.SIGINT)
        _assert_stopped_well(process, list(pids.values()))


def test_a_gone_terminal_does_not_keep_anything_running(home: Path) -> None:
    with supervising("-c", _SUPERVISE, str(home), "") as process:
        wait_until(lambda: len(children(home)) == 3)
        pids = children(home)
        assert process.stdout is not None
        process.stdout.close()
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=30) == 0
        assert all(gone(pid) for pid in pids.values())


def _assert_stopped_well(process: subprocess.Popen[str], pids: list[int]) -> None:
    output, _ = process.communicate(timeout=30)
    assert output.endswith("stopped\n"), output
    assert process.returncode == 0
    assert all(gone(pid) for pid in pids)
    assert processes.descendants(process.pid) == []


def _watch_until(crew: Crew, stop: Stop, true: Callable[[], object]) -> None:
    """Watch from this thread, to which the kernel ties the children."""

    def end() -> None:
        try:
            wait_until(true)
        finally:
            stop.set()

    other = threading.Thread(target=end)
    other.start()
    crew.watch()
    other.join()
