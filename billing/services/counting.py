"""The statements that add to the counts of usage: totals of periods, values, days.

Their cost does not grow with the number of events that were counted before.

Who counts locks the periods of a batch `FOR KEY SHARE` before anything else, all in key order,
and so does every insert that refers to them; who changes what is counted in a period, or where,
locks it `FOR UPDATE` (`hold_off`). So either a batch was committed and its events are seen, or it
waits and then reads the period as it has become. Neither lock minds the billing run, which
updates periods without touching their keys and meets the counting in the rows of the totals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from billing.models import BillingPeriod
from billing.queries.components import component_of, value_of
from billing.services.metering import Event


def columns_of(events: Sequence[Event], *, revision: int = 0, now: datetime) -> dict[str, Any]:
    """A batch as `count` takes it: in the order of keys, of each key the first."""
    by_key = {(event.payer.pk, event.report.event_id): event for event in reversed(events)}
    ordered = [event for _, event in sorted(by_key.items(), key=itemgetter(0))]
    instants = [event.occurred_at for event in ordered]
    return {
        "customers": [event.payer.pk for event in ordered],
        "ids": [event.report.event_id for event in ordered],
        "meters": [event.meter.pk for event in ordered],
        "codes": [event.meter.code for event in ordered],
        "instants": instants,
        "quantities": [event.quantity for event in ordered],
        "properties": [Jsonb(event.properties) for event in ordered],
        "days": [event.day for event in ordered],
        "everybody": list({event.payer.pk for event in ordered}),
        "first": min(instants),
        "last": max(instants),
        "revision": revision,
        "now": now,
    }


def count(batch: Mapping[str, Any]) -> tuple[int, list[UUID]]:
    """Insert and count a batch: how many were new, and the customers of those that wait."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, batch)
        accepted, waiting = cursor.fetchone()
    return accepted, waiting or []


def lock_newcomers(customer_ids: Sequence[UUID]) -> None:
    """Lock those of the customers who have no live subscription, in the order of their keys."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_NEWCOMERS, {"customers": list(customer_ids)})


def place(periods: Sequence[BillingPeriod]) -> None:
    """Count the events that wait for these periods in them."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PLACE,
            {
                "periods": [period.pk for period in periods],
                "customers": [period.customer_id for period in periods],
            },
        )


def close(components: Sequence[tuple[UUID, str, str]]) -> list[tuple[UUID, str, Decimal]]:
    """Close totals, making those that are missing: (period, component, quantity).

    :param components: (period, meter's code, component), each once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE,
            {
                "periods": [period_id for period_id, _, _ in components],
                "codes": [code for _, code, _ in components],
                "components": [component for _, _, component in components],
            },
        )
        closed: list[tuple[UUID, str, Decimal]] = cursor.fetchall()
    return closed


def claim_differences(
    subscription_ids: Sequence[UUID],
) -> list[tuple[UUID, str, str, Decimal, Decimal]]:
    """Bill what differs in closed periods: (period, kind, component, billed before, billed now).

    All components of a period in which one differs. What a batch is just being counted in is
    left for the next time, as if the batch had come later: so this waits for nobody.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_DIFFERENCES, {"subscriptions": list(subscription_ids)})
        claimed: list[tuple[UUID, str, str, Decimal, Decimal]] = cursor.fetchall()
    return claimed


