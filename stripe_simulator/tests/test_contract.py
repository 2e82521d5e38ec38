"""What the simulator and Stripe both keep. With STRIPE_TEST_SECRET_KEY set, each test runs against both."""

from typing import Any
from uuid import uuid4

import pytest
import stripe

from stripe_simulator.tests.conftest import make_paying_customer, make_price, setup_session
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient


def test_customer_is_created_read_changed_and_deleted(either: Client) -> None:
    made = either.v1.customers.create({"name": "Acme", "metadata": {"a": "1", "b": "2"}})
    changed = either.v1.customers.update(
        made.id, {"email": "new@acme.test", "metadata": {"a": "", "c": "3"}, "address": {"country": "DE"}}
    )
    assert problems_of_resource(changed) == []
    read = either.v1.customers.retrieve(made.id)
    assert (read.name, read.email) == ("Acme", "new@acme.test")
    assert read.metadata is not None
    assert read.metadata.to_dict() == {"b": "2", "c": "3"}
    assert read.address is not None
    assert read.address.country == "DE"
    assert either.v1.customers.delete(made.id).deleted
    assert either.v1.customers.retrieve(made.id).deleted


def test_unknown_parameter_is_refused(either: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.customers.create({"nickname": "Acme"})  # type: ignore[arg-type] # the point
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "nickname")
    assert refused.value.http_status == 400


