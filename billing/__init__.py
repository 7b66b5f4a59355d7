"""The billing engine.

It owns subscriptions, usage, invoices, payments and the journal, and the ways in (API, pages,
admin, webhooks, tasks). It does not own what is sold (`plans`) or who pays (`customers`).
"""
