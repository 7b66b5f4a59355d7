"""What operators may ask of a subscription, one form for each."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final, cast

from django import forms
from django.db.models import Q

from billing.admin import cells, change_words, wording
from billing.admin.change_forms import INSTANT_HELP, InstantField, StepForm, TimedForm, WishForm
from billing.core.changes import Act
from billing.core.errors import InvalidError
from billing.core.forecast import Foreseen
from billing.models import ScheduledChange, Subscription
from billing.queries import previews
from billing.services import coupons, rehearsal, schedule
from billing.services.schedule import Wish
from plans.models import Coupon, Plan, PlanVersion
from plans.terms import MAX_QUANTITY, ChangeCharge

_BY_PLAN: Final = "As the plan says"
_CHARGES: Final = [
    ("", _BY_PLAN),
    *((charge.value, words.capitalize()) for charge, words in change_words.CHARGES.items()),
]


class PlanField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic to the checker only
    """Plans by name and price."""

    def label_from_instance(self, obj: Plan) -> str:
        """`Pro: 30.00 USD per month`."""
        return f"{obj.name}: {wording.price(obj.terms)}"


class PlanForm(TimedForm):
    """Another plan, its newest version, or another quantity."""

    title = "Change plan"
    about = "To another plan, to the newest version of the same, or to another quantity."
    usual = _BY_PLAN

    plan = PlanField(Plan.objects.none(), label="Plan", required=False)
    quantity = forms.IntegerField(
        label="Quantity", required=False, min_value=1, max_value=MAX_QUANTITY
    )
    charge = forms.ChoiceField(label="What it costs", required=False, choices=_CHARGES)
    field_order = ("plan", "quantity", "when", "at", "charge")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan = cast("PlanField", self.fields["plan"])
        current = self.subscription.plan_version
        plan.queryset = _plans(self.subscription)
        plan.empty_label = f"As it is: {self.subscription.plan_name}, version {current.number}"
        self.fields["quantity"].widget.attrs["placeholder"] = f"{self.subscription.quantity}"
        self.fields["quantity"].help_text = "Empty: as it is."

    @property
    def wish(self) -> Wish:
        """What is asked for."""
        entered = self.cleaned_data
        return Wish(
            when=self.chosen,
            plan_version=_newest(entered["plan"]),
            quantity=entered["quantity"],
            charge=ChangeCharge(entered["charge"]) if entered["charge"] else None,
        )


class CouponForm(WishForm):
    """A coupon, to be at work from now on."""

    title = "Redeem coupon"
    about = "It is at work from the next invoice on."

    code = forms.CharField(label="Code", max_length=64)

    def clean_code(self) -> Coupon:
        """A coupon that there is."""
        try:
            return coupons.find(self.cleaned_data["code"])
        except InvalidError as error:
            raise forms.ValidationError(error.detail) from None

    @property
    def wish(self) -> Wish:
        """What is asked for."""
        return Wish(when=self.present, coupon=self.cleaned_data["code"])


class BillingDayForm(TimedForm):
    """Another day that periods are counted from."""

    title = "Move the billing day"
    about = "The period up to the new day is short, and so is its price."
    usual = "At the end of the period"

    day = InstantField(label="Count periods from", help_text=INSTANT_HELP)
    charge = forms.ChoiceField(label="What it costs", required=False, choices=_CHARGES)
    field_order = ("day", "when", "at", "charge")

    @property
    def wish(self) -> Wish:
        """What is asked for."""
        charge = self.cleaned_data["charge"]
        return Wish(
            when=self.chosen,
            billing_anchor=self.cleaned_data["day"],
            charge=ChangeCharge(charge) if charge else None,
        )


class _ActForm(TimedForm):
    act: ClassVar[Act]

    @property
    def wish(self) -> Wish:
        """What is asked for."""
        return Wish(when=self.chosen, act=self.act)


class CancelForm(_ActForm):
    """Its end."""

    title = "Cancel"
    about = "What was used is billed then. A canceled subscription cannot be taken up again."
    usual = "At the end of the period, as usual"
    act = Act.CANCEL


class PauseForm(_ActForm):
    """Nothing is granted or due while it is paused."""

    title = "Pause"
    about = "While it is paused, nothing is granted or due."
    usual = "Now, as usual"
    act = Act.PAUSE


class ResumeForm(_ActForm):
    """The end of a pause."""

    title = "Resume"
    about = "The rest of the running interval is charged in proportion."
    usual = "Now, as usual"
    act = Act.RESUME


class TrialEndForm(StepForm):
    """Another end of the trial."""

    title = "Move the end of the trial"
    about = "Earlier or later; billing begins then."

    at = InstantField(label="The trial ends", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ends = cells.instant(self.subscription.trial_end)
        self.fields["at"].help_text = f"{INSTANT_HELP} Empty: now. So far: {ends}."

    def clean_at(self) -> datetime | None:
        """Not in the past."""
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and at < self.present:
            raise forms.ValidationError(f"Not before now: {cells.instant(self.present)}.")
        return at

    def foresee(self) -> list[Foreseen]:
        """By the command itself, undone: a preview cannot suppose another end of a trial."""
        with rehearsal.undone():
            schedule.set_trial_end(
                self.subscription.pk, self.cleaned_data["at"], by="preview", now=self.present
            )
            moved = Subscription.objects.readable().get(pk=self.subscription.pk)
            return previews.of_subscription(moved, wanted=None, used={})

    def carry_out(self, *, by: str, now: datetime) -> str:
        """Move it."""
        moved = schedule.set_trial_end(
            self.subscription.pk, self.cleaned_data["at"], by=by, now=now
        )
        return f"The trial ends at {cells.instant(moved.trial_end)}."


class RetryForm(WishForm):
    """A change that failed, once more and at once."""

    title = "Try again"
    about = "It takes effect now."

    def __init__(self, *args: Any, row: ScheduledChange, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row

    @property
    def wish(self) -> Wish:
        """What was asked for, now."""
        row = self.row
        return Wish(
            when=self.present,
            plan_version=row.plan_version,
            quantity=row.quantity,
            coupon=row.coupon,
            billing_anchor=row.billing_anchor,
            act=Act(row.act) if row.act else None,
            charge=ChangeCharge(row.charge) if row.charge else None,
        )

    def carry_out(self, *, by: str, now: datetime) -> str:
        """Try it."""
        done = schedule.retry(self.subscription.pk, self.row.pk, by=by, now=now)
        return f"Done: {change_words.what(done)}."


def _plans(subscription: Subscription) -> Any:
    """What is on sale for the customer, and the plan that there is."""
    organization = subscription.customer.organization_id
    on_sale = Plan.objects.on_sale(organization).values("pk")
    own = Q(pk=subscription.plan_version.plan_id)
    rows = Plan.objects.filter(Q(pk__in=on_sale) | own, current__isnull=False)
    return rows.select_related("current").order_by("tier", "name")


def _newest(plan: Plan | None) -> PlanVersion | None:
    """A plan's newest version, with the plan at hand."""
    if plan is None or plan.current is None:
        return None
    plan.current.plan = plan
    return plan.current
