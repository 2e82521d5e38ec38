"""Usage: how many resources each stack holds, hour by hour, and the sums that pages and bills rest on."""
