"""The statements that take events out of the counts of usage again.

Where the greatest or the latest event is taken away, the next one is looked for among the events
of that customer; everything else is subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing.queries.components import component_of, value_of
from billing.services.counting import ENTRY


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event adds to the counts. `component` and `value` mean nothing without a period."""

    period_id: UUID | None
    customer_id: UUID
    meter_id: UUID
    aggregation: str
    component: str
    value: str | None
    quantity: Decimal
    day: date


def entries(event_ids: Sequence[int]) -> list[Entry]:
    """What events add where they are counted now."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, {"events": list(event_ids)})
        return [Entry(*row) for row in cursor.fetchall()]


def take_from_totals(gone: Sequence[Entry]) -> None:
    """Take events from their periods' totals and values.

    They are no longer counted there, and `hold_off` holds their periods.
    """
    placed = [entry for entry in gone if entry.period_id is not None]
    if placed:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE_FROM_TOTALS, _arrays(placed))


def hold_days(touched: Sequence[Entry]) -> None:
    """Lock the days of events, making those that are missing, in the order of their keys.

    A day is shared by all that is counted on it, in whichever period: `hold_off` is not enough.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_DAYS, _arrays(touched))


def take_from_days(gone: Sequence[Entry]) -> None:
    """Take events that are withdrawn from their days, which `hold_days` holds."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_FROM_DAYS, _arrays(gone))


def _arrays(rows: Sequence[Entry]) -> dict[str, list[Any]]:
    columns = zip(*map(astuple, rows), strict=True)
    return dict(zip((field.name for field in fields(Entry)), map(list, columns), strict=True))


# What the events that are gone were to which total, and to which value.
_GONE: Final = """
WITH gone AS (
  SELECT * FROM unnest(
    %(period_id)s::uuid[], %(customer_id)s::uuid[], %(meter_id)s::uuid[],
    %(aggregation)s::text[], %(component)s::text[], %(value)s::text[], %(quantity)s::numeric[],
    %(day)s::date[]
  ) AS entry(period_id, customer_id, meter_id, aggregation, component, value, quantity, day)
)"""

# Orders events so that the first is what a meter of either kind shows.
_BEST_FIRST: Final = """
  CASE aggregation WHEN 'LAST' THEN event.occurred_at END DESC, event.quantity DESC LIMIT 1"""

_ENTRIES: Final = f"""
SELECT event.period_id, {ENTRY}
  FROM billing_usageevent event
  JOIN plans_meter meter ON meter.id = event.meter_id
  LEFT JOIN billing_billingperiod period ON period.id = event.period_id
 WHERE event.id = ANY(%(events)s)
"""  # noqa: S608  # constants

_TAKE_FROM_TOTALS: Final = f"""
{_GONE}, forgotten AS (
  SELECT period_id, customer_id, meter_id, component, value, count(*) AS events
    FROM gone WHERE aggregation = 'UNIQUE'
   GROUP BY period_id, customer_id, meter_id, component, value
), emptied AS (
  DELETE FROM billing_usagevalue kept USING forgotten
   WHERE kept.period_id = forgotten.period_id AND kept.component = forgotten.component
     AND kept.value = forgotten.value AND kept.events = forgotten.events
  RETURNING kept.period_id, kept.component
), lowered AS (
  UPDATE billing_usagevalue kept
     SET events = kept.events - forgotten.events,
         day = (SELECT min(event.day)
                  FROM billing_usageevent event
                  JOIN plans_meter meter ON meter.id = event.meter_id
                  JOIN billing_billingperiod period ON period.id = event.period_id
                 WHERE event.customer_id = forgotten.customer_id
                   AND event.period_id = forgotten.period_id
                   AND event.meter_id = forgotten.meter_id AND event.withdrawn_at IS NULL
                   AND {value_of("event", "meter")} = forgotten.value
                   AND {component_of("event", "meter", "period")} = forgotten.component)
    FROM forgotten
   WHERE kept.period_id = forgotten.period_id AND kept.component = forgotten.component
     AND kept.value = forgotten.value AND kept.events > forgotten.events
), less AS (
  SELECT period_id, customer_id, meter_id, aggregation, component, sum(quantity) AS quantity,
         (SELECT count(*) FROM emptied
           WHERE emptied.period_id = gone.period_id
             AND emptied.component = gone.component) AS values
    FROM gone GROUP BY period_id, customer_id, meter_id, aggregation, component
)
UPDATE billing_usagetotal total
   SET quantity = CASE
         WHEN less.aggregation IN ('MAX', 'LAST') THEN coalesce(best.quantity, 0)
         WHEN less.aggregation = 'UNIQUE' THEN total.quantity - less.values
         ELSE total.quantity - less.quantity END,
       latest_at = CASE less.aggregation
         WHEN 'LAST' THEN best.occurred_at ELSE total.latest_at END
  FROM less
  LEFT JOIN LATERAL (
    SELECT event.quantity, event.occurred_at
      FROM billing_usageevent event
      JOIN plans_meter meter ON meter.id = event.meter_id
      JOIN billing_billingperiod period ON period.id = event.period_id
     WHERE less.aggregation IN ('MAX', 'LAST') AND event.customer_id = less.customer_id
       AND event.period_id = less.period_id AND event.meter_id = less.meter_id
       AND event.withdrawn_at IS NULL
       AND {component_of("event", "meter", "period")} = less.component
     ORDER BY {_BEST_FIRST}
  ) best ON true
 WHERE total.period_id = less.period_id AND total.component = less.component
"""  # noqa: S608  # constants

_HOLD_DAYS: Final = f"""
{_GONE}
INSERT INTO billing_usageday AS kept (customer_id, meter_id, day, aggregation, quantity)
SELECT DISTINCT customer_id, meter_id, day, aggregation, 0
  FROM gone WHERE aggregation <> 'UNIQUE' ORDER BY customer_id, meter_id, day
ON CONFLICT (customer_id, meter_id, day) DO UPDATE SET quantity = kept.quantity
"""  # noqa: S608  # constants

_TAKE_FROM_DAYS: Final = f"""
{_GONE}, less AS (
  SELECT customer_id, meter_id, aggregation, day, sum(quantity) AS quantity
    FROM gone WHERE aggregation <> 'UNIQUE'
   GROUP BY customer_id, meter_id, aggregation, day
)
UPDATE billing_usageday kept
   SET quantity = CASE
         WHEN less.aggregation IN ('MAX', 'LAST') THEN coalesce(best.quantity, 0)
         ELSE kept.quantity - less.quantity END,
       latest_at = CASE less.aggregation
         WHEN 'LAST' THEN best.occurred_at ELSE kept.latest_at END
  FROM less
  LEFT JOIN LATERAL (
    SELECT event.quantity, event.occurred_at
      FROM billing_usageevent event
      JOIN plans_meter meter ON meter.id = event.meter_id
     WHERE less.aggregation IN ('MAX', 'LAST') AND event.customer_id = less.customer_id
       AND event.meter_id = less.meter_id AND event.day = less.day
       AND event.withdrawn_at IS NULL
     ORDER BY {_BEST_FIRST}
  ) best ON true
 WHERE kept.customer_id = less.customer_id AND kept.meter_id = less.meter_id
   AND kept.day = less.day
"""  # noqa: S608  # constants
