"""The OpenAPI document as a whole: what no operation can say of itself.

drf-spectacular calls `complete` last. A new endpoint needs nothing here: its group is found by its
address, its fields' words and its answers' examples in `glossary.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from billing.api.codes import PROBLEMS
from billing.api.errors import MEDIA_TYPE, RETRIED, TITLES
from billing.api.examples import Exemplar
from billing.api.groups import GROUPS

Spec = dict[str, Any]

_HERE: Final = Path(__file__).parent
GLOSSARY: Final = tomllib.loads((_HERE / "glossary.toml").read_text("utf-8"))
_PAGE: Final = {"total", "limit", "offset"}
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_INTEGER: Final = {"type": "integer", "minimum": 0}

HEADERS: Final[dict[str, Spec]] = {
    "X-Request-Id": {
        "description": "The request's id: yours if you sent one, else ours. Our logs have it.",
        "required": True,
        "schema": {"type": "string", "example": "req_5f0c9a7e1d3b"},
    },
    "X-RateLimit-Limit": {
        "description": "How many calls of this class pass in a window.",
        "required": True,
        "schema": _INTEGER,
    },
    "X-RateLimit-Remaining": {
        "description": "How many of them are left.",
        "required": True,
        "schema": _INTEGER,
    },
    "X-RateLimit-Reset": {
        "description": "When the window ends, in Unix seconds.",
        "required": True,
        "schema": _INTEGER,
    },
    "Retry-After": {
        "description": "Seconds to wait before repeating the request.",
        "schema": _INTEGER,
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": {"type": "string", "example": 'Bearer realm="api"'},
    },
    "ETag": {
        "description": "Names the state of the object; send it as `If-Match` with a change.",
        "required": True,
        "schema": {"type": "string", "example": '"1"'},
    },
    "Location": {
        "description": "Where what was made can be read.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Idempotent-Replayed": {
        "description": "The answer is that of the first request with this `Idempotency-Key`.",
        "schema": {"type": "string", "const": "true"},
    },
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` last seen. 304 without a body if nothing has changed since.",
    "schema": {"type": "string"},
}
# Refusals that a key's repetition gets again.
_REPLAYED: Final = (400, 402, 403, 404, 412, 413, 415)
_EVERYWHERE: Final = ("X-Request-Id", *(name for name in HEADERS if name.startswith("X-Rate")))
_EXAMPLES: Final = {
    400: ("required", "amount: This field is required.", {"amount": ["This field is required."]}),
    401: ("invalid_token", "The token is unknown or revoked.", {}),
    402: ("card_declined", "The card was declined.", {}),
    403: ("operator_only", "Only an operator may do this.", {}),
    404: ("not_found", "There is no plan 0198d5a2-0000-7000-8000-000000000002.", {}),
    405: ("method_not_allowed", 'Method "PUT" not allowed.', {}),
    409: ("same_instant", "Another change is due then.", {}),
    412: ("version_mismatch", "It was changed by someone else.", {}),
    413: ("body_too_large", "A body may have up to 8,388,608 bytes.", {}),
    415: ("unsupported_media_type", 'Unsupported media type "text/plain" in request.', {}),
    422: ("idempotency_key_reused", "This idempotency key was used for another request.", {}),
    429: ("rate_limited", "Too many requests. Wait 2 seconds.", {}),
    500: ("internal_error", "Something went wrong on our side. It was recorded.", {}),
    503: ("database_unavailable", "The database does not answer. Please try again.", {}),
}


def complete(result: Spec, **_said: Any) -> Spec:
    """Add what belongs to the whole.

    :param result: the document; it is changed in place, and answered.
    """
    components: dict[str, Spec] = result["components"]
    schemas = components["schemas"]
    operations = list(_operations(result))
    _name_enums(result)
    for name in _sent(schemas, operations):
        schemas[name]["additionalProperties"] = False
    for component, schema in schemas.items():
        _explain(component, schema)
    for _, operation in operations:
        for parameter in operation.get("parameters", []):
            _explain_parameter(parameter)
    _list_codes(schemas)
    components["headers"] = HEADERS
    components["responses"] = {component_of(status): _problem(status) for status in TITLES}
    components["examples"] = {}
    exemplar = Exemplar(schemas, GLOSSARY["examples"])
    for path, operation in operations:
        for answer in operation["responses"].items():
            if "$ref" not in answer[1]:
                _add_headers(result, path, operation, answer)
                _add_examples(components, exemplar, answer[1])
    _tell_of_the_known(result)
    result["info"]["description"] = (_HERE / "introduction.md").read_text("utf-8")
    result["tags"] = _tags(operations)
    return result


def component_of(status: int) -> str:
    """What the answer of a failure is called in the document."""
    return "".join(word.capitalize() for word in TITLES[status].split())


def _operations(result: Spec) -> Iterator[tuple[str, Spec]]:
    for path, item in result["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, operation


def _tags(operations: list[tuple[str, Spec]]) -> list[Spec]:
    """The groups in use, in their order, and what is in none of them."""
    written = {group.name.lower(): group.name for group in GROUPS}
    for _, operation in operations:
        operation["tags"] = [written.get(tag.lower(), tag) for tag in operation["tags"]]
    used = {tag for _, operation in operations for tag in operation["tags"]}
    known = {group.name: group.description for group in GROUPS if group.name in used}
    return [
        *({"name": name, "description": words} for name, words in known.items()),
        *({"name": name} for name in sorted(used - known.keys())),
    ]


def _name_enums(result: Spec) -> None:
    """Let enums in parameters and alternatives be those that have a name."""
    schemas = result["components"]["schemas"]
    named = {tuple(s["enum"]): name for name, s in sorted(schemas.items()) if "enum" in s}
    schemas.pop("NullEnum", None)
    for schema in list(schemas.values()):
        for name, field in schema.get("properties", {}).items():
            for each in (*field.get("oneOf", ()), *field.get("anyOf", ())):
                _name_enum(each, name.capitalize(), named, schemas)
                if each.get("$ref") == "#/components/schemas/NullEnum":
                    each.clear()
                    each["type"] = "null"
    for _, operation in _operations(result):
        for parameter in operation.get("parameters", []):
            own = [operation["operationId"], *parameter["name"].replace("_", "-").split("-")]
            capitals = "".join(word[0].upper() + word[1:] for word in own)
            _name_enum(parameter["schema"], capitals, named, schemas)


def _name_enum(
    schema: Spec, own: str, named: dict[tuple[Any, ...], str], schemas: dict[str, Spec]
) -> None:
    if "enum" not in schema:
        return
    values = tuple(schema.pop("enum"))
    if values not in named:
        named[values] = f"{own}Enum"
        schemas[named[values]] = {"type": "string", "enum": list(values)}
    for name in ("type", "minLength"):
        schema.pop(name, None)
    schema["$ref"] = f"#/components/schemas/{named[values]}"


def _sent(schemas: Spec, operations: list[tuple[str, Spec]]) -> set[str]:
    """The objects that bodies consist of, in which no other field is taken."""
    found: set[str] = set()
    waiting = _referred([operation.get("requestBody") for _, operation in operations])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= _referred(schemas[name])
    return {name for name in found if "properties" in schemas[name]}


def _referred(node: Any) -> set[str]:
    """The components that a part of the document refers to."""
    if isinstance(node, list):
        return set().union(*map(_referred, node))
    if not isinstance(node, dict):
        return set()
    prefix = "#/components/schemas/"
    ref = str(node.get("$ref", ""))
    own = {ref.removeprefix(prefix)} if ref.startswith(prefix) else set()
    return own.union(*map(_referred, node.values()))


def _list_codes(schemas: dict[str, Spec]) -> None:
    """Name the codes without closing their list, so that a client outlives a new one."""
    words = "Stable: branch on it. `/api/docs/errors` explains each; there may be new ones."
    schemas["ErrorCode"] = {
        "type": "string",
        "description": words,
        "x-extensible-enum": sorted(PROBLEMS),
    }
    for name in ("Problem", "ConflictProblem"):
        schemas[name]["properties"]["code"] = {"$ref": "#/components/schemas/ErrorCode"}


def _explain(name: str, schema: Spec) -> None:
    """Give a component's fields their words."""
    fields = schema.get("properties", {})
    is_list = fields.keys() >= _PAGE
    if is_list or {"next", "previous"} <= fields.keys():
        schema.setdefault("description", "A part of a list.")
    for field, inner in fields.items():
        owner = "List" if is_list and field in _PAGE else name
        _describe(inner, field, inner, owner)


