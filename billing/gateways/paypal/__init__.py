"""PayPal, translated to our words: accounts that agreed once and are charged later.

It owns PayPal's REST API as we speak it: the vault, orders, refunds, disputes, notifications. Of a
payer PayPal learns from us an anonymous id, amounts, currency and our reference; of what it says
of them (name, e-mail, address) nothing is kept or logged. It owns no tables.
"""
