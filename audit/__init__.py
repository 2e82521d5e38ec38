"""The audit log: what was done, by whom, to what. Append-only in the database."""
