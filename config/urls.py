"""Mounts pages, API, webhooks and admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from billing import webhooks
from billing.web import error_codes, health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("billing.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/docs/errors", error_codes.error_codes, name="error_codes"),
    path("api/", include("billing.api.nowhere")),
    path("webhooks/<slug:gateway>/", webhooks.receive, name="webhook"),
    path("healthz", health.healthz, name="healthz"),
    path("billing/", include("billing.api.prism.urls")),
    path("", include("billing.web.urls")),
]
