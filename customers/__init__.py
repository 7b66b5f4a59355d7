"""Who pays: customers, their details, the people who may act for them.

It owns the personal data (all of it in `BillingDetails` and `User`) and the anonymous id that is
the only name a gateway is ever told. It knows no other application.
"""
