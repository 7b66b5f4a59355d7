"""What was answered to which idempotency key."""

from __future__ import annotations

from django.db import models

from billing.models.token import ApiToken


class ApiRequest(models.Model):
    """A POST that carried a key; `status_code` is None while its first call is running.

    `effect_id` is the id of what it makes, where that cannot be one transaction with the answer.
    """

    id = models.BigAutoField(primary_key=True)
    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.TextField(blank=True, default="")
    effect_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "key"], name="idempotency_key_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="api_request_age")]

    def __str__(self) -> str:
        return self.key
