"""Every page opens, in a constant number of queries, for those who may see it and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries  # noqa: F401

from billing.models import (
    Allocation,
    BillingPeriod,
    Invoice,
    InvoiceSeries,
    JournalEntry,
    JournalLine,
    LedgerAccount,
    Payment,
    PaymentAttempt,
    Seller,
    Subscription,
    UsageDay,
    UsageEvent,
    UsageTotal,
)
from tests.admin.conftest import Story
from tests.admin.urls_of import add, change, changelist

pytestmark = pytest.mark.django_db(transaction=True)
