"""Which columns can hold personal data, and what becomes of it when somebody is erased.

Every column of text or JSON, of every table, is here. A new one without a verdict fails the build:
whoever adds it says whether `services/erasure.py` must erase it, or which law keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a column's content.

    :param erased: it is gone, or says nothing any more.
    :param kept: it stays, by law, because of this.
    """

    erased: bool = False
    kept: str = ""


ERASED: Final = Verdict(erased=True)
NONE: Final = Verdict()
DOCUMENT: Final = Verdict(kept="a document stays as it was issued")
BOOKS: Final = Verdict(kept="the books cannot be edited")
COUNTED: Final = Verdict(kept="invoices were counted from it")

# Model → columns by verdict. Columns with choices hold codes of ours, and need none.
VERDICTS: Final[dict[str, dict[Verdict, str]]] = {
    "account.EmailAddress": {ERASED: "email"},
    "account.EmailConfirmation": {ERASED: "key"},
    "admin.LogEntry": {ERASED: "object_repr change_message", NONE: "object_id"},
    "auth.Group": {NONE: "name"},
    "auth.Permission": {NONE: "name codename"},
    "billing.Allocation": {NONE: "reversed_by"},
    "billing.ApiRequest": {ERASED: "body", NONE: "key fingerprint"},
    "billing.ApiToken": {ERASED: "name created_by revoked_by", NONE: "prefix digest"},
    "billing.BillingPeriod": {NONE: "share_unit meters filters"},
    "billing.BillingProfile": {NONE: "top_up_currency"},
    "billing.CheckoutSession": {
        ERASED: "url failure",
        NONE: "gateway external_id kind route_reason",
    },
    "billing.CreditDraw": {NONE: "created_by"},
    "billing.CreditGrant": {ERASED: "reason created_by", NONE: "currency"},
    "billing.CreditNote": {
        DOCUMENT: "note buyer",
        NONE: "number currency tax_totals notes seller created_by",
    },
    "billing.CreditNoteLine": {DOCUMENT: "description"},
    "billing.CustomerNotice": {ERASED: "subject text", NONE: "about"},
    "billing.Deferral": {NONE: "account currency"},
    "billing.Delivery": {NONE: "object_id"},
    "billing.DeliveryTry": {NONE: "answer"},
    "billing.Dispute": {ERASED: "reason created_by", NONE: "currency external_id"},
    "billing.DisputeEvidence": {ERASED: "text documents created_by"},
    "billing.DunningNotice": {ERASED: "subject text"},
    "billing.EntitlementState": {NONE: "told thresholds"},
    "billing.DunningPolicy": {NONE: "name notices"},
    "billing.DunningRun": {ERASED: "ended_by note", NONE: "policy_name terms"},
    "billing.GatewayCall": {NONE: "gateway verb reference detail"},
    "billing.GatewayCustomer": {NONE: "gateway external_id"},
    "billing.GatewayEvent": {NONE: "gateway event_id kind object_type object_id outcome"},
    "billing.GatewayMovement": {
        NONE: "gateway external_id currency source_external_id description"
    },
    "billing.GatewayPayout": {NONE: "gateway external_id currency"},
    "billing.GatewayRoute": {NONE: "name currencies countries methods updated_by"},
    "billing.Invoice": {
        ERASED: "created_by",
        DOCUMENT: "buyer",
        NONE: "number hold_reason currency tax_totals notes seller",
    },
    "billing.InvoiceLine": {
        DOCUMENT: "description explanation",
        NONE: "currency tax_class tax_country tax_region tiers meter component share_unit",
    },
    "billing.InvoiceSeries": {NONE: "prefix"},
    "billing.JournalBlock": {NONE: "previous_hash hash"},
    "billing.JournalEntry": {BOOKS: "context", NONE: "kind source_kind idempotency_key"},
    "billing.JournalLine": {NONE: "currency"},
    "billing.JournalSeal": {NONE: "digest"},
    "billing.LedgerAccount": {NONE: "code name"},
    "billing.OutgoingEvent": {NONE: "type object_kind object_id body"},
    "billing.Payment": {BOOKS: "reference", NONE: "gateway currency created_by"},
    "billing.PaymentAttempt": {
        ERASED: "decline_message created_by",
        NONE: "gateway currency external_id decline_code route_reason action",
    },
    "billing.PaymentMethod": {ERASED: "brand last4", NONE: "gateway external_id kind"},
    "billing.PortalSession": {ERASED: "return_url success_url created_by", NONE: "browser_digest"},
    "billing.ProcessorPosition": {NONE: "processor"},
    "billing.Projection": {NONE: "processor scope key value"},
    "billing.Redemption": {ERASED: "created_by"},
    "billing.Refund": {
        ERASED: "decline_message reason created_by",
        NONE: "currency external_id decline_code",
    },
    "billing.RejectedUsage": {
        ERASED: "event event_id customer_name detail resolved_by",
        NONE: "digest meter_code code reported_by",
    },
    "billing.ScheduledChange": {ERASED: "settled_by created_by", NONE: "reason"},
    "billing.Seller": {
        NONE: "name line1 line2 city region postal_code country email phone tax_number vat_id"
        " registration bank_name account_holder iban bic terms footer brand_name brand_colour"
    },
    "billing.SellerLogo": {NONE: "content digest"},
    "billing.Subscription": {ERASED: "created_by", NONE: "plan_name stalled_reason sub_id"},
    "billing.TaxRate": {NONE: "country region tax_class source"},
    "billing.UsageEvent": {COUNTED: "event_id properties", NONE: "withdrawn_by"},
    "billing.UsageTotal": {NONE: "component"},
    "billing.UsageValue": {COUNTED: "value", NONE: "component"},
    "billing.WebhookEndpoint": {
        NONE: "url types description secret former_secret disabled_reason created_by updated_by"
    },
    "contenttypes.ContentType": {NONE: "app_label model"},
    "customers.BillingDetails": {
        ERASED: "name email phone line1 line2 city state postal_code country"
    },
    "customers.Customer": {
        ERASED: "organization_id metadata tax_exemption created_by updated_by",
        NONE: "anonymous_id currency locale timezone",
    },
    "customers.TaxId": {ERASED: "kind value country consultation confirmed_by confirmation"},
    "customers.User": {ERASED: "password first_name last_name email"},
    "plans.Coupon": {NONE: "code currency created_by"},
    "plans.Feature": {NONE: "code"},
    "plans.Meter": {NONE: "code name unit field"},
    "plans.Plan": {
        ERASED: "allowed_organizations",
        NONE: "name description pa_plan_id metadata created_by updated_by",
    },
    "plans.PlanVersion": {NONE: "terms created_by"},
    "sessions.Session": {ERASED: "session_key session_data"},
}


def verdict_of(label: str, column: str) -> Verdict:
    """What becomes of a column; a KeyError if nobody has said."""
    for verdict, columns in VERDICTS.get(label, {}).items():
        if column in columns.split():
            return verdict
    raise KeyError(f"{label}.{column}: say in tests/services/verdicts.py what becomes of it.")
