"""People, organizations, memberships, editions, and the policy: who may do what."""
