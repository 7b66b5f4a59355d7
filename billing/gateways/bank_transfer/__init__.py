"""Transfers to the seller's own account: the smallest gateway there is."""
