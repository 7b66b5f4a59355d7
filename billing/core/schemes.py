"""What a brand's one colour gives to the pages, light and dark, so that all text can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from billing.core import colours


@dataclass(frozen=True, slots=True)
class Scheme:
    """Values for the properties of the style sheet.

    :param paper: the ground of the page.
    :param brand: the colour itself, as the ground of buttons.
    :param ink: what is written on it.
    :param wash: a ground with a breath of it.
    :param accent: the colour as text: darkened or lightened as far as its grounds ask.
    """

    paper: str
    brand: str
    ink: str
    wash: str
    accent: str


# The grounds of text in `bursar.css`, which a test holds to these: paper, what is raised from it,
# and the washes of warnings.
LIGHT: Final = ("#faf9f6", "#ffffff", "#fbf0d9", "#fbe7e4")
DARK: Final = ("#121715", "#1a211e", "#3a2f16", "#432020")


def light(colour: str) -> Scheme:
    """By day."""
    return _scheme(colour, LIGHT, hundredths=10)


def dark(colour: str) -> Scheme:
    """By night."""
    return _scheme(colour, DARK, hundredths=16)


def _scheme(colour: str, grounds: Sequence[str], *, hundredths: int) -> Scheme:
    wash = colours.mixed(grounds[0], colour, hundredths=hundredths)
    return Scheme(
        paper=grounds[0],
        brand=colour,
        ink=colours.ink_on(colour),
        wash=wash,
        accent=colours.readable_on([*grounds, wash], colour),
    )