def hold_off(period_ids: Sequence[UUID]) -> None:
    """Wait for the batches that count in these periods; new ones wait for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_OFF, {"periods": list(period_ids)})


# An event's share in the counts; the rows are called so in every statement.
ENTRY: Final = f"""
  event.customer_id, event.meter_id, meter.aggregation,
  {component_of("event", "meter", "period")} AS component,
  {value_of("event", "meter")} AS value, event.quantity, event.day"""

# Of two at the same instant the greater is the latest. An array's order is that of its elements.
_SUMMED: Final = """
  CASE aggregation
    WHEN 'MAX' THEN max(quantity)
    WHEN 'LAST' THEN (max(ARRAY[extract(epoch FROM occurred_at), quantity])
                      FILTER (WHERE aggregation = 'LAST'))[2]
    ELSE sum(quantity) END AS quantity,
  max(occurred_at) AS latest_at"""
_ADDED: Final = """
  quantity = CASE kept.aggregation
    WHEN 'MAX' THEN greatest(kept.quantity, excluded.quantity)
    WHEN 'LAST' THEN CASE
      WHEN (kept.latest_at, kept.quantity) > (excluded.latest_at, excluded.quantity)
      THEN kept.quantity ELSE excluded.quantity END
    ELSE kept.quantity + excluded.quantity END,
  latest_at = greatest(kept.latest_at, excluded.latest_at)"""

# What counting statements end with: `entries` are the events, placed where they could be. A value
# adds 1 to its total when it is new, and only then; xmax is 0 in a row that was not there before.
_ADD_TO_TOTALS: Final = f"""
seen AS (
  INSERT INTO billing_usagevalue AS kept (period_id, meter_id, component, value, events, day)
  SELECT period_id, meter_id, component, value, count(*), min(day)
    FROM entries WHERE period_id IS NOT NULL AND aggregation = 'UNIQUE'
   GROUP BY period_id, meter_id, component, value ORDER BY period_id, component, value
  ON CONFLICT (period_id, component, value) DO UPDATE
    SET events = kept.events + excluded.events, day = least(kept.day, excluded.day)
  RETURNING period_id, meter_id, component, xmax = 0 AS is_new
), additions AS (
  SELECT period_id, meter_id, component, aggregation, occurred_at,
         CASE aggregation WHEN 'UNIQUE' THEN 0 ELSE quantity END AS quantity
    FROM entries WHERE period_id IS NOT NULL
  UNION ALL
  SELECT period_id, meter_id, component, 'UNIQUE', NULL, 1 FROM seen WHERE is_new
), totals AS (
  INSERT INTO billing_usagetotal AS kept
         (period_id, meter_id, component, aggregation, quantity, latest_at)
  SELECT period_id, meter_id, component, aggregation, {_SUMMED}
    FROM additions GROUP BY period_id, meter_id, component, aggregation
   ORDER BY period_id, component
  ON CONFLICT (period_id, component) DO UPDATE SET {_ADDED}
)
"""  # noqa: S608  # constants

_COUNT: Final = f"""
WITH incoming AS (
  SELECT * FROM unnest(
    %(customers)s::uuid[], %(ids)s::text[], %(meters)s::uuid[], %(codes)s::text[],
    %(instants)s::timestamptz[], %(quantities)s::numeric[], %(properties)s::jsonb[],
    %(days)s::date[]
  ) AS event(customer_id, event_id, meter_id, code, occurred_at, quantity, properties, day)
), periods AS MATERIALIZED (
  SELECT id, customer_id, starts_at, counts_until, meters, filters
    FROM billing_billingperiod
   WHERE customer_id = ANY(%(everybody)s::uuid[])
     AND starts_at <= %(last)s AND counts_until > %(first)s
   ORDER BY id FOR KEY SHARE
), counted AS (
  INSERT INTO billing_usageevent
         (customer_id, event_id, revision, meter_id, occurred_at, quantity, properties, day,
          period_id, recorded_at, withdrawn_by)
  SELECT event.customer_id, event.event_id, %(revision)s, event.meter_id, event.occurred_at,
         event.quantity, event.properties, event.day, period.id, %(now)s, ''
    FROM incoming event
    LEFT JOIN periods period
      ON period.customer_id = event.customer_id
     AND period.starts_at <= event.occurred_at AND event.occurred_at < period.counts_until
     AND event.code = ANY(period.meters)
   ORDER BY event.customer_id, event.event_id
  ON CONFLICT (customer_id, event_id, revision) DO NOTHING
  RETURNING customer_id, meter_id, occurred_at, quantity, properties, day, period_id
), entries AS (
  SELECT event.period_id, event.occurred_at, {ENTRY}
    FROM counted event
    JOIN plans_meter meter ON meter.id = event.meter_id
    LEFT JOIN periods period ON period.id = event.period_id
), days AS (
  INSERT INTO billing_usageday AS kept
         (customer_id, meter_id, day, aggregation, quantity, latest_at)
  SELECT customer_id, meter_id, day, aggregation, {_SUMMED}
    FROM entries WHERE aggregation <> 'UNIQUE'
   GROUP BY customer_id, meter_id, day, aggregation ORDER BY customer_id, meter_id, day
  ON CONFLICT (customer_id, meter_id, day) DO UPDATE SET {_ADDED}
), {_ADD_TO_TOTALS}
SELECT count(*), array_agg(DISTINCT customer_id) FILTER (WHERE period_id IS NULL) FROM counted
"""  # noqa: S608  # constants

_PLACE: Final = f"""
WITH entries AS (
  UPDATE billing_usageevent event SET period_id = period.id
    FROM billing_billingperiod period, plans_meter meter
   WHERE event.customer_id = ANY(%(customers)s) AND event.period_id IS NULL
     AND event.withdrawn_at IS NULL
     AND period.id = ANY(%(periods)s) AND period.customer_id = event.customer_id
     AND meter.id = event.meter_id AND meter.code = ANY(period.meters)
     AND period.starts_at <= event.occurred_at AND event.occurred_at < period.counts_until
  RETURNING period.id AS period_id, event.occurred_at, {ENTRY}
), {_ADD_TO_TOTALS}
SELECT count(*) FROM entries
"""  # noqa: S608  # constants

_LOCK_NEWCOMERS: Final = """
SELECT id FROM customers_customer customer
 WHERE id = ANY(%(customers)s)
   AND NOT EXISTS (SELECT 1 FROM billing_subscription subscription
                    WHERE subscription.customer_id = customer.id
                      AND subscription.status <> 'CANCELED')
 ORDER BY id FOR NO KEY UPDATE
