"""Coupons: made by the catalogue's service, settled for good, and retired."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns
from billing.admin.base import OperatorAdmin, by
from billing.admin.tables import SHOWN, Table
from billing.admin.theme import ModelForm, dialog_action, dress
from billing.core.errors import InvalidError
from billing.core.figures import plain, rate
from billing.core.money import Money, exponent
from billing.models import Redemption
from plans import services
from plans.models import Coupon, Plan
from plans.services import CouponTerms
from plans.terms import InvalidTermsError

_TERMS: Final = (
    "percent_off",
    "amount_off",
    "currency",
    "duration",
    "periods",
    "max_redemptions",
    "expires_at",
)


class CouponForm(ModelForm):
    """What a coupon takes off, for how long, and who may redeem it."""

    plans = forms.ModelMultipleChoiceField(
        Plan.objects.filter(retired_at=None).order_by("tier", "name"),
        label="Only for these plans",
        required=False,
        help_text="None chosen: for all.",
    )

    class Meta:
        model = Coupon
        fields = ("code", *_TERMS)
        labels = {
            "percent_off": "Percent off",
            "amount_off": "or an amount off each period",
            "periods": "Periods, if it repeats",
            "max_redemptions": "May be redeemed so many times",
            "expires_at": "Cannot be redeemed from, UTC",
        }
        help_texts = {"code": "What people type. Capital and small letters are the same."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "plans" in self.fields:
            dress(self.fields["plans"])

    def clean_code(self) -> str:
        """One that is not taken, be it by a retired coupon."""
        code: str = self.cleaned_data["code"]
        if services.coupon_named(code) is not None:
            raise forms.ValidationError("There is a coupon of this code already.")
        return code

    def clean_currency(self) -> str:
        """A currency that there is, or none."""
        code: str = self.cleaned_data["currency"].upper()
        try:
            if code:
                exponent(code)
        except InvalidError as error:
            raise forms.ValidationError(error.detail) from None
        return code

    def clean(self) -> dict[str, Any]:
        """Read the terms as a whole. The model's constraints say the same, in words for us."""
        cleaned = self.cleaned_data
        if self.errors:
            return cleaned
        entered = {name: cleaned[name] for name in _TERMS}
        try:
            self.terms = CouponTerms(**entered, plans=tuple(p.pk for p in cleaned["plans"]))
            if self.terms.amount_off is not None:
                Money.parse(self.terms.amount_off, self.terms.currency)
        except InvalidTermsError as error:
            for name, sentences in error.errors.items():
                self.add_error(name, sentences)
        except InvalidError as error:
            self.add_error("amount_off", error.detail)
        return cleaned


def _off(coupon: Coupon) -> str:
    if coupon.percent_off is not None:
        return f"{plain(coupon.percent_off)} %"
    amount = rate(coupon.amount_off or Decimal(0), exponent(coupon.currency))
    return f"{amount} {coupon.currency}"


def _duration(coupon: Coupon) -> str:
    if coupon.periods is not None:
        return f"{coupon.periods} periods"
    return "once" if coupon.duration == Coupon.Duration.ONCE else "for ever"


def _redeemed(coupon: Coupon) -> str:
    most = coupon.max_redemptions
    return f"{coupon.redemptions}" if most is None else f"{coupon.redemptions} of {most}"


def _plans(coupon: Coupon) -> str:
    names = Plan.objects.filter(pk__in=coupon.plan_ids).order_by("tier", "name")
    return ", ".join(plan.name for plan in names) if coupon.plan_ids else "all"


@admin.register(Coupon)
class CouponAdmin(OperatorAdmin):
    """Discounts that may be redeemed."""

    form = CouponForm
    compressed_fields = False
    list_display = (
        "code",
        columns.computed("Takes off", _off),
        columns.computed("Holds", _duration),
        columns.computed("Redeemed", _redeemed),
        columns.instant("expires_at", "expires"),
        columns.computed(
            "Status", lambda coupon: cells.status("RETIRED" if coupon.retired_at else "ACTIVE")
        ),
    )
    list_filter = ("duration", ("retired_at", admin.EmptyFieldListFilter))
    search_fields = ("code",)
    ordering = ("code",)
    actions_detail = ("retire",)
    fields = (
        "code",
        ("percent_off", "amount_off", "currency"),
        ("duration", "periods"),
        ("max_redemptions", "expires_at"),
        "plans",
    )
    shown = (
        "code",
        columns.computed("Takes off", _off),
        columns.computed("Holds", _duration),
        columns.computed("Redeemed", _redeemed),
        columns.instant("expires_at", "expires"),
        columns.computed("Plans", _plans),
        columns.instant("created_at"),
        "created_by",
        columns.instant("retired_at"),
    )

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """A coupon is retired, never changed."""
        return False

    def get_fields(self, request: HttpRequest, obj: Coupon | None = None) -> tuple[Any, ...]:
        """What a new one needs; what there is to say of an old one."""
        return self.fields if obj is None else (self.shown[:4], self.shown[4:6], self.shown[6:])

    def get_readonly_fields(
        self, request: HttpRequest, obj: Coupon | None = None
    ) -> tuple[Any, ...]:
        """All of an old one."""
        return () if obj is None else self.shown

    def tables(self, obj: Coupon) -> list[Table]:
        """Whose subscriptions it is at work on."""
        rows = Redemption.objects.filter(coupon=obj).select_related("subscription__customer")
        found = rows.order_by("-pk")[:SHOWN]
        cells_of = [
            [
                cells.link(row.subscription.customer),
                cells.link(row.subscription),
                "for ever" if row.periods_left is None else f"{row.periods_left}",
                cells.instant(row.created_at),
            ]
            for row in found
        ]
        headers = ["Customer", "Subscription", "#Periods left", "Redeemed"]
        return [Table(Redemption, "At work on", headers, cells_of)]

    def save_model(
        self,
        request: HttpRequest,
        obj: Coupon,
        form: CouponForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Make it by its service."""
        made = services.create_coupon(
            form.cleaned_data["code"], terms=form.terms, by=by(request), now=clock.now()
        )
        obj.pk = made.pk

    def is_offered(self, action: str, obj: Coupon) -> bool:
        """Once."""
        return obj.retired_at is None

    @dialog_action(
        "Retire",
        "Nobody can redeem this coupon any more. Whoever has it keeps it. This cannot be undone.",
        icon="block",
        is_danger=True,
    )
    def retire(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Let nobody redeem it any more."""

        def command(coupon: Coupon) -> str:
            services.retire_coupon(coupon.pk, now=clock.now())
            return "The coupon is retired."

        return self.act(request, object_id, command)
