"""How periods are written on pages: by their first and last day, in the active time zone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format

register = template.Library()
_INSTANT = timedelta(microseconds=1)


@register.filter
def day(instant: datetime) -> str:
    """`25 April 2026`."""
    return date_format(timezone.localtime(instant), "j F Y")


@register.filter
def moment(instant: datetime) -> str:
    """`25 April 2026, 09:00 CEST`."""
    return date_format(timezone.localtime(instant), "j F Y, H:i T")


@register.filter
def until(start: datetime, end: datetime) -> str:
    """The days from `start` to the last one before `end`: `11 – 30 April 2026`."""
    first, last = timezone.localtime(start), timezone.localtime(end - _INSTANT)
    if first.date() == last.date():
        return day(start)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} – {date_format(last, 'j F Y')}"
    form = "j F" if first.year == last.year else "j F Y"
    return f"{date_format(first, form)} – {date_format(last, 'j F Y')}"
