"""House rules as tests: each message says what to do."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
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


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(paths: Iterable[Path], *names: str) -> list[str]:
    """`file:line` of every call of one of the names, bare or as a method."""
    found = []
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                if name in names:
                    found.append(f"{name_of(path)}:{node.lineno}")
    return found


def without(paths: list[Path], *allowed: str) -> list[Path]:
    """The others: what is forbidden elsewhere is done there."""
    return [path for path in paths if name_of(path) not in allowed]


def test_files_fit_on_a_few_screens() -> None:
    long = [
        name_of(path)
        for path in sources(*PACKAGES)
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_FILE
    ]
    assert long == [], f"over {MAX_FILE} lines: split it by noun"


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in sources(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= MAX_FUNCTION
    ]
    assert long == [], f"over {MAX_FUNCTION} lines: take a step out of it"


def test_money_is_never_a_float_nor_rounded_by_python() -> None:
    """Python's `round` goes to the even half; `core.money.round_minor` is the one rounding."""
    charts = [path for path in sources("billing/web") if path.name.startswith("chart")]
    paths = [path for path in sources(*OURS) if path not in charts]
    assert calls(paths, "round", "float", "FloatField") == []


def test_the_system_clock_is_read_in_one_place() -> None:
    readers = ("datetime.now(", "timezone.now(", "time.time(", "date.today(", "utcnow(")
    found = [
        f"{name_of(path)}: {reader}…)"
        for path in without(sources(*OURS), "billing/clock.py")
        for reader in readers
        if reader in path.read_text(encoding="utf-8")
    ]
    assert found == [], "take `now` as an argument"


def test_below_the_entry_points_the_clock_is_an_argument() -> None:
    found = [
        name_of(path)
        for path in sources("billing/core", "billing/services")
        if "from billing import clock" in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_rows_are_locked_in_one_place() -> None:
    others = without(sources("billing"), "billing/services/locks.py")
    assert calls(others, "select_for_update") == [], "lock through billing.services.locks"


def test_customers_are_written_through_the_service_that_tells_of_them() -> None:
    """Elsewhere, no `customer.created` or `customer.updated` would be announced."""
    others = without(sources("billing"), "billing/services/customers.py")
    found = [f"{name_of(path)}:{line}" for path in others for line in customers_written(path)]
    assert found == [], "call billing.services.customers"


def customers_written(path: Path) -> list[int]:
    """The lines that make or change one through `customers.services`."""
    names = {
        name.asname or name.name
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module == "customers"
        for name in node.names
        if name.name == "services"
    }
    return [
        node.lineno
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
        and node.attr in {"create", "update"}
    ]


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
