"""Start services in the order of their needs, keep them up, stop them in reverse."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from supervisor.errors import StartError, StopRequestedError, SupervisorError
from supervisor.files import rotate
from supervisor.program import Child, Program
from supervisor.roster import Roster
from supervisor.signals import Stop

_STEADY_SECONDS = 60.0
_LONGEST_DELAY = 30.0


def _nothing() -> None:
    return


def _at_once() -> bool:
    return True


@dataclass(frozen=True)
class Service:
    """A program of the crew.

    It starts when everything it `needs` is ready, after `prepare`; it is ready when `ready` says
    so. A `once` service is a step: it is ready when it has ended well. Name every service that
    must outlive this one among its needs, not only the nearest.
    """

    program: Program
    title: str
    needs: tuple[str, ...] = ()
    prepare: Callable[[], None] = _nothing
    ready: Callable[[], bool] = _at_once
    once: bool = False
    # Between two questions whether it is ready.
    interval: float = 0.02
    timeout: float = 60.0

    @property
    def name(self) -> str:
        return self.program.name


@dataclass
class _Member:
    service: Service
    child: Child | None = None
    ready: bool = False
    up_since: float = 0.0
    asked_at: float = 0.0
    failures: int = 0
    retry_at: float = 0.0

    def alive(self) -> bool:
        return self.child is not None and self.child.exit_code() is None

    def finished(self) -> bool:
        return self.service.once and self.ready


@dataclass
class Crew:
    """The services of one supervisor. Call from one thread, which must outlive the children."""

    services: Sequence[Service]
    roster: Roster
    tell: Callable[[str], None]
    stop_requested: Stop

    def __post_init__(self) -> None:
        self._members = {service.name: _Member(service) for service in self.services}
        self._complete = False

    def start(self) -> None:
        """Return when all are ready.

        :raises StartError: if one is not; :raises StopRequestedError: if we are told to stop.
        """
        for service in self.services:
            if service.program.log is not None:
                rotate(service.program.log)
        while not all(member.ready for member in self._members.values()):
            self._turn(pause=0.02)
            if self.stop_requested.is_set():
                raise StopRequestedError("stopped before everything was ready")
        self._complete = True

    def watch(self) -> None:
        """Restart whatever dies, until we are told to stop."""
        while not self.stop_requested.is_set():
            self._turn(pause=0.2)

    def stop(self) -> None:
        """Stop all, each after those that need it; nothing is left when this returns."""
        while left := [member for member in self._members.values() if member.child is not None]:
            needed = {name for member in left for name in member.service.needs}
            for member in left:
                self._stop_one(member, needed=member.service.name in needed)
            time.sleep(0.02)
        self.roster.clear()

    def _stop_one(self, member: _Member, *, needed: bool) -> None:
        child = member.child
        if child is None:
            return
        if not needed:
            child.ask_to_stop()
        if child.ended():
            child.sweep()
            member.child = None

    def _turn(self, *, pause: float) -> None:
        for member in self._members.values():
            self._tend(member)
        self.stop_requested.wait(pause)

    def _tend(self, member: _Member) -> None:
        if member.finished():
            return
        if member.child is None:
            self._launch_when_due(member)
        elif not member.alive():
            self._ended(member, member.child)
        elif not member.ready and not member.service.once and self._may_ask(member):
            self._ask_whether_ready(member, member.child)

    def _launch_when_due(self, member: _Member) -> None:
        needs = (self._members[name] for name in member.service.needs if name in self._members)
        due = time.monotonic() >= member.retry_at
        if not due or not all(other.ready for other in needs) or self.stop_requested.is_set():
            return
        try:
            member.service.prepare()
            member.child = Child(member.service.program)
        except (SupervisorError, OSError) as error:
            if not self._complete:
                raise StartError(f"{member.service.title} did not start: {error}") from error
            self._try_again(member, str(error))
        else:
            self.roster.add(member.child)

    def _may_ask(self, member: _Member) -> bool:
        return time.monotonic() - member.asked_at >= member.service.interval

    def _ask_whether_ready(self, member: _Member, child: Child) -> None:
        member.asked_at = time.monotonic()
        if member.service.ready():
            self._is_ready(member, child)
        elif not self._complete and time.monotonic() - child.started > member.service.timeout:
            raise StartError(self._story(member, "is still not ready"))

    def _is_ready(self, member: _Member, child: Child) -> None:
        member.ready = True
        member.up_since = time.monotonic()
        if self._complete:
            self.tell(f"{member.service.title} is back.")
            return
        known = member.service.once or member.service.ready is not _at_once
        took = f"{member.up_since - child.started:.1f} s" if known else "started"
        count = sum(other.ready for other in self._members.values())
        self.tell(f"[{count:>2}/{len(self._members)}] {member.service.title} … {took}")

    def _ended(self, member: _Member, child: Child) -> None:
        code = child.exit_code()
        child.sweep()
        if member.service.once and code == 0:
            self._is_ready(member, child)
            member.child = None
            return
        was_ready, member.ready, member.child = member.ready, False, None
        if not was_ready and not self._complete:
            raise StartError(self._story(member, f"ended with {code}"))
        if was_ready and time.monotonic() - member.up_since > _STEADY_SECONDS:
            member.failures = 0
        self._try_again(member, f"ended with {code}")

    def _try_again(self, member: _Member, why: str) -> None:
        delay = min(2.0**member.failures, _LONGEST_DELAY)
        member.failures += 1
        member.retry_at = time.monotonic() + delay
        self.tell(self._story(member, f"{why}; starting it again in {delay:.0f} s"))

    def _story(self, member: _Member, what: str) -> str:
        return f"{member.service.title} {what}.\n{member.service.program.last_lines()}".rstrip()
