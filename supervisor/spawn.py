"""Become another program: as another user if asked, and never outliving the parent.

A script, run between fork and exec as `python -I -S spawn.py PARENT SIGNAL UID:GID PROGRAM …`.
`subprocess` could do the same with `preexec_fn`, but that is unsafe in a process with threads.
The kernel ties the signal to the parent's *thread*: start children from one that lives on.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(parent: int, death_signal: int, owner: str, argv: list[str]) -> None:
    """Replace this process; does not return."""
    # A shell may have started us in the background with these ignored, or blocked.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if owner:
        uid, _, gid = owner.partition(":")
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        # After the change of user, which would clear it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            sys.exit("the supervisor died before its child started")
    os.execvpe(argv[0], argv, os.environ)  # noqa: S606 - becoming a program is the purpose


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
