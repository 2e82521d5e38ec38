"""Webhooks to an organization's own programs: what happened, told to addresses that its admins name."""