"""

_HOLD_OFF: Final = """
SELECT id FROM billing_billingperiod WHERE id = ANY(%(periods)s::uuid[]) ORDER BY id FOR UPDATE
"""

_CLOSE: Final = """
INSERT INTO billing_usagetotal AS kept
       (period_id, meter_id, component, aggregation, quantity, billed_quantity)
SELECT wanted.period_id, meter.id, wanted.component, meter.aggregation, 0, 0
  FROM unnest(%(periods)s::uuid[], %(codes)s::text[], %(components)s::text[])
       AS wanted(period_id, code, component)
  JOIN plans_meter meter ON meter.code = wanted.code
 ORDER BY wanted.period_id, wanted.component
ON CONFLICT (period_id, component) DO UPDATE SET billed_quantity = kept.quantity
RETURNING period_id, component, quantity
"""

# The rows are read as they are when they are claimed; the others as nobody has changed them. What
# differs is said in the very words of the index `usage_total_to_adjust`.
_CLAIM_DIFFERENCES: Final = """
WITH claimed AS MATERIALIZED (
  SELECT total.id, total.period_id, total.billed_quantity, total.quantity
    FROM billing_usagetotal total
   WHERE total.billed_quantity IS NOT NULL
     AND NOT (total.billed_quantity = total.quantity AND total.billed_quantity IS NOT NULL)
     AND total.period_id IN (SELECT id FROM billing_billingperiod
                              WHERE subscription_id = ANY(%(subscriptions)s::uuid[]))
   FOR NO KEY UPDATE OF total SKIP LOCKED
), billed AS (
  UPDATE billing_usagetotal total SET billed_quantity = claimed.quantity
    FROM claimed WHERE total.id = claimed.id
)
SELECT total.period_id, period.kind, total.component,
       coalesce(claimed.billed_quantity, total.billed_quantity, 0),
       coalesce(claimed.quantity, total.billed_quantity, 0)
  FROM billing_usagetotal total
  JOIN billing_billingperiod period ON period.id = total.period_id
  LEFT JOIN claimed ON claimed.id = total.id
 WHERE total.period_id IN (SELECT period_id FROM claimed)
"""
