"""A mail is sent again once, and only to somebody who could get it anyway."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from billing.mails import ACT_FAILED_MAIL, INVOICE_ISSUED_MAIL, PAYMENT_FAILED_MAIL, SUBSCRIPTION_STARTED_MAIL
from invitations.mails import INVITATION_SENT_MAIL
from orgs.mails import MEMBERSHIP_REMOVED_MAIL, ROLE_CHANGED_MAIL
from orgs.models import Membership, Organization
from orgs.policy import Role, StaffRole
from outbox.models import OutgoingEmail, State
from outbox.registry import MailKind, renderer_of
from outbox.services import enqueue
from support.acts import ACTS
from support.models import StaffSession
from tests.billing.factories import BillingAccountFactory
from tests.factories import MembershipFactory
from tests.invitations.factories import InvitationFactory
from tests.support.acts.pressing import WHY, act, ask, told
from tests.world import staff_with

pytestmark = pytest.mark.django_db

BECAUSE = "(Ticket 48213: Asked by phone)"
GONE = "may not get this any more: nobody with the right to it has this address."


@pytest.fixture
def support() -> Client:
    return staff_with(StaffRole.SUPPORT)


def mail_to(
    address: str,
    organization: Organization,
    *,
    kind: MailKind = SUBSCRIPTION_STARTED_MAIL,
    state: State = State.FAILED,
) -> OutgoingEmail:
    with transaction.atomic():
        mail = enqueue(
            kind,
            to=address,
            dedupe_key=f"{kind.code}:{address}",
            organization_id=organization.pk,
            organization=organization.name,
            slug=organization.slug,
            actor="Ada",
            own=True,
            edition="team-growth",
        )
    assert mail is not None
    sent_at = timezone.now() if state == State.SENT else None
    OutgoingEmail.objects.filter(pk=mail.pk).update(state=state, sent_at=sent_at)
    return mail


def again(mail: OutgoingEmail) -> list[str]:
    """To whom else it went."""
    return sorted(OutgoingEmail.objects.exclude(pk=mail.pk).values_list("to", flat=True))


@pytest.mark.parametrize("state", [State.FAILED, State.SENT])
def test_it_goes_once_more_in_the_same_words(support: Client, admin: Membership, state: State) -> None:
    mail = mail_to(admin.user.email, admin.organization, state=state)
    said = act(support, "send-mail-again", mail.pk)
    assert said == f"The mail to {mail.to} is on its way again."
    new = OutgoingEmail.objects.exclude(pk=mail.pk).get()
    assert (new.to, new.params, new.state) == (mail.to, mail.params, State.QUEUED)
    assert new.message_id != mail.message_id
    assert act(support, "send-mail-again", mail.pk).startswith("This mail was sent again already.")
    assert told() == [f"Support staff sent a mail again, to {mail.to} {BECAUSE}"]


def test_one_that_failed_again_is_sent_again_too(support: Client, admin: Membership) -> None:
    mail = mail_to(admin.user.email, admin.organization)
    act(support, "send-mail-again", mail.pk)
    OutgoingEmail.objects.update(state=State.FAILED)
    act(support, "send-mail-again", OutgoingEmail.objects.exclude(pk=mail.pk).get().pk)
    assert OutgoingEmail.objects.count() == 3


@pytest.mark.parametrize(
    ("state", "age", "kind", "sentence"),
    [
        (State.QUEUED, 0, SUBSCRIPTION_STARTED_MAIL, "This mail is still on its way."),
        (State.DROPPED, 0, SUBSCRIPTION_STARTED_MAIL, "What this mail told is no longer so"),
        (State.SENT, 8, SUBSCRIPTION_STARTED_MAIL, "This mail is older than 7 days"),
        (State.FAILED, 0, INVITATION_SENT_MAIL, "Send the invitation again instead"),
    ],
)
def test_what_is_dead_or_open_or_under_way_is_not_sent(
    support: Client, admin: Membership, state: State, age: int, kind: MailKind, sentence: str
) -> None:
    mail = mail_to(admin.user.email, admin.organization, state=state, kind=kind)
    OutgoingEmail.objects.update(
        created_at=timezone.now() - timedelta(days=age), params={"invitation_id": str(uuid4())}
    )
    assert act(support, "send-mail-again", mail.pk).startswith(sentence)
    assert not again(mail)
    assert not told()


def test_of_an_invitations_mail_the_dialog_leads_to_what_makes_a_new_link(
    support: Client, admin: Membership
) -> None:
    mail = mail_to(admin.user.email, admin.organization, kind=INVITATION_SENT_MAIL)
    invitation = InvitationFactory(organization=admin.organization)
    OutgoingEmail.objects.update(params={"invitation_id": str(invitation.pk)})
    for name in ("send-mail-again", "send-mail-to-another"):
        page = ask(support, name, mail.pk).content.decode()
        assert ACTS["resend-invitation"].url(invitation.pk) in page
        assert ACTS["invite"].url(admin.organization_id) in page


@pytest.mark.parametrize("params", [{}, {"invitation_id": str(uuid4())}, {"invitation_id": None}])
def test_of_an_invitation_that_is_gone_the_dialog_leads_to_a_new_one_alone(
    support: Client, admin: Membership, params: dict[str, str | None]
) -> None:
    mail = mail_to(admin.user.email, admin.organization, kind=INVITATION_SENT_MAIL)
    OutgoingEmail.objects.update(params=params)
    page = ask(support, "send-mail-again", mail.pk).content.decode()
    assert "resend-invitation" not in page
    assert ACTS["invite"].url(admin.organization_id) in page


def test_of_a_kind_that_is_no_more_nothing_is_sent(support: Client, admin: Membership) -> None:
    mail = mail_to(admin.user.email, admin.organization)
    OutgoingEmail.objects.update(kind="pigeon")
    assert act(support, "send-mail-again", mail.pk) == "The portal no longer sends mails of this kind."


def test_a_mail_about_an_account_is_the_persons_to_ask_for(support: Client, admin: Membership) -> None:
    mail = mail_to(admin.user.email, admin.organization)
    OutgoingEmail.objects.update(organization_id=None)
    assert ask(support, "send-mail-again", mail.pk).status_code == 404


def test_who_may_no_longer_see_billing_gets_no_mail_about_it(support: Client, admin: Membership) -> None:
    member = MembershipFactory(organization=admin.organization)
    for address in (member.user.email, "stranger@ledger.test"):
        mail = mail_to(address, admin.organization)
        assert act(support, "send-mail-again", mail.pk) == f"{address} {GONE}"
    assert not told()


@pytest.mark.parametrize(
    ("kind", "goes"), [(ROLE_CHANGED_MAIL, False), (MEMBERSHIP_REMOVED_MAIL, True), (ACT_FAILED_MAIL, False)]
)
def test_who_has_left_gets_what_outsiders_may_get(
    support: Client, admin: Membership, kind: MailKind, goes: bool
) -> None:
    mail = mail_to("left@ledger.test", admin.organization, kind=kind)
    act(support, "send-mail-again", mail.pk)
    assert bool(again(mail)) is goes


def test_an_address_for_invoices_gets_them_again_while_it_is_one(support: Client, admin: Membership) -> None:
    account = BillingAccountFactory(organization=admin.organization, copies_to=["Books@ledger.test"])
    first = mail_to("Books@ledger.test", admin.organization, kind=INVOICE_ISSUED_MAIL)
    act(support, "send-mail-again", first.pk)
    assert again(first) == ["Books@ledger.test"]
    other = mail_to("Books@ledger.test", admin.organization, kind=PAYMENT_FAILED_MAIL)
    assert act(support, "send-mail-again", other.pk).endswith(GONE)
    account.copies_to = []
    account.save()
    OutgoingEmail.objects.update(state=State.FAILED)
    copy = OutgoingEmail.objects.get(dedupe_key__startswith="again:")
    assert act(support, "send-mail-again", copy.pk).endswith(GONE)


def test_another_who_may_see_billing_gets_it_in_words_for_them(support: Client, admin: Membership) -> None:
    mail = mail_to("left@ledger.test", admin.organization)
    reader = MembershipFactory(organization=admin.organization, role=Role.BILLING_VIEWER)
    MembershipFactory(organization=admin.organization, role=Role.MEMBER)
    choices = ask(support, "send-mail-to-another", mail.pk).context["form"].fields["person"].choices
    assert [key for key, _label in choices] == [str(admin.pk), str(reader.pk)]
    said = act(support, "send-mail-to-another", mail.pk, person=str(reader.pk))
    assert said == f"The mail is on its way to {reader.user.email}."
    new = OutgoingEmail.objects.exclude(pk=mail.pk).get()
    assert new.to == reader.user.email
    assert "Ada started a subscription" in renderer_of(new.kind)(new).text
    assert told() == [f"Support staff sent a mail for left@ledger.test to {reader.user} {BECAUSE}"]


def test_nobody_sends_a_mail_to_themselves(support: Client, admin: Membership) -> None:
    mail = mail_to("left@ledger.test", admin.organization)
    user = StaffSession.objects.get().user
    own = MembershipFactory(organization=admin.organization, role=Role.ADMIN, user=user)
    said = act(support, "send-mail-to-another", mail.pk, person=str(own.pk))
    assert said == "You belong to this organization. Ask a colleague to do it."
    assert not again(mail)


@pytest.mark.parametrize("kind", [ROLE_CHANGED_MAIL, ACT_FAILED_MAIL])
def test_what_speaks_to_one_person_goes_to_no_other(
    support: Client, admin: Membership, kind: MailKind
) -> None:
    mail = mail_to("left@ledger.test", admin.organization, kind=kind)
    said = act(support, "send-mail-to-another", mail.pk, person=str(admin.pk))
    assert said == "Only mails about billing can go to another person."
    assert not again(mail)


def test_nobody_else_can_be_chosen(support: Client, admin: Membership) -> None:
    mail = mail_to("left@ledger.test", admin.organization)
    stranger = MembershipFactory(role=Role.ADMIN)
    for person in (stranger.pk, "x", ""):
        form = {**WHY, "person": str(person)}
        answer = support.post(ACTS["send-mail-to-another"].url(mail.pk), form)
        assert answer.status_code == 422
        assert "Choose a person." in answer.content.decode()
    assert not again(mail)


def test_billing_support_sends_mails_again_too(admin: Membership) -> None:
    mail = mail_to(admin.user.email, admin.organization)
    act(staff_with(StaffRole.BILLING_SUPPORT), "send-mail-again", mail.pk)
    assert again(mail) == [mail.to]
