"""A gateway without a vendor, in this process; its outcomes are decided by tokens."""
