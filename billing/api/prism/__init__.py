"""The Prism contract under `/billing/`: a second face of the services that `/api/v1` has.

It owns nothing but the contract's addresses, names and notation; see `docs/prism.md`.
"""
