"""Teams of an organization's people."""
