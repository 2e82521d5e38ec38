"""The ledger of credits: what was granted, what each hour burnt of it, and what went beyond."""
