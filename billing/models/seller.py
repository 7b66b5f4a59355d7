"""In whose name documents are written, and the numbers they get."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.core.pictures import PictureKind
from billing.core.tax_policies import TaxPolicyKind, WhenUnverified
from billing.core.taxes import TaxRounding
from billing.models.choices import choices, one_of


class Seller(models.Model):
    """In whose name invoices are written. The one that is default writes for all without another.

    What stands here is for documents to come; those that are finalized keep what stood then.

    Its customers' pages carry its brand: `brand_name` (else its name), `brand_colour` (`#rrggbb`)
    and its logo. `payment_days` count from finalizing. At most `tolerance_minor` may be missing
    from what was paid by hand for the invoice to be settled all the same.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=255)
    line1 = models.CharField(max_length=255, blank=True, default="")
    line2 = models.CharField(max_length=255, blank=True, default="")
    city = models.CharField(max_length=255, blank=True, default="")
    region = models.CharField(max_length=16, blank=True, default="")
    postal_code = models.CharField(max_length=32, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=64, blank=True, default="")
    tax_number = models.CharField(max_length=64, blank=True, default="")
    vat_id = models.CharField(max_length=32, blank=True, default="")
    registration = models.CharField(max_length=255, blank=True, default="")
    bank_name = models.CharField(max_length=255, blank=True, default="")
    account_holder = models.CharField(max_length=255, blank=True, default="")
    iban = models.CharField(max_length=34, blank=True, default="")
    bic = models.CharField(max_length=11, blank=True, default="")
    payment_days = models.PositiveSmallIntegerField(default=14)
    tolerance_minor = models.BigIntegerField(default=0)
    terms = models.TextField(blank=True, default="")
    footer = models.TextField(blank=True, default="")
    brand_name = models.CharField(max_length=64, blank=True, default="")
    brand_colour = models.CharField(max_length=7, blank=True, default="")
    tax_policy = models.CharField(
        max_length=16, choices=choices(TaxPolicyKind), default=TaxPolicyKind.NONE
    )
    is_oss_registered = models.BooleanField(default=False)
    when_unverified = models.CharField(
        max_length=16, choices=choices(WhenUnverified), default=WhenUnverified.STANDARD_RATE
    )
    tax_rounding = models.CharField(
        max_length=8, choices=choices(TaxRounding), default=TaxRounding.DOCUMENT
    )
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_seller"
            ),
            models.CheckConstraint(
                condition=Q(tolerance_minor__gte=0), name="tolerance_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(brand_colour="") | Q(brand_colour__regex=r"^#[0-9a-f]{6}$"),
                name="brand_colour_is_one",
            ),
            one_of("tax_policy", TaxPolicyKind, name="tax_policy_known"),
            one_of("when_unverified", WhenUnverified, name="when_unverified_known"),
            one_of("tax_rounding", TaxRounding, name="tax_rounding_known"),
        ]

    def __str__(self) -> str:
        return self.name


class SellerLogo(models.Model):
    """The picture on a seller's pages, apart from the seller so that it is read only to be shown.

    `digest` is the SHA-256 of `content`: another picture has another address.
    """

    seller = models.OneToOneField(
        Seller, primary_key=True, on_delete=models.CASCADE, related_name="logo"
    )
    kind = models.CharField(max_length=4, choices=choices(PictureKind))
    content = models.BinaryField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [one_of("kind", PictureKind, name="logo_kind_known")]

    def __str__(self) -> str:
        return f"Logo of {self.seller}"


class SeriesKind(StrEnum):
    """What a series numbers."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


class InvoiceSeries(models.Model):
    """A gap-free sequence of numbers of one seller. `next_number` moves only with documents.

    Numbers come from the seller's oldest series of the kind that `is_open`. One that goes on where
    another system stopped has a later `first_number`.
    """

    id = models.BigAutoField(primary_key=True)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="series")
    kind = models.CharField(max_length=12, choices=choices(SeriesKind), default=SeriesKind.INVOICE)
    prefix = models.CharField(max_length=16, default="INV-")
    first_number = models.PositiveBigIntegerField(default=1)
    next_number = models.PositiveBigIntegerField(default=1)
    is_open = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "invoice series"
        constraints = [
            models.UniqueConstraint(fields=["seller", "prefix"], name="one_series_per_prefix"),
            one_of("kind", SeriesKind, name="series_kind_known"),
            models.CheckConstraint(
                condition=Q(first_number__gte=1, next_number__gte=F("first_number")),
                name="series_counts_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}{self.next_number:06d}"
