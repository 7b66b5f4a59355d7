"""A gateway that takes evidence, and decides by its first word."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from billing.core.lifecycle import DisputeStatus
from billing.gateways.abilities import Evidence
from billing.gateways.base import Dispute, Fact
from billing.gateways.sandbox.gateway import SandboxGateway, disputed
from billing.models import Dispute as DisputeRow
from billing.models import Payment
from billing.services import disputes

DUE: Final = datetime(2026, 4, 15, tzinfo=UTC)


@dataclass
class HearingGateway(SandboxGateway):
    """The in-process one, but that it can be answered, once there is one payment."""

    heard: list[Evidence] = field(default_factory=list)
    fails_with: Exception | None = None

    def fetch(self, object_type: str, object_id: str) -> Fact | None:
        """Of a dispute, also until when."""
        found = super().fetch(object_type, object_id)
        return replace(found, evidence_due_at=DUE) if isinstance(found, Dispute) else found

    def submit_evidence(self, dispute_external_id: str, evidence: Evidence) -> Dispute:
        """`winning` wins."""
        self.heard.append(evidence)
        if self.fails_with is not None:
            raise self.fails_with
        payment = Payment.objects.select_related("attempt").get()
        assert payment.attempt is not None
        status = DisputeStatus.WON if evidence.text == "winning" else DisputeStatus.OPEN
        charge = payment.attempt.external_id
        return Dispute(dispute_external_id, charge, payment.amount, status, "fraudulent")

    def contested(self, now: datetime) -> DisputeRow:
        """The one payment, contested by its bank."""
        payment = Payment.objects.select_related("attempt").get()
        assert payment.attempt is not None
        told = disputed(payment.attempt.external_id, payment.amount, DisputeStatus.OPEN)
        fact = self.fetch("dispute", told)
        assert isinstance(fact, Dispute)
        return disputes.follow(payment.pk, fact, now=now)
