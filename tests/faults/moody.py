"""Gateways in this process that do as the test says, and count what they took."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from billing.gateways.base import (
    Charge,
    ChargeRequest,
    ChargeStatus,
    Decline,
    GatewayUnavailableError,
    GatewayUnreachableError,
    MethodDetails,
    Setup,
    SetupRequest,
)
from billing.gateways.sandbox.gateway import SandboxGateway


class Mood(StrEnum):
    """How it answers a charge. DEAF: not at all, and certainly unheard. SILENT: it may have heard
    (and has, where it is GREEDY).
    """

    GOOD = "GOOD"
    POOR = "POOR"
    DEAF = "DEAF"
    SILENT = "SILENT"
    GREEDY = "GREEDY"


class MoodyGateway(SandboxGateway):
    """A sandbox of some name, with moods.

    :param asked: the references of all charges that came here, in order. `taken`: whose money it
        has.
    """

    def __init__(self, name: str, priority: int = 50) -> None:
        self.name = name
        self.capabilities = replace(SandboxGateway.capabilities, priority=priority)
        self.mood = Mood.GOOD
        self.asked: list[str] = []
        self.taken: list[str] = []

    def charge(self, request: ChargeRequest) -> Charge:
        """As its mood says; a repetition finds what the first time took."""
        self.asked.append(request.reference)
        answer = Charge(
            request.reference, f"{self.name}.{request.reference}", ChargeStatus.SUCCEEDED
        )
        if self.mood is Mood.DEAF:
            if request.is_repeated:
                raise GatewayUnavailableError("It may have heard before.")
            raise GatewayUnreachableError("Nobody is there.")
        if self.mood is Mood.POOR:
            why = Decline("insufficient_funds", "There is not enough in the account.")
            return replace(answer, status=ChargeStatus.DECLINED, decline=why)
        if self.mood is not Mood.SILENT and request.reference not in self.taken:
            self.taken.append(request.reference)
        if self.mood in {Mood.SILENT, Mood.GREEDY}:
            raise GatewayUnavailableError("No answer.")
        return answer

    def start_setup(self, request: SetupRequest) -> Setup:
        """A method of this gateway's alone."""
        customer = f"{self.name}.{request.anonymous_id}"
        made = MethodDetails(f"{self.name}.{request.reference}", "card", "visa", "4242", 12, 2040)
        return replace(
            super().start_setup(request),
            external_id=f"{self.name}.{request.reference}",
            customer_external_id=customer,
            method=made,
        )
