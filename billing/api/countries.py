"""The validator of countries' codes."""

from __future__ import annotations

from rest_framework import serializers

from customers import countries


def country(code: str) -> None:
    """A serializer's validator.

    :raises ValidationError: with code `unknown_country`.
    """
    if code not in countries.codes():
        raise serializers.ValidationError("An ISO 3166 alpha-2 code, like “GB”.", "unknown_country")