def _explain_parameter(parameter: Spec) -> None:
    """Give a parameter its words; an id in a path says by itself whose it is."""
    name = parameter["name"]
    _describe(parameter, name, {}, "parameter")
    if parameter["in"] == "path" and name.endswith("_id"):
        noun = name.removesuffix("_id").replace("_", " ")
        parameter.setdefault("description", f"The {noun}'s id.")


def _describe(described: Spec, name: str, schema: Spec, owner: str = "") -> None:
    """Say what a field or parameter is; what refers to a component is explained there."""
    words = GLOSSARY["words"]
    found = words.get(f"{owner}.{name}") or (None if refers(schema) else words.get(name))
    if found is not None:
        described.setdefault("description", found)


def refers(schema: Spec) -> bool:
    """Whether a schema leads to a component that says what it is."""
    inner = [schema, schema.get("items", {})]
    for word in ("oneOf", "anyOf", "allOf"):
        inner += schema.get(word, [])
    return any("$ref" in each for each in inner)


def _problem(status: int) -> Spec:
    """The answer of a failure, which all operations share."""
    code, detail, errors = _EXAMPLES[status]
    shape = "ConflictProblem" if status == 409 else "Problem"
    body = {
        "type": f"/api/docs/errors#{code}",
        "title": TITLES[status],
        "status": status,
        "code": code,
        "detail": detail,
        "errors": errors,
    }
    more = {
        **dict.fromkeys(_REPLAYED, ("Idempotent-Replayed",)),
        401: ("WWW-Authenticate",),
        **dict.fromkeys(RETRIED, ("Retry-After",)),
    }
    return {
        "description": TITLES[status],
        "headers": _headers(*_EVERYWHERE, *more.get(status, ())),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": f"#/components/schemas/{shape}"},
                "examples": {code: {"value": body}},
            }
        },
    }


