"""Billing, to read. Sums are integers in the currency's minor unit, times are UTC, states are codes."""
