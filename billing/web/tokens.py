"""API tokens of a customer's own: made, rotated and revoked; their texts are shown once."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from billing import clock
from billing.core.errors import BillingError
from billing.models import ApiToken
from billing.models.token import TokenStatus
from billing.services import tokens
from billing.web.members import Member
from billing.web.pages import command, form_page, page, see
from billing.web.words import Badge, Tone

_ENDED_SHOWN: Final = 20
_BADGES: Final = {
    TokenStatus.ACTIVE: Badge("Active", Tone.GOOD),
    TokenStatus.EXPIRED: Badge("Expired", Tone.QUIET),
    TokenStatus.REVOKED: Badge("Revoked", Tone.QUIET),
}


class TokenForm(forms.Form):
    """What a new one is for, and what it may do."""

    LIVES: ClassVar[dict[str, timedelta | None]] = {
        "": None,
        "30": timedelta(days=30),
        "90": timedelta(days=90),
        "365": timedelta(days=365),
    }

    name = forms.CharField(
        label="Name", max_length=120, help_text="What it is for: you will know it by this."
    )
    is_read_only = forms.BooleanField(label="It may only read", required=False)
    life = forms.ChoiceField(
        label="Expires",
        required=False,
        choices=[("", "never"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year")],
    )

    def expires_at(self, now: datetime) -> datetime | None:
        """When it shall expire."""
        life = self.LIVES[self.cleaned_data["life"]]
        return None if life is None else now + life


class RotationForm(forms.Form):
    """How long both are taken."""

    OVERLAPS: ClassVar[dict[str, timedelta]] = {
        "day": tokens.OVERLAP,
        "week": timedelta(days=7),
        "month": tokens.LONGEST_OVERLAP,
        "none": timedelta(),
    }

    overlap = forms.ChoiceField(
        label="The old one ends",
        choices=[
            ("day", "in 24 hours"),
            ("week", "in 7 days"),
            ("month", "in 30 days"),
            ("none", "at once"),
        ],
    )


@form_page
def listed(request: HttpRequest, member: Member) -> HttpResponse:
    """Those that are taken, those that ended lately, and the form for a new one."""
    now = clock.now()
    form = TokenForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            token, text = tokens.issue(
                form.cleaned_data["name"],
                now=now,
                customer=member.customer,
                is_read_only=form.cleaned_data["is_read_only"],
                expires_at=form.expires_at(now),
                by=member.by,
            )
        except BillingError as error:
            form.add_error(None, error.detail)
        else:
            return _shown_once(request, member, token, text)
    rows = ApiToken.objects.filter(customer=member.customer).order_by("-created_at", "-pk")
    active = rows.in_force(now)
    ended = rows.exclude(pk__in=active.values("pk"))[:_ENDED_SHOWN]
    context = {
        "member": member,
        "form": form,
        "rows": [(row, _BADGES[row.status_at(now)]) for row in (*active, *ended)],
    }
    return _form_shown(request, "billing/tokens.html", form, context)


@form_page
def rotate(request: HttpRequest, member: Member, token_id: UUID) -> HttpResponse:
    """Ask how long both shall be taken; then show the new one."""
    token = _theirs(member, token_id)
    form = RotationForm(request.POST or None)
    if form.is_bound and form.is_valid():
        overlap = RotationForm.OVERLAPS[form.cleaned_data["overlap"]]
        try:
            successor, text = tokens.rotate(
                token.pk, now=clock.now(), overlap=overlap, by=member.by
            )
        except BillingError as error:
            form.add_error(None, error.detail)
        else:
            return _shown_once(request, member, successor, text)
    context = {"member": member, "form": form, "token": token}
    return _form_shown(request, "billing/token_rotation.html", form, context)


@page
def confirm_revocation(request: HttpRequest, member: Member, token_id: UUID) -> HttpResponse:
    """Are they sure?"""
    context = {"member": member, "token": _theirs(member, token_id)}
    return render(request, "billing/token_revocation.html", context)


@command(back="billing_tokens")
def revoke(request: HttpRequest, member: Member, token_id: UUID) -> HttpResponse:
    """Refuse it from now on."""
    token = _theirs(member, token_id)
    tokens.revoke(token, now=clock.now(), by=member.by)
    messages.success(request, f"{token} is revoked.")
    return see("billing_tokens")


def _theirs(member: Member, token_id: UUID) -> ApiToken:
    return get_object_or_404(ApiToken, pk=token_id, customer=member.customer)


def _shown_once(request: HttpRequest, member: Member, token: ApiToken, text: str) -> HttpResponse:
    """The text stands in this answer alone: no message and no session ever holds it."""
    context = {"member": member, "token": token, "text": text}
    return render(request, "billing/token_made.html", context)


def _form_shown(
    request: HttpRequest, template: str, form: forms.Form, context: dict[str, Any]
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, template, context, status=status)
