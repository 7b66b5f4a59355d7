"""Pure functions and frozen values: the arithmetic and the rules of billing.

Nothing here knows Django, the clock, the network or the database. Same input, same output;
what cannot be answered raises `BillingError` or its kin. The shape of a plan's terms belongs to
the catalogue (`plans.terms`, as pure as this package); what the terms mean in money is said here.
"""
