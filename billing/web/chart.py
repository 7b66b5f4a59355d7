"""Usage over a period as a drawing: plain SVG, coloured by the page's style sheet alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from xml.etree import ElementTree as Xml

import pygal
from django.utils.safestring import SafeString, mark_safe

from billing.queries.usage import Day

# Pygal leaves an importer for map plug-ins behind, of a kind that Python only warns about.
sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, pygal.PluginImportFixer)]

_SHAPES: Final = frozenset({"g", "path", "circle", "rect", "text"})
_HEADROOM: Final = 1.1
_LABELS: Final = 6


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn: the running total of each day so far, and the allowance as a line.

    :param last: the last day of the period, to which the axis goes.
    :param title: what a screen reader says; the figures stand in a table beside it.
    """

    days: Sequence[Day]
    last: date
    included: Fraction | None
    title: str


def draw(drawing: Drawing) -> SafeString:
    """The drawing as an `<svg>` element without script or style."""
    axis = list(_dates(drawing.days[0].day, drawing.last))
    used = [float(day.running) for day in drawing.days]
    included = None if drawing.included is None else float(drawing.included)
    chart = _empty(max(used) if included is None else max([*used, included]))
    chart.x_labels = [f"{day.day} {day:%b}" for day in axis]
    chart.x_labels_major_every = max(1, len(axis) // _LABELS)
    rest = [None] * (len(axis) - len(used))
    chart.add("area", [*used, *rest], fill=True, show_dots=False)
    chart.add("used", [*used, *rest])
    if included is not None:
        chart.add("included", [included] * len(axis), show_dots=False)
    root = chart.render_tree()
    _strip(root, drawing)
    return mark_safe(Xml.tostring(root, encoding="unicode"))  # noqa: S308  # our own drawing


def _empty(top: float) -> pygal.Line:
    return pygal.Line(
        js=(),
        css=(),
        no_prefix=True,
        width=720,
        height=300,
        truncate_label=-1,
        margin=6,
        margin_right=40,
        spacing=12,
        range=(0, top * _HEADROOM if top else 10),
        max_scale=5,
        missing_value_fill_truncation="either",  # the area ends where the line does
        dots_size=3,
        show_legend=False,
        show_minor_x_labels=False,
        formatter=lambda value: f"{Decimal(str(value)):,f}",
        style=pygal.style.Style(label_font_size=24, major_label_font_size=24),
    )


def _dates(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _strip(root: Xml.Element, drawing: Drawing) -> None:
    """Leave shapes, texts and classes; what a script or an inline style would need goes."""
    for parent in list(root.iter()):
        parent.attrib.pop("style", None)
        for child in list(parent):
            if not _is_shape(child):
                parent.remove(child)
    root.attrib.pop("id", None)
    root.attrib.update({"role": "img", "aria-label": drawing.title, "class": "chart"})


def _is_shape(element: Xml.Element) -> bool:
    is_overlay = "tooltip-overlay" in element.attrib.get("class", "")
    return element.tag in _SHAPES and not is_overlay
