"""Sign-in and what belongs to a person: their account, profile, second factor and sessions."""
