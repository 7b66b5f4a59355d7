"""Addresses of the admin's pages."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.urls import reverse

Model = type[models.Model]


def registered(*labels: str) -> list[Model]:
    """The models that have pages, of these applications or of all."""
    return [
        model for model in admin.site._registry if not labels or model._meta.app_label in labels
    ]


def changelist(model: Model) -> str:
    """A model's list."""
    return reverse(f"admin:{_name(model)}_changelist")


def add(model: Model) -> str:
    """A model's form for a new row."""
    return reverse(f"admin:{_name(model)}_add")


def change(row: models.Model) -> str:
    """A row's page."""
    return reverse(f"admin:{_name(type(row))}_change", args=[row.pk])


def delete(row: models.Model) -> str:
    """Where a row would be deleted."""
    return reverse(f"admin:{_name(type(row))}_delete", args=[row.pk])


def action(row: models.Model, name: str) -> str:
    """A button on a row's page."""
    return reverse(f"admin:{_name(type(row))}_{name}", args=[row.pk])


def _name(model: Model) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"
