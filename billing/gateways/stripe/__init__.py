"""Stripe, translated to our words; the only importer of `stripe` and `djstripe` in billing.

Stripe learns an anonymous id, amounts, currency and our reference; besides, an address for
receipts where the installation allows that, and what operators put into evidence.
dj-stripe keeps the mirror that operators see in the admin; no decision is ever read from it.
"""