def test_missing_object_in_the_path_is_404_and_in_a_parameter_400(either: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as in_path:
        either.v1.customers.retrieve("cus_missing")
    assert (in_path.value.http_status, in_path.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as in_parameter:
        either.v1.checkout.sessions.create(
            {"mode": "setup", "currency": "usd", "customer": "cus_missing", "success_url": "https://a.test/"}
        )
    assert (in_parameter.value.http_status, in_parameter.value.param) == (400, "customer")


def test_integer_that_is_none_is_refused(either: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.customers.list({"limit": "many"})  # type: ignore[arg-type] # the point
    assert (refused.value.code, refused.value.param) == ("parameter_invalid_integer", "limit")


def test_wrong_api_key_is_refused(either: Client) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        either.v1.customers.list(options={"api_key": "sk_test_wrong"})
    assert refused.value.http_status == 401


def test_same_idempotency_key_makes_one_customer(either: Client) -> None:
    key = str(uuid4())
    first = either.v1.customers.create({"name": "Once"}, {"idempotency_key": key})
    again = either.v1.customers.create({"name": "Once"}, {"idempotency_key": key})
    assert first.id == again.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


def test_idempotency_key_with_other_parameters_is_refused(either: Client) -> None:
    key = str(uuid4())
    either.v1.customers.create({"name": "Once"}, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError) as refused:
        either.v1.customers.create({"name": "Twice"}, {"idempotency_key": key})
    assert refused.value.http_status == 400


def test_refused_parameters_do_not_use_up_the_idempotency_key(either: Client) -> None:
    key = str(uuid4())
    with pytest.raises(stripe.InvalidRequestError):
        either.v1.customers.create({"nickname": "Acme"}, {"idempotency_key": key})  # type: ignore[arg-type] # the point
    assert either.v1.customers.create({"name": "Acme"}, {"idempotency_key": key}).name == "Acme"


def test_price_is_found_by_lookup_key_with_its_product(either: Client) -> None:
    key = f"team-growth-{uuid4()}"
    price = make_price(either, lookup_key=key)
    assert problems_of_resource(price) == []
    listed = either.v1.prices.list({"lookup_keys": [key], "expand": ["data.product"]})
    assert problems_of_resource(listed) == []
    (found,) = listed.data
    assert isinstance(found.product, stripe.Product)
    assert (found.id, found.product.name) == (price.id, "Team growth")
    assert found.recurring is not None
    assert (found.recurring.interval, found.recurring.usage_type) == ("month", "licensed")


def test_taken_lookup_key_is_refused(either: Client) -> None:
    key = f"team-growth-{uuid4()}"
    make_price(either, lookup_key=key)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_price(either, lookup_key=key)
    assert refused.value.param == "lookup_key"


def test_card_is_attached_listed_made_default_and_detached(either: Client) -> None:
    customer = make_paying_customer(either)
    assert problems_of_resource(customer) == []
    listed = either.v1.customers.payment_methods.list(customer.id)
    assert problems_of_resource(listed) == []
    (method,) = listed.data
    assert either.v1.payment_methods.retrieve(method.id).to_dict() == method.to_dict()
    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("visa", "4242")
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method == method.id
    assert either.v1.payment_methods.detach(method.id).customer is None
    assert either.v1.customers.payment_methods.list(customer.id).data == []


def test_card_of_another_customer_cannot_become_the_default(either: Client) -> None:
    owner = make_paying_customer(either)
    (method,) = either.v1.customers.payment_methods.list(owner.id).data
    other = either.v1.customers.create({"name": "Other"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.customers.update(other.id, {"invoice_settings": {"default_payment_method": method.id}})
    assert refused.value.code == "resource_missing"


def test_setup_session_begins_open_with_a_setup_intent(either: Client) -> None:
    customer = either.v1.customers.create({"name": "Acme"})
    session = setup_session(
        either, customer.id, metadata={"a": "1"}, setup_intent_data={"metadata": {"operation": "7"}}
    )
    assert problems_of_resource(session) == []
    assert (session.status, session.mode, session.payment_status) == ("open", "setup", "no_payment_required")
    assert session.url is not None
    assert session.url.startswith("http")
    assert isinstance(session.setup_intent, str)
    intent = either.v1.setup_intents.retrieve(session.setup_intent)
    assert problems_of_resource(intent) == []
    assert intent.status == "requires_payment_method"
    assert intent.metadata is not None
    assert intent.metadata.to_dict() == {"operation": "7"}


def test_setup_session_needs_a_currency(either: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.checkout.sessions.create({"mode": "setup", "success_url": "https://a.test/"})
    assert refused.value.param == "currency"


def test_subscription_has_its_period_on_its_items_and_a_paid_invoice(either: Client) -> None:
    customer, price = make_paying_customer(either), make_price(either)
    subscription = either.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id, "quantity": 3}],
            "expand": ["latest_invoice.payments"],
        }
    )
    assert problems_of_resource(subscription) == []
    assert subscription.status == "active"
    assert "current_period_end" not in subscription
    (item,) = subscription["items"].data
    assert item.quantity == 3
    assert 27 * 86400 < item.current_period_end - item.current_period_start < 32 * 86400
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.status, invoice.total, invoice.amount_paid) == ("paid", 22500, 22500)
    assert invoice.payments is not None
    assert [payment.status for payment in invoice.payments.data] == ["paid"]


def test_subscription_without_a_card_is_refused(either: Client) -> None:
    customer, price = either.v1.customers.create({"name": "Acme"}), make_price(either)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    assert refused.value.code == "resource_missing"


def test_invoice_goes_from_draft_to_open_to_paid(either: Client) -> None:
    customer = make_paying_customer(either)
    draft = either.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    assert problems_of_resource(draft) == []
    assert (draft.status, draft.number, draft.invoice_pdf) == ("draft", None, None)
    item = either.v1.invoice_items.create(
        {
            "customer": customer.id,
            "invoice": draft.id,
            "amount": 1250,
            "currency": "usd",
            "description": "Extra",
        }
    )
    assert problems_of_resource(item) == []
    opened = either.v1.invoices.finalize_invoice(draft.id)
    assert problems_of_resource(opened) == []
    assert (opened.status, opened.total, opened.amount_remaining) == ("open", 1250, 1250)
    assert opened.number
    assert opened.hosted_invoice_url
    assert opened.invoice_pdf
    assert [line.description for line in opened.lines.data] == ["Extra"]
    paid = either.v1.invoices.pay(draft.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1250, 0)
    with pytest.raises(stripe.InvalidRequestError):
        either.v1.invoices.pay(draft.id)


def test_item_waits_with_its_metadata_and_becomes_a_line_of_the_next_invoice(either: Client) -> None:
    customer = make_paying_customer(either)
    told = {"credits_since": "2026-10-01T00:00:00+00:00"}
    made = either.v1.invoice_items.create(
        {
            "customer": customer.id,
            "amount": 7500,
            "currency": "usd",
            "description": "On-demand credits",
            "period": {"start": 1790812800, "end": 1793491200},
            "metadata": told,
        }
    )
    waiting = either.v1.invoice_items.retrieve(made.id)
    assert problems_of_resource(waiting) == []
    assert (waiting.invoice, waiting.amount, waiting.metadata and waiting.metadata.to_dict()) == (
        None,
        7500,
        told,
    )
    listed = either.v1.invoice_items.list({"customer": customer.id, "created": {"gte": made.date}})
    assert problems_of_resource(listed) == []
    assert [one.id for one in listed.data] == [made.id]
    invoice = either.v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include", "auto_advance": False}
    )
    assert either.v1.invoice_items.retrieve(made.id).invoice == invoice.id
    (line,) = invoice.lines.data
    assert (line.amount, line.metadata.to_dict()) == (7500, told)
    assert (line.period.start, line.period.end) == (1790812800, 1793491200)
    assert line.parent is not None
    assert line.parent.invoice_item_details is not None
    assert line.parent.invoice_item_details.invoice_item == made.id


