"""What an event counts as, in SQL: in which component of a plan, and as which value.

Properties are compared by their texts, whatever they are in JSON: `true`, `1.5`, `large`. One
place says so, and everything that counts, corrects or verifies puts it into its statement.
"""

from __future__ import annotations


def text_of(value: str) -> str:
    """The text of a scalar `jsonb`: `1.50` is `1.5`, as it is the same number."""
    return (
        f"CASE jsonb_typeof({value}) WHEN 'number' THEN trim_scale(({value})::numeric)::text"
        f" ELSE {value} #>> '{{}}' END"
    )


def value_of(event: str, meter: str) -> str:
    """The value that a meter of unique values sees in an event; NULL for other meters."""
    text = text_of(f"({event}.properties -> {meter}.field)")
    return f"CASE WHEN {meter}.aggregation = 'UNIQUE' THEN {text} END"


def component_of(event: str, meter: str, period: str) -> str:
    """The first component of the period whose filter fits the event; else the meter's own code.

    Each argument is the alias of a row that has the table's columns.
    """
    return f"""
    CASE WHEN {period}.filters = '[]' THEN {meter}.code ELSE coalesce((
      SELECT tried.filter ->> 'component'
        FROM (SELECT jsonb_object_agg(property.name, {text_of("property.value")}) AS texts
                FROM jsonb_each({event}.properties) AS property(name, value)) AS had
       CROSS JOIN LATERAL jsonb_array_elements(
               CASE WHEN had.texts IS NOT NULL THEN {period}.filters END
             ) WITH ORDINALITY AS tried(filter, place)
       WHERE tried.filter ->> 'meter' = {meter}.code AND had.texts @> (tried.filter -> 'only')
       ORDER BY tried.place LIMIT 1
    ), {meter}.code) END"""  # noqa: S608  # names of our own rows
