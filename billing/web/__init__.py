"""Customers' pages over the same services as the API."""
