"""Programs that people let read billing: OAuth 2.0, by django-allauth's identity provider."""
