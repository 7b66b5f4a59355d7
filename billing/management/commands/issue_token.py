"""`manage.py issue_token "shop backend"`: a new API token, shown once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import clock
from billing.services import tokens
from customers.models import Customer


class Command(BaseCommand):
    """Writes the token and nothing else to standard output."""

    help = "Make an API token: an operator's, or one customer's. It is shown this once only."

    def add_arguments(self, parser: CommandParser) -> None:
        """What the token is for, and what it may do."""
        parser.add_argument("name", help="what it is for, as records will name it")
        parser.add_argument("--customer", metavar="ORGANIZATION", help="whose; an operator's else")
        parser.add_argument("--read-only", action="store_true", help="it may not write")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        organization_id = options["customer"]
        customer = Customer.objects.filter(organization_id=organization_id).first()
        if organization_id is not None and customer is None:
            raise CommandError(f"There is no customer of organization {organization_id!r}.")
        _, text = tokens.issue(
            options["name"],
            now=clock.now(),
            customer=customer,
            is_read_only=options["read_only"],
        )
        self.stdout.write(text)
