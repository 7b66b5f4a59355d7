"""Mounts pages, API, webhooks and admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from billing import webhooks

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("webhooks/<slug:gateway>/", webhooks.receive, name="webhook"),
]
