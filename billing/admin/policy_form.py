"""A dunning policy in form fields: the days as a list, the notices as rows."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from billing.admin.theme import ModelForm, dress
from billing.core import dunning
from billing.core.dunning import MAX_DAYS, MAX_SUBJECT, MAX_TEXT, FinalAct, Notice
from billing.core.errors import InvalidError
from billing.models import DunningPolicy
from billing.queries.dunning import value_of
from plans.models import Plan

_ACTS: Final = {
    FinalAct.NOTHING: "Nothing by itself",
    FinalAct.PAUSE: "Pause the subscription",
    FinalAct.CANCEL: "Cancel the subscription",
    FinalAct.WRITE_OFF: "Write the invoice off and cancel the subscription",
}


class NoticeForm(forms.Form):
    """A row of the notices."""

    after_days = forms.IntegerField(label="After days", min_value=0, max_value=MAX_DAYS)
    subject = forms.CharField(label="Subject", max_length=MAX_SUBJECT)
    text = forms.CharField(label="Text", max_length=MAX_TEXT, widget=forms.Textarea)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)
            field.widget.attrs["aria-label"] = field.label


NOTICES: Final = forms.formset_factory(NoticeForm, extra=2, can_delete=True)


class PolicyForm(ModelForm):
    """A policy and who is dunned by it. `policy` is what a valid form says."""

    days = forms.CharField(
        label="Charge again after days",
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "1, 3, 5"}),
        help_text="After each soft decline, in order. Blank: never. Hard ones are not tried again.",
    )
    plans = forms.ModelMultipleChoiceField(
        Plan.objects.filter(retired_at=None).order_by("tier", "name"),
        label="Plans whose subscribers are dunned by it",
        required=False,
        help_text="A plan that is chosen here leaves the policy it had.",
    )

    policy: dunning.DunningPolicy

    class Meta:
        model = DunningPolicy
        fields = ("name", "grace_days", "final_act", "final_after_days", "is_default")
        labels = {
            "grace_days": "Days of grace",
            "final_act": "In the end",
            "final_after_days": "After days",
            "is_default": "For everybody who has no other",
        }
        help_texts = {"grace_days": "How long access outlives the first failure."}

    class Media:
        css = {"all": ["billing/policy-form.css"]}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"days", "plans"} & self.fields.keys():
            dress(self.fields[name])
        if "final_act" in self.fields:
            self.fields["final_act"].choices = [  # type: ignore[attr-defined]  # a choice field
                (act.value, words) for act, words in _ACTS.items()
            ]
        if not self.instance._state.adding:  # noqa: SLF001  # the key is there before the row
            self.initial = {
                **self.initial,
                "days": ", ".join(map(str, self.instance.retry_after_days)),
                "plans": list(self.instance.plans.values_list("plan_id", flat=True)),
            }
        self.rows = NOTICES(
            self.data if self.is_bound else None,
            prefix="notices",
            initial=dunning.notices_to_json(
                value_of(self.instance).notices if self.instance.notices else ()
            ),
        )

    def clean_name(self) -> str:
        """One that is not taken."""
        name: str = self.cleaned_data["name"]
        if DunningPolicy.objects.filter(name=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is a policy of this name already.")
        return name

    def clean_days(self) -> tuple[int, ...]:
        """Whole numbers with commas between them."""
        parts = [part.strip() for part in self.cleaned_data["days"].split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
            raise forms.ValidationError("Whole numbers with commas between them: 1, 3, 5.")
        return tuple(int(part) for part in parts)

    def clean(self) -> dict[str, Any]:
        """Read the policy as a whole."""
        cleaned = super().clean() or {}
        if not self.rows.is_valid():
            self.add_error(None, "Please mend the notices that are marked below.")
        if self.errors:
            return cleaned
        self.policy = dunning.DunningPolicy(
            name=cleaned["name"],
            retry_after_days=cleaned["days"],
            grace_days=cleaned["grace_days"],
            notices=self._notices(),
            final_act=FinalAct(cleaned["final_act"]),
            final_after_days=cleaned["final_after_days"],
        )
        try:
            dunning.require_sound(self.policy)
        except InvalidError as error:
            for name, sentences in error.errors.items():
                shown = "days" if name == "retry_after_days" else name
                self.add_error(shown if shown in self.fields else None, sentences)
        return cleaned

    def _post_clean(self) -> None:
        """The service writes the row, and lets the former default go first."""

    def _notices(self) -> tuple[Notice, ...]:
        kept = [
            Notice(**{name: form.cleaned_data[name] for name in form.fields if name != "DELETE"})
            for form in self.rows.forms
            if form.cleaned_data and form not in self.rows.deleted_forms
        ]
        return tuple(sorted(kept, key=lambda notice: notice.after_days))