def _headers(*names: str) -> Spec:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _add_headers(result: Spec, path: str, operation: Spec, answer: tuple[str, Spec]) -> None:
    """Those that come with an answer of success; and its phrase, where nothing else is said."""
    status, response = answer
    names = list(_EVERYWHERE)
    is_one = _is_one(result["components"]["schemas"], response)
    if status.startswith("2") and (is_one or "304" in operation["responses"]):
        names.append("ETag")
    if status == "201" and _is_readable(result, path):
        names.append("Location")
    if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", [])):
        names.append("Idempotent-Replayed")
    response["description"] = response["description"] or HTTPStatus(int(status)).phrase
    response["headers"] = {**_headers(*names), **response.get("headers", {})}


def _tell_of_the_known(result: Spec) -> None:
    """Whatever is read with an `ETag` may be asked for unless it is what the caller knows."""
    result["components"]["parameters"] = {"If-None-Match": _IF_NONE_MATCH}
    result["components"]["responses"]["NotModified"] = {
        "description": "It is what `If-None-Match` names. There is no body.",
        "headers": _headers(*_EVERYWHERE, "ETag"),
    }
    for item in result["paths"].values():
        operation = item.get("get", {})
        answers = operation.get("responses", {})
        if "ETag" in answers.get("200", {}).get("headers", {}):
            answers["304"] = {"$ref": "#/components/responses/NotModified"}
            operation["responses"] = dict(sorted(answers.items()))
            named = {"$ref": "#/components/parameters/If-None-Match"}
            operation["parameters"] = [*operation.get("parameters", []), named]


def _is_one(schemas: dict[str, Spec], response: Spec) -> bool:
    """Whether the answer is an object of which `Endpoint` names the state."""
    shapes = [media["schema"] for media in response.get("content", {}).values()]
    names = [str(shape.get("$ref", "")).rpartition("/")[2] for shape in shapes]
    fields = [schemas.get(name, {}).get("properties", {}) for name in names]
    return any("version" in own or "id" in own for own in fields)


def _is_readable(result: Spec, path: str) -> bool:
    """Whether what is made by a POST here can be read by its id below."""
    return any(
        other.startswith(f"{path}/{{") and "/" not in other[len(path) + 1 :] and "get" in item
        for other, item in result["paths"].items()
    )


def _add_examples(components: Spec, exemplar: Exemplar, response: Spec) -> None:
    """An example for each JSON answer that has none of its own."""
    for media_type, media in response.get("content", {}).items():
        if media.get("examples") or not media_type.endswith("json"):
            continue
        schema = media["schema"]
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name:
            components["examples"].setdefault(name, {"value": exemplar.of(schema)})
            media["examples"] = {name: {"$ref": f"#/components/examples/{name}"}}
        else:
            media["examples"] = {"Example": {"value": exemplar.of(schema)}}
