"""Forms over a subscription that are previewed, and then carried out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, cast

from django import forms

from billing.admin import cells, change_words
from billing.admin.theme import dress
from billing.core import changes
from billing.core.changes import Change
from billing.core.forecast import Foreseen
from billing.core.lifecycle import SubscriptionStatus
from billing.models import InvoiceLine, PaymentMethod, Subscription
from billing.queries import agreements, previews
from billing.queries.previews import Wanted
from billing.services import coupons, rehearsal, schedule
from billing.services.schedule import Wish
from plans.terms import ChangeTime

AT: Final = "AT"
_BEFORE_BILLING: Final = {SubscriptionStatus.INCOMPLETE, SubscriptionStatus.TRIALING}
_NO_METHOD: Final = "There is no payment method: billing waits until the customer adds one."
INSTANT_HELP: Final = "UTC, as 2026-05-01 or 2026-05-01 09:30."


class InstantField(forms.DateTimeField):
    """A point in time, in UTC."""

    def clean(self, value: Any) -> datetime | None:
        """None where nothing is entered."""
        found = super().clean(value)
        return None if found is None else found.astimezone(UTC)


class StepForm(forms.Form):
    """One thing to do to a subscription. Once it is valid, it can be foreseen and carried out.

    :param present: the customer's.
    """

    title: ClassVar[str]
    about: ClassVar[str] = ""

    def __init__(self, data: Any = None, *, subscription: Subscription, present: datetime) -> None:
        super().__init__(data)
        self.subscription = subscription
        self.present = present
        for field in self.fields.values():
            dress(field)

    @property
    def wanted(self) -> Wanted | None:
        """The change that is asked for, as a value; None where it is none."""
        return None

    @property
    def notes(self) -> Sequence[str]:
        """What the preview takes for granted and is not so."""
        row = self.subscription
        if row.status not in _BEFORE_BILLING or row.plan_terms.is_free:
            return ()
        methods = PaymentMethod.objects.usable().filter(customer=row.customer_id)
        return () if methods.exists() else (_NO_METHOD,)

    def foresee(self) -> list[Foreseen]:
        """The invoices that would come of it; nothing is changed.

        :raises BillingError: if it cannot be.
        """
        ends = self.subscription.periods.filter(closed_at=None).values_list("ends_at", flat=True)
        return previews.of_subscription(
            self.subscription, wanted=self.wanted, used={}, until=ends.first()
        )

    def leave(self, *, now: datetime) -> list[InvoiceLine]:
        """The lines that no invoice would take up, by the command itself, undone.

        They wait for one, or are given back by a credit note, where there will be none.
        """
        theirs = InvoiceLine.objects.filter(customer=self.subscription.customer_id, invoice=None)
        given_back = list(theirs.exclude(credit_note=None).values_list("pk", flat=True))
        with rehearsal.undone():
            self.carry_out(by="preview", now=now)
            return list(theirs.exclude(pk__in=given_back).order_by("created_at", "pk"))

    def carry_out(self, *, by: str, now: datetime) -> str:
        """Do it, and say what was done.

        :raises BillingError: if it cannot be; nothing is changed then.
        """
        raise NotImplementedError


class WishForm(StepForm):
    """A change, at once or scheduled."""

    def foresee(self) -> list[Foreseen]:
        """A coupon that cannot be redeemed is refused here, as it would be then."""
        wish = self.wish
        if wish.coupon is not None:
            with rehearsal.undone():
                coupons.redeem(
                    self.subscription,
                    wish.coupon.code,
                    on=wish.plan_version or self.subscription.plan_version,
                    by="preview",
                    now=self.present,
                )
        return super().foresee()

    def carry_out(self, *, by: str, now: datetime) -> str:
        """Change it, or put the change on the timeline."""
        row = schedule.change(self.subscription.pk, self.wish, by=by, now=now)
        words = change_words.what(row)
        if row.settled_at is not None:
            return f"Done: {words}."
        return f"Scheduled for {cells.instant(row.due_at)}: {words}."

    @property
    def wish(self) -> Wish:
        """What is asked for."""
        raise NotImplementedError

    @property
    def wanted(self) -> Wanted:
        """The same as a value."""
        wish, version = self.wish, self.wish.plan_version
        organization = self.subscription.customer.organization_id
        change = Change(
            at=self.present,
            plan=None
            if version is None
            else agreements.plan_of(version, organization_id=organization),
            quantity=wish.quantity,
            anchor=wish.billing_anchor,
            act=wish.act,
            coupon=agreements.supposed_redemption(wish.coupon) if wish.coupon else None,
            charge=wish.charge,
        )
        return lambda agreement: changes.timed(agreement, change, when=wish.when, now=self.present)


class TimedForm(WishForm):
    """One that may be done later, too."""

    usual: ClassVar[str]

    when = forms.ChoiceField(label="When", required=False)
    at = InstantField(label="At this instant", required=False, help_text=INSTANT_HELP)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        when = cast("forms.ChoiceField", self.fields["when"])
        when.choices = [
            ("", self.usual),
            (ChangeTime.NOW.value, "Now"),
            (ChangeTime.PERIOD_END.value, "At the end of the period"),
            (AT, "At the instant below"),
        ]

    def clean(self) -> dict[str, Any]:
        """An instant where one is chosen, and only there; not in the past."""
        cleaned = self.cleaned_data
        if self.errors:
            return cleaned
        at = cleaned["at"]
        if (cleaned["when"] == AT) != (at is not None):
            missing = "Which one?" if at is None else "Choose “At the instant below” for it."
            self.add_error("at", missing)
        elif at is not None and at < self.present:
            self.add_error("at", f"Not before now: {cells.instant(self.present)}.")
        return cleaned

    @property
    def chosen(self) -> ChangeTime | datetime | None:
        """The time; None for what is usual."""
        chosen: str = self.cleaned_data["when"]
        instant: datetime | None = self.cleaned_data["at"]
        return instant or (ChangeTime(chosen) if chosen else None)