def test_period_that_ends_before_its_start_and_two_amounts_are_refused(either: Client) -> None:
    customer = either.v1.customers.create({"name": "Acme"})
    for wrong in (
        {"amount": 1, "period": {"start": 1793491200, "end": 1790812800}},
        {"amount": 1, "unit_amount_decimal": "1"},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            either.v1.invoice_items.create({"customer": customer.id, "currency": "usd", **wrong})  # type: ignore[arg-type] # the point
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.invoice_items.retrieve("ii_missing")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_declined_card_leaves_the_invoice_open(either: Client) -> None:
    customer = make_paying_customer(either, "pm_card_chargeCustomerFail")
    draft = either.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    either.v1.invoice_items.create(
        {"customer": customer.id, "invoice": draft.id, "amount": 1250, "currency": "usd"}
    )
    with pytest.raises(stripe.CardError) as refused:
        either.v1.invoices.pay(draft.id)
    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    left = either.v1.invoices.retrieve(draft.id)
    assert (left.status, left.attempt_count) == ("open", 1)


def test_open_invoice_is_voided_or_given_up(either: Client) -> None:
    customer = make_paying_customer(either)

    def opened() -> str:
        draft = either.v1.invoices.create({"customer": customer.id, "auto_advance": False})
        either.v1.invoice_items.create(
            {"customer": customer.id, "invoice": draft.id, "amount": 100, "currency": "usd"}
        )
        return either.v1.invoices.finalize_invoice(draft.id).id

    assert either.v1.invoices.void_invoice(opened()).status == "void"
    assert either.v1.invoices.mark_uncollectible(opened()).status == "uncollectible"
    statuses = [invoice.status for invoice in either.v1.invoices.list({"customer": customer.id}).data]
    assert statuses == ["uncollectible", "void"]


def open_invoice(client: Client, customer: stripe.Customer, amount: int = 5000) -> stripe.Invoice:
    draft = client.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": draft.id, "amount": amount, "currency": "usd"}
    )
    return client.v1.invoices.finalize_invoice(draft.id)


def test_credit_note_before_payment_lowers_what_is_due(either: Client) -> None:
    invoice = open_invoice(either, make_paying_customer(either))
    note = either.v1.credit_notes.create({"invoice": invoice.id, "amount": 1500})
    assert problems_of_resource(note) == []
    assert (note.type, note.pre_payment_amount, note.status) == ("pre_payment", 1500, "issued")
    paid = either.v1.invoices.pay(invoice.id)
    assert (paid.total, paid.pre_payment_credit_notes_amount, paid.amount_due) == (5000, 1500, 3500)
    assert (paid.amount_paid, paid.amount_remaining) == (3500, 0)


def test_credit_note_after_payment_refunds_and_credits(either: Client) -> None:
    customer = make_paying_customer(either)
    invoice = either.v1.invoices.pay(open_invoice(either, customer).id)
    note = either.v1.credit_notes.create(
        {"invoice": invoice.id, "amount": 3000, "refund_amount": 2000, "credit_amount": 1000}
    )
    assert problems_of_resource(note) == []
    assert (note.type, note.post_payment_amount) == ("post_payment", 3000)
    (entry,) = note.refunds
    refund = either.v1.refunds.retrieve(str(entry.refund))
    assert problems_of_resource(refund) == []
    assert (refund.amount, refund.status) == (2000, "succeeded")
    after = either.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.amount_paid, after.post_payment_credit_notes_amount) == ("paid", 5000, 3000)
    assert either.v1.customers.retrieve(customer.id).balance == -1000


def test_credit_note_after_payment_says_where_the_money_goes(either: Client) -> None:
    invoice = either.v1.invoices.pay(open_invoice(either, make_paying_customer(either)).id)
    with pytest.raises(stripe.InvalidRequestError):
        either.v1.credit_notes.create({"invoice": invoice.id, "amount": 3000})


