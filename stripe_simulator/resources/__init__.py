"""The API's resources; `stripe_simulator.api` gathers their endpoints."""
