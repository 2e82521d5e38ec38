"""A Stripe simulator for development and tests, written from Stripe's public reference.

Run it with `python -m stripe_simulator --data DIR --port N --api-key sk_test_… [--webhook-url URL
--webhook-secret whsec_…]` (or STRIPE_SIMULATOR_PORT, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_URL,
STRIPE_WEBHOOK_SECRET). It listens on 127.0.0.1, prints `Stripe simulator ready on http://127.0.0.1:N`, keeps
its state in DIR, and stops on SIGTERM. Port 0 picks a free one. Clients reach it with
`stripe.StripeClient(key, base_addresses={"api": url})`.

In a test's process: `running = stripe_simulator.server.start(folder, api_key="sk_test_x")`, then
`running.url` and `running.stop()`.

`stripe_simulator.control.Control(url)` steers it:

* clock: `now()`, `advance(days=, hours=, seconds=)`, `set_clock(timestamp)`. Forward, all that falls due
  happens in order. As at Stripe, a renewal makes a draft invoice, which is finalized and charged an hour
  later, and a failed payment is tried again after 3, 5 and 7 days.
* faults, for the next `count` requests that match `method` and `path`: `delay(seconds)`, `fail(status)`,
  `drop()` (work done, no answer), `clear_faults()`.
* webhooks: `set_webhook_endpoint(url, secret)`, `hold_webhooks()`, `release_webhooks("first" | "reverse" |
  "shuffle")`, `drop_webhooks(count)`, `duplicate_webhooks(count, times=)`, `retry_webhooks()`,
  `resend_webhook(event_id)`, `wait_for_webhooks(seconds)`.
* what was asked: `requests(method=, path=, idempotency_key=)`, `forget_requests()`; `state()`; `reset()`.
* the person at the hosted page: `enter_card(session.url, number=…)`, `authenticate(page, succeed=True)`.

The hosted card page (`session.url`, and an open invoice's `hosted_invoice_url`) is a form with the fields
`number`, `expiry` (MM / YY), `cvc` and `name`, and the button *Save card* (or *Pay …*); a mistake is shown in
`#number-error`, `#expiry-error` or `#cvc-error`, a refusal in `[role=alert]`. *Cancel* leads to `cancel_url`.
Cards: 4242424242424242 and 5555555555554444 work, 4000000000000002 is declined, 4000002500003155 leads to a
3-D Secure page (`…/authenticate`, buttons *Complete* and *Fail*), 4000000000000341 is saved but later charges
fail.

What it doesn't simulate it refuses: a parameter with the code `parameter_not_simulated`, an address with 404.
"""
