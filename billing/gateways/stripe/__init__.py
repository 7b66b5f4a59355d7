"""Stripe, translated to our words; the only importer of `stripe` and `djstripe` in billing.

Stripe learns an anonymous id, amounts, currency and our reference. dj-stripe keeps the mirror
that operators see in the admin; no decision is ever read from it.
"""
