"""Two sets of URLs: for the invited, and for an organization's settings."""
