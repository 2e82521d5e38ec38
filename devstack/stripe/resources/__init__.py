"""The API's resources; `devstack.stripe.api` gathers their endpoints."""
