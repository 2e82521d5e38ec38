"""Money: the billing account, what Stripe says of it, and what people do with it."""
