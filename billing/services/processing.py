"""Lets processors digest the sealed journal, block by block, and rebuilds what they made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from django.db import connection, transaction

from billing.core.errors import ConflictError, NotFoundError
from billing.core.processors import all_processors
from billing.core.processors.base import Entry, Place, Processor, Value, fold_into
from billing.models import JournalBlock, ProcessorPosition, Projection
from billing.queries import entries
from billing.services import locks

# What one transaction digests, at least a block: bounds what is held in memory.
MOST_ENTRIES: Final = 5000
MOST_BLOCKS: Final = 200
# A rebuild is made beside what is in use, and takes its place when it is done.
_REBUILT: Final = "~"

_STORE: Final = """
INSERT INTO billing_projection (processor, scope, key, value)
SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::jsonb[])
ON CONFLICT (processor, scope, key) DO UPDATE SET value = excluded.value
"""
_FORGET: Final = """
DELETE FROM billing_projection stored
 USING unnest(%s::text[], %s::text[]) AS gone(scope, key)
 WHERE stored.processor = %s AND stored.scope = gone.scope AND stored.key = gone.key
"""
_RECALL: Final = """
SELECT stored.scope, stored.key, stored.value
  FROM unnest(%s::text[], %s::text[]) AS asked(scope, key)
  JOIN billing_projection stored
    ON stored.processor = %s AND stored.scope = asked.scope AND stored.key = asked.key
"""
_DIFFERENT: Final = """
SELECT coalesce(stored.scope, rebuilt.scope) || ' ' || coalesce(stored.key, rebuilt.key)
  FROM (SELECT * FROM billing_projection WHERE processor = %s) stored
  FULL JOIN (SELECT * FROM billing_projection WHERE processor = %s) rebuilt
    ON rebuilt.scope = stored.scope AND rebuilt.key = stored.key
 WHERE stored.value IS DISTINCT FROM rebuilt.value ORDER BY 1
"""

Progress = Callable[[int], None]


def digest() -> int:
    """Let every processor take in what was sealed since; how many entries that were for all.

    A processor that somebody else is running is left to them.
    """
    return sum(_batches(all_processors()))


def rebuild(name: str, *, progress: Progress = lambda _: None) -> None:
    """Make anew from nothing what a processor makes. What there is serves until that is done.

    :param progress: told how many entries were taken in, again and again.
    :raises NotFoundError: if there is no such processor.
    :raises ConflictError: if it is being rebuilt already.
    """
    processor, rebuilt = _named(name), name + _REBUILT
    with locks.alone("rebuild", name) as is_ours:
        _require(is_ours, name)
        _make_beside(processor, rebuilt, progress)
        with transaction.atomic():
            locks.alone_from_here(_lock(name))
            for taken in _batches({rebuilt: processor}):
                progress(taken)
            _clear(name)
            Projection.objects.filter(processor=rebuilt).update(processor=name)
            ProcessorPosition.objects.filter(processor=rebuilt).update(processor=name)


def differences(name: str, *, progress: Progress = lambda _: None) -> list[str]:
    """Where what is stored is not what a rebuild gives: scope and key of each. Changes nothing.

    :raises NotFoundError: if there is no such processor.
    :raises ConflictError: if it is being rebuilt.
    """
    processor, rebuilt = _named(name), name + _REBUILT
    with locks.alone("rebuild", name) as is_ours:
        _require(is_ours, name)
        _make_beside(processor, rebuilt, progress)
        with transaction.atomic():
            locks.alone_from_here(_lock(name))
            until = _position(name)
            if _position(rebuilt) > until:  # what is stored lags behind: let it catch up
                sum(_batches({name: processor}))
            sum(_batches({rebuilt: processor}, until=_position(name)))
            with connection.cursor() as cursor:
                cursor.execute(_DIFFERENT, [name, rebuilt])
                found = [str(place) for (place,) in cursor.fetchall()]
            _clear(rebuilt)
    return found


def _make_beside(processor: Processor, rebuilt: str, progress: Progress) -> None:
    _clear(rebuilt)  # what a killed run left behind
    for taken in _batches({rebuilt: processor}):
        progress(taken)


def _batches(processors: Mapping[str, Processor], *, until: int | None = None) -> Iterator[int]:
    """Digest batch by batch; how many entries each had, for all processors.

    :param processors: by the names their values are stored under.
    """
    while (taken := _digest_batch(processors, until)) is not None:
        yield taken


@transaction.atomic
def _digest_batch(processors: Mapping[str, Processor], until: int | None) -> int | None:
    """Let those take the next blocks in that are furthest behind, reading them once for all.

    None where no blocks are left, or somebody else is at it.
    """
    positions = {name: _position(name) for name in processors if locks.is_alone(_lock(name))}
    if not positions:
        return None
    first = min(positions.values())
    bounds = [position for position in positions.values() if position > first]
    last = _end_of_batch(first, min([*bounds, *([] if until is None else [until])], default=None))
    if last == first:
        return None
    found = list(entries.sealed(after=first, until=last))
    behind = [name for name, position in positions.items() if position == first]
    for name in behind:
        _fold(processors[name], name, found)
        ProcessorPosition.objects.update_or_create(processor=name, defaults={"block": last})
    return len(found) * len(behind)


def _end_of_batch(position: int, until: int | None) -> int:
    blocks = JournalBlock.objects.filter(number__gt=position)
    if until is not None:
        blocks = blocks.filter(number__lte=until)
    taken = 0
    for number, size in blocks.order_by("number").values_list("number", "entries")[:MOST_BLOCKS]:
        if taken and taken + size > MOST_ENTRIES:
            break
        position, taken = number, taken + size
    return position


def _fold(processor: Processor, name: str, found: Sequence[Entry]) -> None:
    places = list({place for entry in found for place in processor.places(entry)})
    before = _recall(name, places)
    after = dict(before)
    for entry in found:
        fold_into(processor, entry, after)
    _store(name, {p: value for p, value in after.items() if value != before.get(p)})


def _recall(name: str, places: Sequence[Place]) -> dict[Place, Value | None]:
    with connection.cursor() as cursor:
        cursor.execute(_RECALL, [[p.scope for p in places], [p.key for p in places], name])
        return {Place(scope, key): json.loads(value) for scope, key, value in cursor.fetchall()}


def _store(name: str, changed: dict[Place, Value | None]) -> None:
    kept = {place: value for place, value in changed.items() if value is not None}
    gone = [place for place, value in changed.items() if value is None]
    with connection.cursor() as cursor:
        if kept:
            values = [json.dumps(value) for value in kept.values()]
            cursor.execute(_STORE, [name, *_columns(list(kept)), values])
        if gone:
            cursor.execute(_FORGET, [*_columns(gone), name])


def _columns(places: Sequence[Place]) -> tuple[list[str], list[str]]:
    return [place.scope for place in places], [place.key for place in places]


def _clear(name: str) -> None:
    with transaction.atomic():
        Projection.objects.filter(processor=name).delete()
        ProcessorPosition.objects.filter(processor=name).delete()


def _position(name: str) -> int:
    known = ProcessorPosition.objects.filter(processor=name).values_list("block", flat=True)
    return known.first() or 0


def _named(name: str) -> Processor:
    try:
        return all_processors()[name]
    except KeyError:
        raise NotFoundError(f"There is no processor {name!r}.", code="not_found") from None


def _lock(name: str) -> str:
    return f"processor:{name}"


def _require(is_ours: bool, name: str) -> None:  # noqa: FBT001  # what the lock said
    if not is_ours:
        raise ConflictError(f"{name} is being rebuilt already.", code="rebuild_under_way")
