"""A form acts on what its page showed, or not at all: whoever decided by an earlier state looks once more."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from billing.models import BillingAccount, Invoice, InvoiceStatus, PaymentStatus
from invitations.models import Invitation
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.billing.factories import BillingAccountFactory, InvoiceFactory
from tests.billing.presses import pay_buttons
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text
from tests.races import at_once
from tests.test_access import INSIDE

pytestmark = pytest.mark.django_db

Data = dict[str, Any]
ASKED_ANEW = "Nothing was done. Check it, then try again."


def question(client: Client, url: str) -> tuple[str, Data]:
    """Open a page that asks. Returns what its form sends, and where to."""
    page = client.get(url).content.decode()
    form = re.search(r'<form class="card confirm".*?</form>', page, re.DOTALL)
    assert form is not None
    action = re.search(r'action="([^"]*)"', form[0])
    assert action is not None
    fields = re.findall(r'<input\s+name="(\w+)"\s+type="hidden"\s+value="([^"]*)"', form[0])
    return action[1], dict(fields)


def menu_button(client: Client, list_url: str, act_url: str) -> tuple[str, Data]:
    """What the button of a row's menu sends, and where to."""
    page = client.get(list_url).content.decode()
    button = re.search(rf'<button[^>]*formaction="{act_url}"[^>]*>', page)
    assert button is not None
    name, value = (re.search(rf'\b{part}="([^"]*)"', button[0]) for part in ("name", "value"))
    assert name is not None
    assert value is not None
    return act_url, {name[1]: value[1]}


@dataclass(frozen=True)
class Scene:
    """A person and an invitation in an organization, and an admin who looks at them."""

    admin: Membership
    client: Client
    person: Membership
    manager: Membership
    invitation: Invitation
    invoice: Invoice

    def url(self, name: str, pk: object) -> str:
        return reverse(name, args=[self.admin.organization.slug, pk])

    def page(self, name: str) -> str:
        return reverse(name, args=[self.admin.organization.slug])


@pytest.fixture
def scene(admin: Membership, member: Membership, billing_manager: Membership, sign_in: SignIn) -> Scene:
    return Scene(
        admin=admin,
        client=sign_in(admin),
        person=member,
        manager=billing_manager,
        invitation=InvitationFactory(
            organization=admin.organization, inviter=admin, sent_at=timezone.now() - timedelta(hours=1)
        ),
        invoice=open_invoice(admin.organization),
    )


def open_invoice(organization: Organization) -> Invoice:
    """One that failed, with a card that can pay it."""
    BillingAccountFactory(organization=organization)
    return InvoiceFactory(
        organization=organization,
        status=InvoiceStatus.OPEN,
        payment_status=PaymentStatus.FAILED,
        amount_paid=0,
        amount_remaining=60_000,
    )


def give_person_another_role(scene: Scene) -> None:
    Membership.objects.filter(pk=scene.person.pk).update(role=Role.ADMIN)


def give_manager_another_last_day(scene: Scene) -> None:
    Membership.objects.filter(pk=scene.manager.pk).update(last_day=date(2998, 1, 31))


def send_again(scene: Scene) -> None:
    Invitation.objects.filter(pk=scene.invitation.pk).update(generation=2)


def change_of_role(scene: Scene) -> tuple[str, Data]:
    return question(scene.client, f"{scene.url('member_role', scene.person.pk)}?role=billing_manager")


def last_day(scene: Scene) -> tuple[str, Data]:
    action, shown = question(scene.client, scene.url("manager_last_day", scene.manager.pk))
    return action, {**shown, "last_day": "2999-01-31"}


def removal(scene: Scene) -> tuple[str, Data]:
    return question(scene.client, scene.url("member_remove", scene.person.pk))


def revocation(scene: Scene) -> tuple[str, Data]:
    return question(scene.client, scene.url("invitation_revoke", scene.invitation.pk))


def resending(scene: Scene) -> tuple[str, Data]:
    return menu_button(
        scene.client, scene.page("billing"), scene.url("invitation_resend", scene.invitation.pk)
    )


def copying(scene: Scene) -> tuple[str, Data]:
    return menu_button(
        scene.client, scene.page("billing"), scene.url("invitation_copy_link", scene.invitation.pk)
    )


def credit_a_part(scene: Scene) -> None:
    Invoice.objects.filter(pk=scene.invoice.pk).update(amount_remaining=45_000)


def save_another_card(scene: Scene) -> None:
    BillingAccount.objects.update(payment_method_id="pm_other", card_last4="4444")


def paying(scene: Scene) -> tuple[str, Data]:
    (button,) = pay_buttons(scene.client, scene.admin.organization)
    return button.url, button.sends


def paying_on_its_page(scene: Scene) -> tuple[str, Data]:
    (button,) = pay_buttons(scene.client, scene.admin.organization, f"invoices/{scene.invoice.pk}/")
    return button.url, button.sends


