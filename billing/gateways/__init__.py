"""Vendors, translated to our words. They know no tables; only the mirror is kept here."""
