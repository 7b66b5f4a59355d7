"""`manage.py export_customer ID`: everything that is held on a customer, as JSON."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser

from billing import clock
from billing.management.commands.export import customer_named, written
from billing.queries import personal


class Command(BaseCommand):
    """What `GET /customers/{id}/export` streams, to a file or to the output."""

    help = "Export everything that is held on a customer, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and where to."""
        parser.add_argument("customer", help="an id, or an organization's")
        parser.add_argument("--output", default="-", metavar="FILE", help="“-” for the output")
        parser.add_argument("--no-progress", action="store_true", help="show no progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        customer_id: UUID = customer_named(options["customer"])
        content = personal.export(customer_id, now=clock.now())
        written(content, options, stdout=self.stdout)
