"""Who sells and who buys, as a document says it."""

from __future__ import annotations

from rest_framework import serializers

from billing.api.fields import Answer


class SellerOutput(Answer):
    """In whose name; empty while it is a draft."""

    name = serializers.CharField(required=False)
    address = serializers.CharField(required=False, help_text="Of older invoices.")
    line1 = serializers.CharField(required=False)
    line2 = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    region = serializers.CharField(required=False)
    postal_code = serializers.CharField(required=False)
    country = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)
    tax_number = serializers.CharField(required=False)
    vat_id = serializers.CharField(required=False)
    registration = serializers.CharField(required=False)
    bank_name = serializers.CharField(required=False)
    account_holder = serializers.CharField(required=False)
    iban = serializers.CharField(required=False)
    bic = serializers.CharField(required=False)
    terms = serializers.CharField(required=False)
    footer = serializers.CharField(required=False)


class BuyerTaxIdOutput(Answer):
    """A tax number of the buyer's."""

    type = serializers.CharField()
    value = serializers.CharField()


class BuyerOutput(Answer):
    """To whom, as it was when the invoice was finalized; empty while it is a draft."""

    customer = serializers.UUIDField(required=False)
    organization_id = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    line1 = serializers.CharField(required=False)
    line2 = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    postal_code = serializers.CharField(required=False)
    country = serializers.CharField(required=False)
    tax_ids = BuyerTaxIdOutput(many=True, required=False)
