"""The HTTP face for integrations: parse, one call, render. Only here is HTTP status known."""