def test_balance_is_used_by_the_next_invoice_and_told(either: Client) -> None:
    customer = make_paying_customer(either)
    either.v1.customers.balance_transactions.create(customer.id, {"amount": -2000, "currency": "usd"})
    invoice = open_invoice(either, customer)
    assert (invoice.starting_balance, invoice.ending_balance, invoice.amount_due) == (-2000, 0, 3000)
    told = either.v1.customers.balance_transactions.list(customer.id)
    assert problems_of_resource(told) == []
    assert [(one.type, one.amount, one.ending_balance) for one in told.data] == [
        ("applied_to_invoice", 2000, 0),
        ("adjustment", -2000, -2000),
    ]


def test_open_invoice_has_its_default_payment(either: Client) -> None:
    invoice = open_invoice(either, make_paying_customer(either))
    listed = either.v1.invoice_payments.list(
        {"invoice": invoice.id, "expand": ["data.payment.payment_intent"]}
    )
    assert problems_of_resource(listed) == []
    (payment,) = listed.data
    assert (payment.status, payment.is_default, payment.amount_requested) == ("open", True, 5000)
    assert isinstance(payment.payment.payment_intent, stripe.PaymentIntent)
    assert payment.payment.payment_intent.status == "requires_payment_method"


def test_card_that_always_asks_waits_for_the_person(either: Client) -> None:
    customer = make_paying_customer(either, "pm_card_authenticationRequired")
    invoice = open_invoice(either, customer)
    with pytest.raises(stripe.CardError) as refused:
        either.v1.invoices.pay(invoice.id)
    assert refused.value.code == "invoice_payment_intent_requires_action"
    listed = either.v1.invoice_payments.list(
        {"invoice": invoice.id, "expand": ["data.payment.payment_intent"]}
    )
    intent = listed.data[0].payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert intent.status == "requires_action"
    assert either.v1.invoices.retrieve(invoice.id).status == "open"


def test_declined_test_method_is_not_attached_and_says_why(either: Client) -> None:
    customer = either.v1.customers.create({"name": "Acme"})
    with pytest.raises(stripe.CardError) as refused:
        either.v1.payment_methods.attach(
            "pm_card_visa_chargeDeclinedInsufficientFunds", {"customer": customer.id}
        )
    body: Any = refused.value.json_body
    assert (refused.value.code, body["error"]["decline_code"]) == ("card_declined", "insufficient_funds")


def test_lists_page_by_key_in_both_directions(either: Client) -> None:
    customer = either.v1.customers.create({"name": "Acme"})
    made = [
        either.v1.invoices.create({"customer": customer.id, "currency": "usd", "auto_advance": False}).id
        for _ in range(3)
    ]
    newest_first = made[::-1]
    first = either.v1.invoices.list({"customer": customer.id, "limit": 2})
    assert ([invoice.id for invoice in first.data], first.has_more) == (newest_first[:2], True)
    second = either.v1.invoices.list({"customer": customer.id, "limit": 2, "starting_after": newest_first[1]})
    assert ([invoice.id for invoice in second.data], second.has_more) == (newest_first[2:], False)
    back = either.v1.invoices.list({"customer": customer.id, "limit": 2, "ending_before": newest_first[2]})
    assert ([invoice.id for invoice in back.data], back.has_more) == (newest_first[:2], False)
    whole = either.v1.invoices.list({"customer": customer.id, "limit": 1}).auto_paging_iter()
    assert [invoice.id for invoice in whole] == newest_first


def test_event_tells_what_changed(either: Client) -> None:
    customer = either.v1.customers.create({"name": "Before"})
    either.v1.customers.update(customer.id, {"name": "After"})
    events = either.v1.events.list({"type": "customer.updated", "limit": 100})
    event = next(event for event in events.data if event.data.object["id"] == customer.id)
    assert problems_of_resource(events) == []
    assert event.data.object["name"] == "After"
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes["name"] == "Before"
    assert event.livemode is False


