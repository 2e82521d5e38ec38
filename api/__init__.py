"""What every endpoint of the API has: who asks, what they may, how errors and pages look."""
