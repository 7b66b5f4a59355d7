"""The operators' window: the books read-only, actions through services."""
