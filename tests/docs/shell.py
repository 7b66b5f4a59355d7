"""As much of a shell as the pages use: variables, `curl`, `keep`, and `manage.py`.

The commands are read and carried out here, because not every machine that runs the tests has the
newest curl. What is not understood is refused, so that no page can say more than was tried.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import shlex
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Final

import requests
from django.core.management import call_command

_ASSIGNMENT: Final = re.compile(r"(\w+)=(.*)", re.DOTALL)
_SUBSTITUTION: Final = re.compile(r"\$\((.*)\)", re.DOTALL)
_PIPE: Final = re.compile(r"(.*?)\s*\|\s*keep (\w+)", re.DOTALL)
# What stands between single quotes is left as it is; elsewhere a name is its value.
_NAME: Final = re.compile(r"'[^']*'|\$(\w+)")
_HEADER_OUT: Final = re.compile(r"%header\{([\w-]+)\}")


@dataclass(frozen=True)
class Outcome:
    """What a command gave: an answer over HTTP, or text."""

    command: str
    answer: requests.Response | None = None
    text: str = ""


def run(script: str, variables: MutableMapping[str, str]) -> Iterator[Outcome]:
    """Carry out a script's commands, one after the other; assignments go into the variables.

    :raises KeyError: if a command uses a variable that has no value.
    """
    for command in statements(script):
        assigned = _ASSIGNMENT.fullmatch(command)
        if assigned is None:
            yield _run(command, variables)
            continue
        name, value = assigned.groups()
        inner = _SUBSTITUTION.fullmatch(value)
        if inner is None:
            (variables[name],) = shlex.split(_expanded(value, variables))
            continue
        outcome, variables[name] = _kept(inner[1].strip(), variables)
        yield outcome


def statements(script: str) -> list[str]:
    """The commands of a script, each whole, without comments."""
    found: list[str] = []
    whole = ""
    for line in script.splitlines():
        whole = f"{whole}\n{line}" if whole else line
        if whole.endswith("\\") or not _is_closed(whole):
            continue
        if whole.strip() and not whole.lstrip().startswith("#"):
            found.append(whole.strip().replace("\\\n", " "))
        whole = ""
    assert not whole, f"an unfinished command: {whole}"
    return found


def _is_closed(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    plain = re.sub(r"'[^']*'", "", text)
    return plain.count("(") == plain.count(")")


def _kept(command: str, variables: MutableMapping[str, str]) -> tuple[Outcome, str]:
    """What a command gave, and what of it is assigned: a field that `keep` picks, or all of it."""
    piped = _PIPE.fullmatch(command)
    outcome = _run(piped[1] if piped else command, variables)
    if piped is None:
        return outcome, outcome.text.strip()
    assert outcome.answer is not None, command
    assert outcome.answer.ok, f"{command}\n{outcome.answer.text}"
    return outcome, str(outcome.answer.json()[piped[2]])


def _run(command: str, variables: MutableMapping[str, str]) -> Outcome:
    program, *words = shlex.split(_expanded(command, variables), comments=True)
    if program == "manage.py":
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            call_command(*words)
        return Outcome(command, text=printed.getvalue())
    assert program == "curl", f"the pages know no {program}"
    call = _CURL.parse_args(words)
    answer = _send(call)
    if call.write_out:
        text = _HEADER_OUT.sub(lambda name: answer.headers[name[1]], call.write_out)
        return Outcome(command, text=text)
    if call.output is not None:
        answer._content = b""  # it went elsewhere
    return Outcome(command, answer)


def _send(call: argparse.Namespace) -> requests.Response:
    headers = dict(line.split(": ", 1) for line in call.header)
    body = call.data_binary
    if call.json is not None:
        body = call.json
        json.loads(body)
        headers |= {"Content-Type": "application/json", "Accept": "application/json"}
    return requests.request(
        call.request or ("GET" if body is None else "POST"),
        call.url,
        data=None if body is None else body.encode(),
        headers={"User-Agent": "curl", **headers},
        allow_redirects=False,
        timeout=60,
    )


def _expanded(text: str, variables: MutableMapping[str, str]) -> str:
    """A text in which each `$NAME` outside single quotes is its value."""
    return _NAME.sub(lambda found: variables[found[1]] if found[1] else found[0], text)


def _curl() -> argparse.ArgumentParser:
    """The options that the pages use."""
    options = argparse.ArgumentParser("curl", add_help=False, allow_abbrev=False)
    options.add_argument("url")
    options.add_argument("-s", "--silent", action="store_true", required=True)
    options.add_argument("-i", "--include", action="store_true")
    options.add_argument("-X", "--request")
    options.add_argument("-H", "--header", action="append", default=[])
    options.add_argument("--json")
    options.add_argument("--data-binary")
    options.add_argument("-D", "--dump-header", choices=["-"])
    options.add_argument("-o", "--output")
    options.add_argument("-w", "--write-out", default="")
    return options


_CURL: Final = _curl()
