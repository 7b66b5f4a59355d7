"""Forms of the pages: they check shape, not business."""

from __future__ import annotations

from django import forms


class SignupForm(forms.Form):
    """What allauth asks for beyond e-mail and password."""

    def signup(self, request: object, user: object) -> None:
        """Replaced below."""
