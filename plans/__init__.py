"""The catalogue: what is sold, on which terms.

It owns plans and their versions, meters and features. It does not own what terms mean in money
(`billing.core`) nor who subscribed to them; it knows no other application.
"""
