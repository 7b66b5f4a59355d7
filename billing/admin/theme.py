"""django-unfold, which ships no types, and Django's generics, which are none at run time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.http import HttpRequest, HttpResponseBase
from unfold.decorators import action as unfold_action
from unfold.enums import ActionVariant
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES, SWITCH_CLASSES

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _ModelAdmin
    from django.contrib.admin import StackedInline as _StackedInline
    from django.contrib.admin.views.main import ChangeList
    from django.core.paginator import Paginator as _Paginator
    from django.forms import CheckboxSelectMultiple

    ModelForm = forms.ModelForm[Any]
    Paginator = _Paginator[Any]
    StackedInline = _StackedInline[Any, Any]

    class ModelAdmin(_ModelAdmin[Any]):
        """Unfold's, as far as ours reaches into it."""

        def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]: ...

    class DialogForm(forms.Form):
        """What a dialog asks; made by unfold with the request and the object's id."""

        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
else:
    from django.core.paginator import Paginator
    from django.forms import ModelForm
    from unfold.admin import ModelAdmin, StackedInline
    from unfold.forms import BaseDialogForm as DialogForm
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple

__all__ = [
    "ChangeList",
    "CheckboxSelectMultiple",
    "DialogForm",
    "ModelAdmin",
    "ModelForm",
    "Paginator",
    "StackedInline",
    "dialog_action",
    "dress",
    "file_action",
    "page_action",
]

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])


def dialog_action(
    title: str, question: str, *, icon: str, is_danger: bool = False, form: type | None = None
) -> Callable[[_View], _View]:
    """A button on an object's page that asks before it acts.

    Asking is a GET and changes nothing; only the dialog's POST, which carries the CSRF token,
    reaches the method. It needs the change permission (`has_act_permission`).
    """
    decorated: Callable[[_View], _View] = unfold_action(
        description=title,
        permissions=["act"],
        icon=icon,
        variant=ActionVariant.DANGER if is_danger else ActionVariant.DEFAULT,
        dialog={
            "title": title,
            "description": question,
            "form_class": form,
            "form_submit_text": title,
        },
    )
    return decorated


def page_action(title: str, *, icon: str, is_danger: bool = False) -> Callable[[_View], _View]:
    """A button on an object's page that leads to a page of its own, which the method answers.

    It needs the change permission (`has_act_permission`), to look as well as to send.
    """
    decorated: Callable[[_View], _View] = unfold_action(
        description=title,
        permissions=["act"],
        icon=icon,
        variant=ActionVariant.DANGER if is_danger else ActionVariant.DEFAULT,
    )
    return decorated


def file_action(title: str, *, icon: str) -> Callable[[_View], _View]:
    """A button on an object's page that leads to a file; who may view the object may have it."""
    decorated: Callable[[_View], _View] = unfold_action(
        description=title, permissions=["view"], icon=icon, variant=ActionVariant.DEFAULT
    )
    return decorated


def dress(field: forms.Field) -> None:
    """Give a field the theme's looks, if it is no model's and lacks them; texts are kept low."""
    classes = INPUT_CLASSES
    if isinstance(field.widget, forms.Select):
        classes = SELECT_CLASSES
    elif isinstance(field.widget, forms.CheckboxInput):
        classes = SWITCH_CLASSES
    field.widget.attrs.setdefault("class", " ".join(classes))
    if isinstance(field.widget, forms.Textarea):
        field.widget.attrs["rows"] = 3
