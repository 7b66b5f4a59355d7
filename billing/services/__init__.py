"""Commands: the only code that writes. Each decides through core, writes, and posts."""