@dataclass(frozen=True)
class Act:
    """``draw``: opens its page; ``change``: what happens meanwhile; ``asks``: a page asks before the act.

    ``says``: what is read where it was not done.
    """

    draw: Callable[[Scene], tuple[str, Data]]
    change: Callable[[Scene], None]
    asks: bool
    says: str = ASKED_ANEW


ACTS = {
    "member_role": Act(change_of_role, give_person_another_role, asks=True),
    "member_remove": Act(removal, give_person_another_role, asks=True),
    "manager_last_day": Act(last_day, give_manager_another_last_day, asks=True),
    "invitation_revoke": Act(revocation, send_again, asks=True),
    "invitation_resend": Act(resending, send_again, asks=False),
    "invitation_copy_link": Act(copying, send_again, asks=False),
    "owed_pay": Act(
        paying,
        credit_a_part,
        asks=False,
        says="The amount has changed: $450.00 is due now. Nothing was charged.",
    ),
    "invoice_pay": Act(
        paying_on_its_page,
        save_another_card,
        asks=False,
        says="The payment method has changed: Visa ending 4444 pays now. Nothing was charged.",
    ),
}
# Finds billing managers only, so that who has another role now isn't found at all.
WITHOUT = {"manager_remove"}


def state(scene: Scene) -> object:
    memberships = Membership.objects.order_by("pk").values_list("pk", "role", "last_day")
    invitations = Invitation.objects.order_by("pk").values_list("pk", "state", "generation")
    return list(memberships), list(invitations), AuditEvent.objects.count()


def press(scene: Scene, form: tuple[str, Data]) -> HttpResponse:
    return scene.client.post(*form, follow=True)


def test_every_act_on_one_row_is_in_the_table() -> None:
    of_one_row = {
        name
        for name in INSIDE
        if name.startswith(("member_", "manager_", "invitation_")) or name.endswith("_pay")
    }
    assert of_one_row == {*ACTS, *WITHOUT}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_on_what_is_still_so_is_done(name: str, scene: Scene) -> None:
    before = state(scene)
    press(scene, ACTS[name].draw(scene))
    assert state(scene) != before


@pytest.mark.parametrize("name", ACTS)
def test_an_act_on_what_has_changed_is_not_done_and_asked_anew(name: str, scene: Scene) -> None:
    act = ACTS[name]
    form = act.draw(scene)
    act.change(scene)
    before = state(scene)
    answer = press(scene, form)
    assert state(scene) == before
    assert act.says in text(answer)
    if act.asks:
        assert answer.status_code == 409
        assert answer.content.decode().count('class="card confirm"') == 1


@pytest.mark.parametrize("name", ACTS)
def test_an_act_that_does_not_say_what_it_is_on_is_not_done(name: str, scene: Scene) -> None:
    url, data = ACTS[name].draw(scene)
    before = state(scene)
    for wrong in ({}, {"shown_role": "", "generation": ""}, {"shown_role": "owner", "generation": "9" * 40}):
        kept = {key: value for key, value in data.items() if key == "role"}
        press(scene, (url, {**kept, **wrong}))
    assert state(scene) == before


@pytest.mark.parametrize("name", [name for name, act in ACTS.items() if act.asks])
def test_the_question_asked_anew_can_be_answered(name: str, scene: Scene) -> None:
    act = ACTS[name]
    form = act.draw(scene)
    act.change(scene)
    press(scene, form)
    before = state(scene)
    press(scene, act.draw(scene))
    assert state(scene) != before


def test_the_question_asked_anew_says_that_the_person_is_an_admin_now(scene: Scene) -> None:
    form = removal(scene)
    give_person_another_role(scene)
    assert "They are an admin of this organization." in text(press(scene, form))


def test_removing_a_billing_manager_who_got_another_role_removes_nobody(scene: Scene) -> None:
    form = question(scene.client, scene.url("manager_remove", scene.manager.pk))
    Membership.objects.filter(pk=scene.manager.pk).update(role=Role.MEMBER)
    assert press(scene, form).status_code == 404
    assert Membership.objects.filter(pk=scene.manager.pk).exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_a_removal_and_a_change_of_role_at_once_one_is_done(admin: Membership, sign_in: SignIn) -> None:
    for _round in range(5):
        target = MembershipFactory(organization=admin.organization, role=Role.MEMBER)
        slug = admin.organization.slug
        remove, change = (reverse(name, args=[slug, target.pk]) for name in ("member_remove", "member_role"))
        clients = [sign_in(admin), sign_in(admin)]
        at_once(
            lambda: clients[0].post(remove, {"shown_role": "member"}),
            lambda: clients[1].post(change, {"shown_role": "member", "role": "billing_manager"}),
        )
        left = Membership.objects.filter(pk=target.pk).first()
        changed = AuditEvent.objects.filter(action="membership.role_changed", target_id=target.user_id)
        assert changed.exists() is (left is not None)
