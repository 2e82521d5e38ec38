"""What the organization was charged, as files of FOCUS 1.4 that finance tools read. See ``docs/focus.md``."""
