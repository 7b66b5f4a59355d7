"""What is derived from the journal off its write path: its seal, and what processors make of it."""

from __future__ import annotations

from typing import Any

from django.db import models

from billing.models.journal import JournalEntry


class UnsealedEntry(models.Model):
    """An entry that no block binds yet. Written with the entry, gone with its sealing."""

    entry = models.OneToOneField(
        JournalEntry, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    customer_id = models.UUIDField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["customer_id"], name="unsealed_of_customer")]

    def __str__(self) -> str:
        return str(self.entry_id)


class JournalBlock(models.Model):
    """A link of the chain: its hash covers its entries' digests and the block before it.

    Hashes are SHA-256 in hexadecimal; blocks count from 1, and the first follows a hash of zeros.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    entries = models.PositiveIntegerField()
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number} {self.hash[:12]}"


class JournalSeal(models.Model):
    """Which block binds an entry, at which place, and the digest it had then."""

    entry = models.OneToOneField(
        JournalEntry, primary_key=True, on_delete=models.PROTECT, related_name="seal"
    )
    block = models.ForeignKey(
        JournalBlock, on_delete=models.PROTECT, related_name="seals", db_index=False
    )
    position = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "position"], name="one_entry_per_place"),
        ]

    def __str__(self) -> str:
        return f"{self.block_id}:{self.position}"


class Projection(models.Model):
    """What a processor made of the sealed journal: a value by scope (a customer) and key."""

    id = models.BigAutoField(primary_key=True)
    processor = models.CharField(max_length=32)
    scope = models.CharField(max_length=64, blank=True, default="")
    key = models.CharField(max_length=160, blank=True, default="")
    value: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["processor", "scope", "key"], name="one_projection"),
        ]

    def __str__(self) -> str:
        return f"{self.processor} {self.scope} {self.key}"


class ProcessorPosition(models.Model):
    """Up to which block a processor has digested the journal."""

    processor = models.CharField(max_length=32, primary_key=True)
    block = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.processor} at {self.block}"
