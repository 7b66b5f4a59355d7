"""Every stable code that the source can answer, with the statuses it comes with.

Read from the source where failures are made; a test of each would need each of them to happen.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from rest_framework import exceptions, serializers

from billing.api import errors
from billing.api.fields import Strict

ROOT: Final = Path(__file__).resolve().parents[2]
# Pages, forms and commands have sentences, not codes.
_ELSEWHERE: Final = {"admin", "web", "management", "migrations", "mirror_migrations"}
# What DRF raises by itself before a view is reached.
_OF_DRF: Final = (
    exceptions.NotAuthenticated,
    exceptions.MethodNotAllowed,
    exceptions.UnsupportedMediaType,
    exceptions.Throttled,
)
_RECEIPT: Final = 202
_DECLINE: Final = "Decline"
# Where the code stands in a call that does not name it.
_PLACES: Final = {
    "AuthenticationFailed": 1,
    "Decline": 0,
    "ErrorDetail": 1,
    "Objection": 0,
    "Problem": 1,
    "Rejection": 1,
    "Unreadable": 0,
    "UrlFault": 0,
    "ValidationError": 1,
    "_RefusedError": 0,
    "_no_columns": 1,
}
_STATUSES: Final[dict[str, set[int]]] = {
    **{kind.__name__: {status} for kind, status in errors.STATUS.items()},
    "AuthenticationFailed": {401},
    "ErrorDetail": {400},
    "Objection": {200},
    "Rejection": {_RECEIPT},
    "Unreadable": {_RECEIPT},
    "UrlFault": {400},
    "ValidationError": {400},
    "_RefusedError": {_RECEIPT, 400},
    "_no_columns": {400},
}

Codes = dict[str, set[int]]


def answered() -> Codes:
    """A problem's code → the statuses that it can come with."""
    found: Codes = defaultdict(set)
    written = _written("billing", "plans", "customers")
    for kind, code, statuses in (*written, *_of_drf(), *_of_shapes()):
        if kind != _DECLINE:
            found[errors.PLAIN.get(code, code)] |= statuses
    for code, status in errors.STATUS_OF_CODE.items():
        found[code] = {status}
    return found


def declined() -> set[str]:
    """The decline codes that are ours; a gateway's own are its business."""
    return {code for kind, code, _ in _written("billing/services") if kind == _DECLINE}


Found = tuple[str, str, set[int]]  # what was made, with which code, and its statuses


@cache
def _written(*folders: str) -> list[Found]:
    modules = [ast.parse(path.read_text()) for path in _files(folders)]
    constants = {name: value for module in modules for name, value in _constants(module)}
    return [found for module in modules for found in _of_module(module, constants)]


def _of_module(module: ast.Module, constants: Mapping[str, Any]) -> Iterator[Found]:
    known = {**constants, **dict(_constants(module)), **dict(_loops(module))}
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            for code in _literals(_argument(node), known):
                yield _name(node.func), code, _statuses(node)
        elif isinstance(node, ast.ClassDef):
            said = dict(_constants(node))
            for code in _literals(said.get("default_code"), known):
                yield node.name, code, {int(ast.literal_eval(said["status_code"]))}


def _files(folders: Iterable[str]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not _ELSEWHERE & set(path.relative_to(ROOT).parts):
                yield path


def _constants(module: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Any]]:
    """Names of texts, and of tuples whose members begin with a code."""
    for node in module.body:
        if isinstance(node, ast.Assign):
            yield _name(node.targets[0]), node.value
        elif isinstance(node, ast.AnnAssign):
            yield _name(node.target), node.value


def _loops(module: ast.Module) -> Iterator[tuple[str, ast.List]]:
    """What `code` is in `for code, … in ROWS`."""
    rows = dict(_constants(module))
    for node in ast.walk(module):
        if isinstance(node, ast.For) and isinstance(node.target, ast.Tuple):
            listed = rows.get(_name(node.iter))
            if _name(node.target.elts[0]) == "code" and isinstance(listed, ast.Tuple):
                codes = [row.elts[0] for row in listed.elts if isinstance(row, ast.Tuple)]
                yield "code", ast.List(elts=codes)


def _argument(call: ast.Call) -> ast.expr | None:
    """The expression of the code that a failure is made with."""
    name = _name(call.func)
    if not (name.endswith("Error") or name in _PLACES):
        return None
    named = next((word.value for word in call.keywords if word.arg == "code"), None)
    place = _PLACES.get(name, len(call.args))
    return named or (call.args[place] if place < len(call.args) else None)


def _literals(value: Any, constants: Mapping[str, Any]) -> Iterator[str]:
    """The codes that an expression can be; none where it hands on another failure's."""
    match value:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from (*_literals(one, constants), *_literals(other, constants))
        case ast.JoinedStr(values=parts):
            texts = [next(_literals(part, constants), None) for part in parts]
            assert None not in texts, f"say it as a whole: {ast.unparse(value)}"
            yield "".join(text for text in texts if text)
        case ast.FormattedValue(value=inner) | ast.Subscript(value=inner):
            yield from _literals(inner, constants)
        case ast.Dict(values=rows) | ast.List(elts=rows):
            for row in rows:
                yield from _literals(row, constants)
        case ast.Name(id=name) if name in constants:
            yield from _literals(constants[name], {})


def _statuses(call: ast.Call) -> set[int]:
    name = _name(call.func)
    if name == "Problem" and isinstance(call.args[0], ast.Constant):
        return {int(str(call.args[0].value))}
    return _STATUSES.get(name, {400})


def _name(node: ast.AST) -> str:
    """The last word of a name."""
    return str(getattr(node, "id", getattr(node, "attr", "")))


def _of_drf() -> Iterator[Found]:
    for kind in _OF_DRF:
        yield kind.__name__, kind.default_code, {kind.status_code}


def _of_shapes() -> Iterator[Found]:
    """What the fields of bodies and queries refuse."""
    for shape in _subclasses(Strict):
        for field in _fields(shape()):
            yield from (("field", code, {400}) for code in field.error_messages)


def _subclasses(kind: type[Strict]) -> Iterator[type[Strict]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def _fields(field: Any) -> Iterator[serializers.Field[Any, Any, Any, Any]]:
    yield field
    inner: Iterable[Any] = getattr(field, "fields", {}).values()
    for each in inner:
        yield from _fields(each)
    if isinstance(getattr(field, "child", None), serializers.Field):
        yield from _fields(field.child)
