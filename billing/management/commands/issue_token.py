"""`manage.py issue_token "shop backend"`: a new API token, shown once."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import clock
from billing.core.errors import BillingError
from billing.services import tokens
from customers.models import Customer

_MOST_DAYS: Final = 3650


class Command(BaseCommand):
    """Writes the token and nothing else to standard output."""

    help = "Make an API token: an operator's, or one customer's. It is shown this once only."

    def add_arguments(self, parser: CommandParser) -> None:
        """What the token is for, and what it may do."""
        parser.add_argument("name", help="what it is for, as records will name it")
        parser.add_argument("--customer", metavar="ORGANIZATION", help="whose; an operator's else")
        parser.add_argument("--read-only", action="store_true", help="it may not write")
        parser.add_argument(
            "--expires-in-days", type=_days, metavar="DAYS", help="after which it is refused"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        organization_id = options["customer"]
        customer = Customer.objects.filter(organization_id=organization_id).first()
        if organization_id is not None and customer is None:
            raise CommandError(f"There is no customer of organization {organization_id!r}.")
        now, days = clock.now(), options["expires_in_days"]
        try:
            _, text = tokens.issue(
                options["name"],
                now=now,
                customer=customer,
                is_read_only=options["read_only"],
                expires_at=None if days is None else now + timedelta(days=days),
                by="issue_token",
            )
        except BillingError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(text)


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_DAYS:
        raise ArgumentTypeError(f"a number of days, 1 to {_MOST_DAYS}")
    return int(text)
