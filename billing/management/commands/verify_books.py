"""`manage.py verify_books`: does everything agree with everything?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.queries import chain, verification


class Command(BaseCommand):
    """Exit code 1 and a line for each discrepancy; 0 and one line where there is none.

    It prints the newest block: who has noted an earlier one down finds it unchanged in the chain.
    """

    help = "Check the journal, the invoices, the payments and the usage counts against each other."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every discrepancy."""
        found = list(verification.discrepancies())
        for item in found:
            self.stderr.write(f"{item.check}: {item.subject}: {item.detail}")
        if found:
            raise CommandError(f"{len(found)} discrepancies.")
        self.stdout.write(f"The books agree: {len(verification.CHECKS) + 1} checks, nothing found.")
        head = chain.head()
        if head is not None:
            self.stdout.write(f"Note down block {head.number:,} of the journal: {head.hash}")
