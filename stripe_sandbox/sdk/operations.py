"""Method and path → the parameters the SDK knows for that operation.

The SDK's service modules name each operation's method, path and parameter type in one place, so
they are read as text: a scan finds the module of a path, and only that module is looked into.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path

import stripe

from stripe_sandbox.sdk.parameters import Record, record

_PACKAGE = Path(stripe.__file__).parent
_PATH = re.compile(r'"(/v1/[^"]+)"')
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_CALL = re.compile(r'self\._request\(\s*"(\w+)",\s*"([^"]+)"')
_PARAMS = re.compile(r'\bparams: (?:Optional\[\s*)?"(\w+)"')
_IMPORT = re.compile(r"from (stripe\.params[\w.]*) import \(?\s*(\w+)")


def parameters(method: str, template: str) -> Record:
    """Return what the operation accepts.

    :raises LookupError: if the SDK has no such operation.
    """
    wanted = (method.lower(), anonymous(template))
    for module in _modules_by_path().get(wanted[1], ()):
        found = _operations(module).get(wanted)
        if found:
            return record(getattr(importlib.import_module(found[0]), found[1]))
    raise LookupError(f"the SDK has no operation {method} {template}")


def is_spelled_out(path: str) -> bool:
    """Say whether the SDK has this very path, which then is nobody's id (`…/search`)."""
    return path in _modules_by_path()


def known(path: str) -> bool:
    """Say whether the SDK has any operation at this (concrete) path."""
    segments = path.split("/")
    return any(
        len(parts := template.split("/")) == len(segments)
        and all(part in ("{}", segment) for part, segment in zip(parts, segments, strict=True))
        for template in _modules_by_path()
    )


def anonymous(template: str) -> str:
    """Drop the names of a path's placeholders, which are the SDK's own choice."""
    return _PLACEHOLDER.sub("{}", template)


@cache
def _modules_by_path() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for module in sorted(_PACKAGE.rglob("*_service.py")):
        for path in set(_PATH.findall(module.read_text(encoding="utf-8"))):
            found.setdefault(anonymous(path), []).append(module)
    return found


@cache
def _operations(module: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Map (method, path) to (module, class) of the parameters, for one service module."""
    text = module.read_text(encoding="utf-8")
    homes = {name: home for home, name in _IMPORT.findall(text)}
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for function in text.split("\n    def ")[1:]:
        call, params = _CALL.search(function), _PARAMS.search(function)
        if call and params:
            found[call[1], anonymous(call[2])] = (homes[params[1]], params[1])
    return found
