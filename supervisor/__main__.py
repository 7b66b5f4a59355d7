"""`python -m supervisor demo`, `reset`, `exec -- COMMAND …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from supervisor.errors import StopRequestedError, SupervisorError
from supervisor.signals import Stop, stop_on_signals


def main(argv: Sequence[str]) -> int:
    """Do what was asked; the exit code."""
    asked = _parser().parse_args(argv)
    with stop_on_signals() as stop:
        try:
            return _do(asked, stop)
        except StopRequestedError:
            return 130
        except SupervisorError as error:
            print(error, file=sys.stderr)
            return 1


def _do(asked: argparse.Namespace, stop: Stop) -> int:
    # Loaded this late so that Ctrl-C in the first moments is heard like any other.
    from supervisor import demo, environment, execute, options, reset

    chosen = options.read()
    environment.shed_libpq(chosen.given)
    if asked.what == "exec":
        return execute.execute(chosen, asked.command, stop)
    if asked.what == "reset":
        print(reset.reset(chosen.home))
        return 0
    demo.run(chosen, stop)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m supervisor", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("demo", help="run everything on this machine until Ctrl-C")
    commands.add_parser("reset", help="forget the demo's home (BURSAR_HOME, else .bursar)")
    run = commands.add_parser("exec", help="run a command with the demo's settings and servers")
    run.add_argument("command", nargs="+", metavar="COMMAND", help="write -- before it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
