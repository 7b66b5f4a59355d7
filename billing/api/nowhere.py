"""Any other address under `/api/` is answered as a problem, not as a page."""

from __future__ import annotations

from django.urls import re_path

from billing.api.endpoint import Nowhere

urlpatterns = [re_path(r"", Nowhere.as_view())]
