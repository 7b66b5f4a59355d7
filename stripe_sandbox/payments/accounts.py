"""Stripe's published test bank accounts for SEPA Direct Debit, and how a debit of each ends."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """Why a bank did not pay: the code on the charge, and on the intent where it differs."""

    code: str
    message: str
    intent_code: str = "payment_intent_payment_attempt_failed"


FAILED = Failure("generic_could_not_process", "The payment failed.")
CANCELED = Failure("payment_canceled", "The payment was canceled before it was debited.")
_VOLUME = Failure(
    "charge_exceeds_source_limit",
    "The payment would exceed the account's weekly volume limit.",
    "charge_exceeds_source_limit",
)
_TRANSACTIONS = Failure(
    "charge_exceeds_weekly_limit", "The payment would exceed the account's weekly limit."
)
_FUNDS = Failure(
    "insufficient_funds", "The customer's account has insufficient funds.", "insufficient_funds"
)


@dataclass(frozen=True)
class Scenario:
    """What an account is for; `refused` is the code with which it cannot be used at all."""

    name: str
    failure: Failure | None = None
    late: bool = False
    disputed: bool = False
    refused: str | None = None


@dataclass(frozen=True)
class TestAccount:
    """One published account."""

    name: str
    iban: str
    scenario: Scenario

    @property
    def country(self) -> str:
        """Where its bank is."""
        return self.iban[:2]

    @property
    def bank_code(self) -> str:
        """The bank's own number, which each country writes at a length of its own."""
        return self.iban[4 : 4 + _BANK_CODE_LENGTH[self.country]]

    @property
    def last4(self) -> str:
        """The only characters of it that are ever told."""
        return self.iban[-4:]

    @property
    def fingerprint(self) -> str:
        """The same for the same account, and nothing of it."""
        return hashlib.sha256(f"test account {self.iban}".encode()).hexdigest()[:16]


_SCENARIOS = (
    Scenario("success"),
    Scenario("successDelayed", late=True),
    Scenario("failed", FAILED),
    Scenario("failedDelayed", FAILED, late=True),
    Scenario("disputed", disputed=True),
    Scenario("exceedsWeeklyVolumeLimit", _VOLUME),
    Scenario("exceedsWeeklyTransactionLimit", _TRANSACTIONS),
    Scenario("insufficientFunds", _FUNDS),
    Scenario("bankNotSupported", refused="sepa_debit_bank_not_supported"),
    Scenario("debitsNotSupported", refused="sepa_debit_debits_not_supported"),
)
_BANK_CODE_LENGTH = {"AT": 5, "BE": 3, "DE": 8, "FR": 5, "IE": 4}
# In the order of the scenarios.
_PUBLISHED = """
AT611904300234573201 AT321904300235473204 AT861904300235473202 AT051904300235473205
AT591904300235473203 AT981904300000343434 AT601904300000121212 AT981904300002222227
AT271904300000055555 AT511904300000066666
BE62510007547061 BE78510007547064 BE68539007547034 BE51510007547065 BE08510007547063
BE90510000343434 BE52510000121212 BE90510002222227 BE19510000055555 BE43510000066666
DE89370400440532013000 DE08370400440532013003 DE62370400440532013001 DE78370400440532013004
DE35370400440532013002 DE65370400440000343434 DE27370400440000121212 DE65370400440002222227
DE91370400440000055555 DE18370400440000066666
FR1420041010050500013M02606 FR3020041010050500013M02609 FR8420041010050500013M02607
FR7920041010050500013M02600 FR5720041010050500013M02608 FR9720041010050000000343434
FR5920041010050000000121212 FR9720041010050000002222227 FR2620041010050000000055555
FR5020041010050000000066666
IE29AIBK93115212345678 IE24AIBK93115212345671 IE02AIBK93115212345679 IE94AIBK93115212345672
IE51AIBK93115212345670 IE10AIBK93115200343434 IE69AIBK93115200121212 IE10AIBK93115202222227
IE36AIBK93115200055555 IE60AIBK93115200066666
""".split()  # noqa: SIM905 - a table is easier to compare with the published one

ALL = tuple(
    TestAccount(f"{scenario.name}_{iban[:2].lower()}", iban, scenario)
    for iban, scenario in zip(
        _PUBLISHED, _SCENARIOS * (len(_PUBLISHED) // len(_SCENARIOS)), strict=True
    )
)
_BY_IBAN = {account.iban: account for account in ALL}
_BY_NAME = {account.name: account for account in ALL}
_SHORT = {"success": "success_at", "fails": "failed_at", "disputed": "disputed_at"}


def by_iban(iban: str) -> TestAccount | None:
    """Return the published account with this number, however it is spaced."""
    return _BY_IBAN.get(compact(iban))


def by_id(ready_made: str) -> TestAccount | None:
    """Return the account behind `pm_sepaDebit_…` (Stripe's) or `pm_sepa_…` (the stand-in's)."""
    if ready_made.startswith("pm_sepa_"):
        return _BY_NAME.get(_SHORT.get(ready_made.removeprefix("pm_sepa_"), ""))
    if not ready_made.startswith("pm_sepaDebit_"):
        return None
    found = _BY_NAME.get(ready_made.removeprefix("pm_sepaDebit_"))
    return found if found and not found.scenario.refused else None


def by_name(name: str) -> TestAccount:
    """Return an account by the name it was noted under."""
    return _BY_NAME[name]


def compact(iban: str) -> str:
    """Write an IBAN without spaces, in capitals."""
    return "".join(iban.split()).upper()


def is_well_formed(iban: str) -> bool:
    """Say whether an IBAN's check digits are right."""
    text = compact(iban)
    if not (text.isascii() and text.isalnum() and 15 <= len(text) <= 34 and text[:2].isalpha()):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1
