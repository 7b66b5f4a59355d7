"""Examples of answers, made of the document's own schemas and the glossary's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_TYPES: Final[dict[type, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    list: "array",
    dict: "object",
}
_FORMATS: Final = {
    "date": "2026-04-01",
    "date-time": "2026-04-01T09:00:00Z",
    "uri": "https://billing.example.com/",
    "uuid": "0198d5a2-0000-7000-8000-000000000009",
}
_NONE: Final = object()

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """Makes examples.

    :param schemas: the document's components.
    :param values: `Schema.field`, or a field's name, → what stands in its place.
    """

    schemas: Mapping[str, Schema]
    values: Mapping[str, Any]

    def of(self, schema: Schema, owner: str = "", name: str = "") -> Any:
        """A value that fits the schema.

        :param owner: the component that the schema is a field of, by this name.
        """
        if "$ref" in schema:
            referred = str(schema["$ref"]).rpartition("/")[2]
            component = self.schemas[referred]
            if "properties" in component:
                return self._object(component, referred)
            return self.of(component, owner, name)
        given = self._given(schema, owner, name)
        return self._made(schema, owner, name) if given is _NONE else given

    def _given(self, schema: Schema, owner: str, name: str) -> Any:
        """What the glossary says, where it fits; of what can be null only if it names it whole."""
        names = [f"{owner}.{name}"] if _is_nullable(schema) else [f"{owner}.{name}", name]
        for key in names:
            if key in self.values and self._fits(self.values[key], schema):
                return self.values[key]
        return _NONE

    def _fits(self, value: Any, schema: Schema) -> bool:
        if "enum" in schema:
            return value in schema["enum"]
        inner = _choices(schema)
        if inner:
            return any(self._fits(value, self._resolved(each)) for each in inner)
        return _TYPES[type(value)] in _types(schema)

    def _resolved(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        return self.schemas[str(schema["$ref"]).rpartition("/")[2]]

    def _made(self, schema: Schema, owner: str, name: str) -> Any:
        if _is_nullable(schema):
            return None
        for word in ("const", "example"):
            if word in schema:
                return schema[word]
        if "enum" in schema:
            return schema["enum"][0]
        if inner := _choices(schema):
            return self.of(inner[0], owner, name)
        return self._typed(schema, owner, name)

    def _typed(self, schema: Schema, owner: str, name: str) -> Any:
        match _types(schema):
            case ["object"]:
                return self._object(schema, owner)
            case ["array"]:
                return [self.of(schema["items"], owner, "")]
            case ["boolean"]:
                return False
            case ["integer"] | ["number"]:
                return schema.get("minimum", 1)
        return _FORMATS.get(schema.get("format", ""), name)

    def _object(self, schema: Schema, owner: str) -> dict[str, Any]:
        """What is always there, and what the glossary names whole."""
        fields: Mapping[str, Schema] = schema.get("properties", {})
        required = schema.get("required", ())
        return {
            name: self.of(field, owner, name)
            for name, field in fields.items()
            if name in required or f"{owner}.{name}" in self.values
        }


def _types(schema: Schema) -> list[str]:
    found = schema.get("type", [])
    return [found] if isinstance(found, str) else list(found)


def _is_nullable(schema: Schema) -> bool:
    return "null" in _types(schema) or {"type": "null"} in _choices(schema)


def _choices(schema: Schema) -> list[Schema]:
    """The schemas of which one, or all, must fit."""
    return [*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())]