def test_discount_of_a_coupon_shows_on_the_invoice_and_its_lines(either: Client) -> None:
    customer = make_paying_customer(either)
    coupon = either.v1.coupons.create({"percent_off": 10, "duration": "forever", "name": "Loyalty"})
    assert problems_of_resource(coupon) == []
    subscription = either.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": make_price(either, 2500).id}],
            "discounts": [{"coupon": coupon.id}],
            "expand": ["latest_invoice.discounts"],
        }
    )
    assert problems_of_resource(subscription) == []
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.subtotal, invoice.total) == (2500, 2250)
    (discount,) = invoice.discounts
    assert isinstance(discount, stripe.Discount)
    assert (discount.source.coupon, discount.subscription) == (coupon.id, subscription.id)
    (line,) = invoice.lines.data
    for amounts in (invoice.total_discount_amounts, line.discount_amounts):
        assert [(entry.amount, entry.discount) for entry in amounts or []] == [(250, discount.id)]


def test_taxes_are_rounded_by_line_and_summed_up_by_rate(either: Client) -> None:
    customer = either.v1.customers.create({"name": "Acme"})
    vat = either.v1.tax_rates.create({"display_name": "VAT", "percentage": 21, "inclusive": False})
    assert problems_of_resource(vat) == []
    draft = either.v1.invoices.create(
        {"customer": customer.id, "currency": "usd", "auto_advance": False, "default_tax_rates": [vat.id]}
    )
    for amount in (295, 750):
        either.v1.invoice_items.create(
            {"customer": customer.id, "invoice": draft.id, "amount": amount, "currency": "usd"}
        )
    taxed = either.v1.invoices.retrieve(draft.id)
    assert problems_of_resource(taxed) == []
    assert (taxed.subtotal, taxed.total_excluding_tax, taxed.total) == (1045, 1045, 1265)
    (tax,) = taxed.total_taxes or []
    assert (tax.amount, tax.taxable_amount, tax.tax_behavior) == (220, 1045, "exclusive")
    assert tax.tax_rate_details is not None
    assert tax.tax_rate_details.tax_rate == vat.id


def test_preview_tells_the_next_invoice_and_none_after_the_end(either: Client) -> None:
    customer = make_paying_customer(either)
    subscription = either.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": make_price(either, 5000).id, "quantity": 2}]}
    )
    (item,) = subscription["items"].data
    preview = either.v1.invoices.create_preview({"subscription": subscription.id})
    assert problems_of_resource(preview) == []
    assert (preview.total, preview.amount_due, preview.status) == (10000, 10000, "draft")
    assert [line.period.start for line in preview.lines.data] == [item.current_period_end]
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        either.v1.invoices.create_preview(
            {"subscription": subscription.id, "subscription_details": {"cancel_at_period_end": True}}
        )
    assert nothing.value.code == "invoice_upcoming_none"


def test_change_that_can_not_be_paid_is_refused_or_waits(either: Client) -> None:
    customer = make_paying_customer(either)
    subscription = either.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": make_price(either, 5000).id, "quantity": 2}]}
    )
    declining = either.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    either.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": declining.id}})
    (item,) = subscription["items"].data
    with pytest.raises(stripe.CardError) as refused:
        either.v1.subscriptions.update(
            subscription.id,
            {
                "items": [{"id": item.id, "quantity": 9}],
                "proration_behavior": "always_invoice",
                "payment_behavior": "error_if_incomplete",
            },
        )
    assert refused.value.http_status == 402
    assert either.v1.subscriptions.retrieve(subscription.id)["items"].data[0].quantity == 2
    waiting = either.v1.subscriptions.update(
        subscription.id,
        {
            "items": [{"id": item.id, "quantity": 9}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    assert waiting["items"].data[0].quantity == 2
    assert waiting.pending_update is not None
    assert [one.quantity for one in waiting.pending_update.subscription_items or []] == [9]


def test_collection_is_paused_and_goes_on(either: Client) -> None:
    customer = make_paying_customer(either)
    subscription = either.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": make_price(either).id}]}
    )
    paused = either.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    assert problems_of_resource(paused) == []
    assert paused.status == "active"
    assert paused.pause_collection is not None
    assert (paused.pause_collection.behavior, paused.pause_collection.resumes_at) == ("void", None)
    assert either.v1.subscriptions.update(subscription.id, {"pause_collection": ""}).pause_collection is None


def test_negative_quantity_and_unknown_currency_are_refused(either: Client) -> None:
    customer, price = make_paying_customer(either), make_price(either)
    with pytest.raises(stripe.InvalidRequestError) as negative:
        either.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": price.id, "quantity": -1}]}
        )
    assert negative.value.param == "items[0][quantity]"
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        make_price(either, currency="xyz")
    assert unknown.value.param == "currency"
