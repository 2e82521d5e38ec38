"""Billing details: what coming invoices say, changed here and kept at Stripe."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from audit.models import AuditEvent
from billing import gateway
from billing.countries import countries, country_name
from billing.mirror.customers import sync_customer
from billing.mirror.invoices import sync_invoice
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, Invoice, OperationState, StripeOperation
from billing.operations import details
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import Denied
from orgs.services import Change, change_settings
from outbox.models import OutgoingEmail
from outbox.registry import NoLongerNeeded, renderer_of
from tests.billing.pages import text_of
from tests.billing.world import StripeWorld, sweep_everything
from tests.conftest import SignIn
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

BERLIN = {
    "line1": "Torstraße 1",
    "line2": "",
    "postal_code": "10119",
    "city": "Berlin",
    "state": "",
    "country": "DE",
}
NOWHERE = dict.fromkeys(BERLIN, "")


class Desk:
    """Somebody at the page: opens it, types, and presses."""

    def __init__(self, client: Client, organization: Organization) -> None:
        self.client, self.organization = client, organization

    def url(self, name: str, *ids: str) -> str:
        return reverse(name, args=[self.organization.slug, *ids])

    def drawn(self) -> dict[str, str]:
        """What the form carries as its page was drawn: the values, and what they were."""
        response = self.client.get(self.url("billing_details"))
        form = response.context["form"]
        shown = {name: bound.value() or "" for name in form.fields for bound in [form[name]]}
        return {**shown, **{form[name].html_initial_name: value for name, value in shown.items()}}

    def save(self, drawn: dict[str, str] | None = None, **typed: str) -> Any:
        data = {**(drawn or self.drawn()), **typed}
        return self.client.post(self.url("billing_details"), data, follow=True)

    def add_tax_id(self, type_: str, value: str) -> Any:
        return self.client.post(self.url("tax_id_add"), {"type": type_, "value": value}, follow=True)


@pytest.fixture
def desk(billing_manager: Membership, sign_in: SignIn, stripe: StripeWorld) -> Desk:
    return Desk(sign_in(billing_manager), billing_manager.organization)


def at_stripe(stripe: StripeWorld) -> Any:
    (customer,) = stripe.customers()
    return customer


def change(actor: Membership, **changes: tuple[Any, Any]) -> StripeOperation | None:
    return details.update_details(
        actor=actor, changes={name: Change(*change) for name, change in changes.items()}
    )


def test_all_of_it_comes_to_stripe_and_to_the_next_invoice(
    desk: Desk, stripe: StripeWorld, billing_manager: Membership
) -> None:
    page = text_of(
        desk.save(
            **BERLIN,
            name="Acme GmbH",
            email="invoices@acme.test",
            po_number="4711",
            locale="de",
            copies_to="books@acme.test\nlist@acme.test",
        )
    )
    assert "The details are saved. The next invoice has them." in page
    customer = at_stripe(stripe)
    assert (customer.name, customer.email) == ("Acme GmbH", "invoices@acme.test")
    assert customer.address.to_dict() == {**BERLIN, "line2": None, "state": None}
    assert customer.preferred_locales == ["de"]
    account = BillingAccount.objects.get()
    assert account.copies_to == ["books@acme.test", "list@acme.test"]
    assert "Bill to Acme GmbH Torstraße 1 10119 Berlin Germany invoices@acme.test PO number 4711" in page
    invoice = stripe.invoice(account)
    sync_invoice(account, invoice.id)
    shown = desk.client.get(desk.url("invoice", str(Invoice.objects.get().pk)))
    assert "Bill to Acme GmbH Torstraße 1 10119 Berlin Germany PO number 4711" in text_of(shown)
    event = AuditEvent.objects.get(action="details.changed")
    assert event.actor_id == billing_manager.user_id
    assert "legal name" in event.sentence
    assert "Acme GmbH" not in event.sentence


@pytest.mark.slow
def test_all_who_may_see_billing_are_told_once_per_save_what_was_changed(
    desk: Desk, admin: Membership, member: Membership, billing_manager: Membership
) -> None:
    desk.save(name="Acme GmbH", po_number="4711", copies_to="books@acme.test")
    desk.save()
    desk.save(copies_to="")
    desk.add_tax_id("eu_vat", "DE123456789")
    desk.client.post(desk.url("tax_id_remove", BillingAccount.objects.get().tax_ids[0]["id"]))
    sweep_everything()
    told: dict[str, list[tuple[str, bool]]] = {}
    for mail in OutgoingEmail.objects.filter(kind="details_changed").order_by("created_at"):
        told.setdefault(mail.to, []).append((mail.params["parts"], mail.params["own"]))
    saves = ["name,copies_to,po_number", "copies_to", "tax_id", "tax_id"]
    assert told == {
        admin.user.email: [(parts, False) for parts in saves],
        billing_manager.user.email: [(parts, True) for parts in saves],
    }
    first = OutgoingEmail.objects.filter(kind="details_changed", to=admin.user.email).earliest("created_at")
    read = renderer_of(first.kind)(first)
    assert read.subject.startswith("A billing manager changed the billing details of ")
    assert "- legal name\n- further mails for invoices\n- PO number" in read.text
    assert billing_manager.user.name not in read.text


@pytest.mark.slow
def test_what_was_not_touched_is_not_sent(desk: Desk, stripe: StripeWorld) -> None:
    desk.save(po_number="1")
    stripe.control.forget_requests()
    desk.save(email="invoices@acme.test")
    (call,) = stripe.calls("POST", "/v1/customers/")
    assert call["path"].count("/") == 3
    operation = StripeOperation.objects.latest("created_at")
    assert operation.params["change"] == {"email": "invoices@acme.test"}


@pytest.mark.slow
def test_what_is_emptied_is_gone_at_stripe(desk: Desk, stripe: StripeWorld) -> None:
    desk.save(**BERLIN, email="invoices@acme.test", po_number="4711", copies_to="books@acme.test")
    desk.save(**NOWHERE, email="", po_number="", copies_to="")
    customer = at_stripe(stripe)
    assert (customer.address, customer.email, customer.invoice_settings.custom_fields) == (None, None, None)
    assert BillingAccount.objects.get().copies_to == []


@pytest.mark.slow
def test_custom_fields_of_others_stay(desk: Desk, stripe: StripeWorld, account: BillingAccount) -> None:
    other = {"name": "Cost center", "value": "7"}
    stripe.api.customers.update(account.stripe_customer_id, {"invoice_settings": {"custom_fields": [other]}})
    sync_customer(account)
    for number, expected in (("4711", ["PO number", "Cost center"]), ("", ["Cost center"])):
        desk.save(po_number=number)
        fields = at_stripe(stripe).invoice_settings.custom_fields
        assert [field.name for field in fields] == expected


@pytest.mark.slow
def test_the_second_of_two_people_is_told_what_changed(
    desk: Desk, stripe: StripeWorld, admin: Membership, account: BillingAccount
) -> None:
    sync_customer(account)
    drawn = desk.drawn()
    change(admin, po_number=("", "1"), email=("", "first@acme.test"))
    answer = desk.save(drawn, po_number="2")
    assert answer.status_code == 409
    assert "Somebody else changed this meanwhile: PO number. Nothing was saved." in text_of(answer)
    assert at_stripe(stripe).invoice_settings.custom_fields[0].value == "1"
    # What the other one did not touch can be saved.
    assert desk.save(drawn, name="Acme GmbH").status_code == 200
    assert (at_stripe(stripe).name, at_stripe(stripe).email) == ("Acme GmbH", "first@acme.test")


@pytest.mark.slow
def test_pressed_twice_it_is_done_once(desk: Desk, stripe: StripeWorld) -> None:
    drawn = desk.drawn()
    for _press in range(2):
        assert "The details are saved." in text_of(desk.save(drawn, name="Acme GmbH"))
    assert AuditEvent.objects.filter(action="details.changed").count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"email": "nobody"}, "Enter a valid email address."),
        ({"copies_to": "books@acme.test\nnobody"}, "“nobody” is no mail address. Write one in each line."),
        ({"copies_to": "\n".join(f"{n}@acme.test" for n in range(6))}, "Write down 5 at most."),
        ({"country": "XX"}, "Select a valid choice."),
        ({"po_number": "1" * 141}, "at most 140 characters"),
    ],
)
def test_what_can_not_be_is_said_at_its_field(
    typed: dict[str, str], sentence: str, desk: Desk, stripe: StripeWorld
) -> None:
    answer = desk.save(**typed)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert not stripe.customers()


@pytest.mark.slow
def test_what_stripe_does_not_accept_is_said_at_its_field(desk: Desk, stripe: StripeWorld) -> None:
    desk.save(po_number="1")
    body = {
        "error": {"type": "invalid_request_error", "code": "email_invalid", "param": "email", "message": "x"}
    }
    stripe.control.fail(400, body=body, method="POST", path="/v1/customers/*")
    answer = desk.save(email="strange@acme.test")
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"email": ["Stripe does not accept this mail address. Check it."]}
    assert 'value="strange@acme.test"' in answer.content.decode()
    assert BillingAccount.objects.get().email == ""


@pytest.mark.slow
def test_while_stripe_does_not_answer_it_waits_and_another_change_is_refused(
    desk: Desk, stripe: StripeWorld, admin: Membership
) -> None:
    desk.save(po_number="1")
    stripe.control.fail(503, count=10)
    assert "The portal goes on trying" in text_of(desk.save(name="Acme GmbH"))
    with pytest.raises(Refused, match="An earlier change is still on its way"):
        change(admin, email=("", "other@acme.test"))
    stripe.control.clear_faults()
    sweep_everything()
    assert at_stripe(stripe).name == "Acme GmbH"


def test_a_legal_name_is_not_changed_by_renaming(desk: Desk, stripe: StripeWorld, admin: Membership) -> None:
    desk.save(name="Acme GmbH")
    change_settings(actor=admin, changes={"name": Change(admin.organization.name, "Acme Two")})
    sweep_everything()
    assert at_stripe(stripe).name == "Acme GmbH"


def test_a_member_may_not(member: Membership, sign_in: SignIn, stripe: StripeWorld) -> None:
    desk = Desk(sign_in(member), member.organization)
    assert desk.client.get(desk.url("billing_details")).status_code == 403
    for act in (
        lambda: change(member, name=("", "x")),
        lambda: change(member, copies_to=([], ["x@acme.test"])),
        lambda: details.add_tax_id(actor=member, type_="eu_vat", value="DE123456789"),
        lambda: details.remove_tax_id(actor=member, tax_id="txi_1"),
    ):
        with pytest.raises(Denied):
            act()
    assert not stripe.customers()


def test_the_preview_shows_what_is_typed_and_saves_nothing(desk: Desk, stripe: StripeWorld) -> None:
    typed = {**BERLIN, "name": "<b>Acme</b> GmbH", "po_number": "4711", "email": ""}
    part = desk.client.post(desk.url("billing_details_preview"), typed)
    assert "<html" not in part.content.decode()
    assert "<b>" not in part.content.decode()
    assert "Bill to <b>Acme</b> GmbH Torstraße 1 10119 Berlin Germany PO number 4711" in text_of(part)
    assert not stripe.customers()
    assert not AuditEvent.objects.exists()


# Tax ids


def test_a_tax_id_is_checked_by_stripe_and_shown_as_it_is(
    desk: Desk, stripe: StripeWorld, account: BillingAccount
) -> None:
    page = text_of(desk.add_tax_id("eu_vat", "DE123456789"))
    assert "The tax id is saved. The next invoice has it." in page
    assert "DE123456789 Checking European Union: VAT" in page
    stripe.control.advance(seconds=60)
    sync_customer(account)
    page = text_of(desk.client.get(desk.url("billing_details")))
    assert "DE123456789 Verified" in page
    assert AuditEvent.objects.get(action="details.tax_id_added").sentence == "added the tax id DE123456789"


@pytest.mark.parametrize(
    ("type_", "value", "word"),
    [("eu_vat", "DE111111111", "Not found"), ("us_ein", "12-3456789", "Not checked")],
)
def test_what_no_register_knows_is_not_called_verified(
    type_: str, value: str, word: str, desk: Desk, stripe: StripeWorld, account: BillingAccount
) -> None:
    desk.add_tax_id(type_, value)
    stripe.control.advance(seconds=60)
    sync_customer(account)
    assert f"{value} {word}" in text_of(desk.client.get(desk.url("billing_details")))


def test_a_number_of_another_kind_is_refused_at_its_field(desk: Desk, account: BillingAccount) -> None:
    answer = desk.add_tax_id("eu_vat", "nonsense")
    assert answer.status_code == 422
    assert answer.context["tax_id_form"].errors == {"value": ["This is no number of that kind. Check both."]}
    assert 'value="nonsense"' in answer.content.decode()


def test_the_same_tax_id_is_not_added_twice(desk: Desk, stripe: StripeWorld, account: BillingAccount) -> None:
    desk.add_tax_id("eu_vat", "DE123456789")
    assert "This tax id is saved already." in text_of(desk.add_tax_id("eu_vat", "de 123 456 789"))
    assert len(stripe.api.customers.tax_ids.list(account.stripe_customer_id).data) == 1


def test_a_tax_id_that_was_added_without_an_answer_is_there_once(
    desk: Desk, stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.control.fail(500, method="POST", path="/v1/customers/*/tax_ids", when="after", stored=True)
    assert "The portal goes on trying" in text_of(desk.add_tax_id("eu_vat", "DE123456789"))
    for _sweep in range(2):
        sweep_everything()
    assert len(stripe.api.customers.tax_ids.list(account.stripe_customer_id).data) == 1
    assert StripeOperation.objects.get().state == OperationState.DONE
    assert AuditEvent.objects.filter(action="details.tax_id_added").count() == 1


@pytest.mark.slow
def test_removing_a_tax_id_asks_first(desk: Desk, stripe: StripeWorld, account: BillingAccount) -> None:
    desk.add_tax_id("eu_vat", "DE123456789")
    account.refresh_from_db()
    url = desk.url("tax_id_remove", account.tax_ids[0]["id"])
    assert "Remove tax id DE123456789?" in text_of(desk.client.get(url))
    assert "The tax id was removed." in text_of(desk.client.post(url, follow=True))
    assert not stripe.api.customers.tax_ids.list(account.stripe_customer_id).data
    assert desk.client.post(url).status_code == 404


# Whatever fails on the way


class ProcessDied(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


@pytest.mark.parametrize(
    ("before", "module", "name"),
    sampled(
        [
            (before, module, name)
            for before in (True, False)
            for module, name in [
                (gateway, "create_customer"),
                (gateway, "update_customer"),
                (gateway, "customer"),
                (details, "write_customer"),
                (StripeOperation, "write"),
            ]
        ],
        every=2,
    ),
    ids=lambda value: str(value)[:24],
)
def test_a_process_that_dies_at_any_step_leaves_nothing_undone(
    before: bool,
    module: Any,
    name: str,
    admin: Membership,
    stripe: StripeWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, deaths = getattr(module, name), []

    def dying(*args: Any, **asked: Any) -> Any:
        if deaths:
            return real(*args, **asked)
        deaths.append(name)
        raise ProcessDied(None if before else real(*args, **asked))

    monkeypatch.setattr(module, name, dying)
    wanted = {"po_number": ("", "4711"), "copies_to": ([], ["books@acme.test"])}
    with pytest.raises(ProcessDied):
        change(admin, **wanted)
    sweep_everything()
    # One who presses again, as a person does whose page did not answer, changes nothing more.
    change(admin, **wanted)
    assert at_stripe(stripe).invoice_settings.custom_fields[0].value == "4711"
    assert BillingAccount.objects.get().copies_to == ["books@acme.test"]
    assert AuditEvent.objects.filter(action="details.changed").count() == 1
    assert not StripeOperation.objects.exclude(state=OperationState.DONE).exists()


# Further mails for invoices


@pytest.mark.slow
def test_further_addresses_get_each_new_invoice_once(
    stripe: StripeWorld, admin: Membership, account: BillingAccount
) -> None:
    old = stripe.invoice(account)
    reconcile(account.organization)
    change(admin, copies_to=([], ["books@acme.test", "list@acme.test"]))
    invoice = stripe.invoice(account, finalize=False)
    sync_invoice(account, invoice.id)
    assert not OutgoingEmail.objects.filter(kind="invoice_issued").exists()
    stripe.api.invoices.finalize_invoice(invoice.id, {"auto_advance": False})
    for _time in range(2):
        sync_invoice(account, invoice.id)
        sync_invoice(account, old.id)
    mails = OutgoingEmail.objects.filter(kind="invoice_issued")
    assert {mail.to for mail in mails} == {"books@acme.test", "list@acme.test"}
    row = Invoice.objects.get(stripe_id=invoice.id)
    for mail in mails:
        assert row.hosted_url not in str(mail.params)
        rendered = renderer_of(mail.kind)(mail)
        assert row.hosted_url in rendered.text
        assert "$10.00" in rendered.subject
    stripe.api.invoices.void_invoice(invoice.id)
    sync_invoice(account, invoice.id)
    with pytest.raises(NoLongerNeeded):
        renderer_of("invoice_issued")(mails[0])


def test_countries_are_named_in_the_readers_language() -> None:
    assert country_name("DE") == "Germany"
    with override("de"):
        assert country_name("DE") == "Deutschland"
    codes = [code for code, _name in countries()]
    assert len(codes) > 240
    assert all(re.fullmatch("[A-Z]{2}", code) for code in codes)
    assert not {"EU", "UN", "ZZ"} & set(codes)
    assert country_name("QQ") == "QQ"


def test_a_change_that_came_to_nothing_is_outdated_by_none(
    admin: Membership, account: BillingAccount
) -> None:
    assert change(admin, copies_to=([], [])) is None
    with pytest.raises(PageOutdated):
        change(admin, copies_to=(["x@acme.test"], ["y@acme.test"]))
    assert not AuditEvent.objects.filter(action="details.changed").exists()
