"""A Stripe simulator for development and tests. README.md says how to start, steer and extend it."""
