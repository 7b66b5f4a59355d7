"""House rules as tests: each message says what to do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [
    "billing",
    "config",
    "customers",
    "paypal_sandbox",
    "plans",
    "stripe_sandbox",
    "supervisor",
    "tests",
]
OURS = ["plans", "customers", "billing"]
BELOW = {
    "plans": {"plans"},
    "customers": {"customers"},
    "billing": {"plans", "customers", "billing"},
}
MAX_FILE, MAX_FUNCTION = 400, 50


def sources(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.as_posix()
    ]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(path: Path, *names: str) -> list[str]:
    """`file:line` of every call of one of the names, bare or as a method."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in names:
                found.append(f"{name_of(path)}:{node.lineno}")
    return found


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)
def test_files_and_functions_fit_on_a_screen(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_FILE, "split it by noun"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION, f"{node.name} has {length} lines: take a step out of it"


@pytest.mark.parametrize("path", sources("billing", "plans", "customers"), ids=name_of)
def test_money_is_never_a_float_nor_rounded_by_python(path: Path) -> None:
    """Python's `round` goes to the even half; `core.money.round_minor` is the one rounding."""
    found = calls(path, "round", "float", "FloatField")
    assert found == [] or name_of(path).startswith("billing/web/chart"), found


@pytest.mark.parametrize("path", sources("billing", "plans", "customers"), ids=name_of)
def test_the_system_clock_is_read_in_one_place(path: Path) -> None:
    allowed = {"billing/clock.py"}
    if name_of(path) in allowed:
        return
    text = path.read_text(encoding="utf-8")
    for reader in ("datetime.now(", "timezone.now(", "time.time(", "date.today(", "utcnow("):
        assert reader not in text, f"{reader}…): take `now` as an argument"


@pytest.mark.parametrize("path", sources("billing/core", "billing/services"), ids=name_of)
def test_below_the_entry_points_the_clock_is_an_argument(path: Path) -> None:
    assert "from billing import clock" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sources("billing"), ids=name_of)
def test_rows_are_locked_in_one_place(path: Path) -> None:
    if name_of(path) != "billing/services/locks.py":
        assert calls(path, "select_for_update") == [], "lock through billing.services.locks"


@pytest.mark.parametrize("path", sources("billing"), ids=name_of)
def test_customers_are_written_through_the_service_that_tells_of_them(path: Path) -> None:
    """Here, no `customer.created` or `customer.updated` would be announced."""
    if name_of(path) == "billing/services/customers.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "customers"
        for name in node.names
        if name.name == "services"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            is_written = node.value.id in names and node.attr in {"create", "update"}
            assert not is_written, "call billing.services.customers"


def our_models() -> list[type[models.Model]]:
    return [model for label in OURS for model in apps.get_app_config(label).get_models()]


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_relations_point_downwards_and_leave_no_way_up(model: type[models.Model]) -> None:
    """String relations escape the import contracts; this closes the hole."""
    for field in model._meta.get_fields():
        if not isinstance(field, models.ForeignKey) or field.model is not model:
            continue
        target = field.related_model._meta.app_label
        if target in OURS:
            assert target in BELOW[model._meta.app_label], f"{field} points up"
        assert target != "djstripe", f"{field}: keep Stripe's ids as text"
        if target != model._meta.app_label and target in OURS:
            assert field.remote_field.related_name in {"+", "payment_methods"}, (
                f"{field}: related_name='+', so that the lower app cannot reach up"
            )


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_columns_are_named_for_what_they_hold(model: type[models.Model]) -> None:
    for field in model._meta.local_concrete_fields:
        assert not isinstance(field, models.FloatField), field
        if field.name.endswith("_minor"):
            assert isinstance(field, models.BigIntegerField), field
        if isinstance(field, models.DateTimeField) and field.name not in {
            "now", "trial_start", "trial_end", "billing_anchor", "period_start", "period_end",
            "last_login", "date_joined",
        }:  # fmt: skip  # the words of api.md and of Django
            assert field.name.endswith(("_at", "_until")), field
        if isinstance(field, models.BooleanField):
            assert field.name.startswith(("is_", "has_", "makes_")), field


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_models_decide_nothing(model: type[models.Model]) -> None:
    assert "save" not in vars(model), "no save() overrides: write a service"
    assert not model._meta.ordering, "no default ordering: say it where it matters"
