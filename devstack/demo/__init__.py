"""The demo's data: organizations with people, usage and a past at Stripe, made through the apps' services."""
