"""Sentences in which code stands between backticks."""

from __future__ import annotations

import re
from typing import Final

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_MARKED: Final = re.compile("`([^`]+)`")


@register.filter
def prose(sentence: str) -> SafeString:
    """`…` as code; everything else as it is."""
    return mark_safe(_MARKED.sub(r"<code>\1</code>", escape(sentence)))  # noqa: S308  # escaped
