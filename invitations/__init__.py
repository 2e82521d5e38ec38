"""Invitations, by mail and by link: their whole life, and the pages where people are invited."""
