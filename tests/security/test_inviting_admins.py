"""Nobody becomes an admin from a screen that was left unlocked: inviting one asks for the password again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from invitations.models import Invitation, Kind
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text
from tests.security.test_reauthentication import confirm, signed_in_long_ago

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass(frozen=True)
class Act:
    """A step that gives a role to somebody new: its form, and what the audit log then says of it."""

    url: str
    action: str
    data: dict[str, str] = field(default_factory=dict)

    def by(self, client: Client, **headers: str) -> HttpResponse:
        return client.post(self.url, self.data, headers=headers)

    @property
    def times_done(self) -> int:
        return AuditEvent.objects.filter(action=self.action).count()


def invite(admin: Membership, role: Role) -> Act:
    if role is Role.BILLING_MANAGER:
        url = reverse("managers_invite", args=[admin.organization.slug])
    else:
        url = reverse("members_invite", args=[admin.organization.slug])
    return Act(url, "invitation.sent", {"email": "lee@ledger.test", "role": role})


def make_link(admin: Membership, role: Role) -> Act:
    name = "managers_link" if role is Role.BILLING_MANAGER else "members_link"
    return Act(reverse(name, args=[admin.organization.slug]), "invitation.link_created", {"role": role})


def copy_link(admin: Membership, role: Role) -> Act:
    return Act(
        waiting_url("invitation_copy_link", admin, role), "invitation.link_copied", {"generation": "1"}
    )


def resend(admin: Membership, role: Role) -> Act:
    return Act(waiting_url("invitation_resend", admin, role), "invitation.resent", {"generation": "1"})


def waiting_url(name: str, admin: Membership, role: Role) -> str:
    """The address of a step of an invitation that was mailed an hour ago."""
    sent_at = timezone.now() - timedelta(hours=1)
    invitation = InvitationFactory(
        organization=admin.organization, inviter=admin, role=role, email="lee@ledger.test", sent_at=sent_at
    )
    return reverse(name, args=[admin.organization.slug, invitation.pk])


Prepare = Callable[[Membership, Role], Act]
every_act = pytest.mark.parametrize("prepare", [invite, make_link, copy_link, resend])


def everything() -> list[object]:
    """All that such a step writes."""
    kept = (Invitation.objects.order_by("pk"), AuditEvent.objects.order_by("pk"), OutgoingEmail.objects.all())
    return [list(rows.values()) for rows in kept]


def asks_again(where: str) -> bool:
    return urlsplit(where).path == reverse("account_reauthenticate")


@every_act
def test_an_old_sign_in_is_asked_for_the_password_first(admin: Membership, prepare: Prepare) -> None:
    act, client = prepare(admin, Role.ADMIN), signed_in_long_ago(admin)
    before = everything()
    asked = act.by(client)
    assert asked.status_code == 302
    assert asks_again(asked.headers["Location"])
    confirm(client, asked, "wrong")
    assert everything() == before


@every_act
def test_with_the_password_it_is_done_once(admin: Membership, prepare: Prepare) -> None:
    act, client = prepare(admin, Role.ADMIN), signed_in_long_ago(admin)
    asked = act.by(client)
    answer = confirm(client, asked)
    assert answer.status_code in {200, 302}
    assert act.times_done == 1
    confirm(client, asked)
    assert act.times_done == 1
    assert Invitation.objects.get().role == Role.ADMIN


@every_act
@pytest.mark.parametrize("role", [Role.MEMBER, Role.BILLING_MANAGER])
def test_other_roles_need_no_password(admin: Membership, prepare: Prepare, role: Role) -> None:
    act = prepare(admin, role)
    act.by(signed_in_long_ago(admin))
    assert act.times_done == 1


@every_act
def test_a_fresh_sign_in_is_enough(admin: Membership, prepare: Prepare, sign_in: SignIn) -> None:
    act = prepare(admin, Role.ADMIN)
    act.by(sign_in(admin))
    assert act.times_done == 1


@every_act
def test_the_second_factor_does_as_well(admin: Membership, prepare: Prepare) -> None:
    TOTP.activate(admin.user, SECRET)
    code = format_hotp_value(hotp_value(SECRET, list(yield_hotp_counters_from_time())[-1]))
    act, client = prepare(admin, Role.ADMIN), signed_in_long_ago(admin)
    question = urlsplit(act.by(client).headers["Location"])
    assert act.times_done == 0
    client.post(f"{reverse('mfa_reauthenticate')}?{question.query}", {"code": code})
    assert act.times_done == 1


@every_act
def test_whoever_may_not_invite_is_refused_without_a_question(
    admin: Membership, member: Membership, prepare: Prepare
) -> None:
    assert prepare(admin, Role.ADMIN).by(signed_in_long_ago(member)).status_code == 403


@every_act
def test_a_dialog_leads_the_window_to_the_password(admin: Membership, prepare: Prepare) -> None:
    """Never the page inside the dialog."""
    asked = prepare(admin, Role.ADMIN).by(signed_in_long_ago(admin), **HTMX)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asks_again(asked.headers["HX-Redirect"])


@pytest.mark.parametrize("prepare", [make_link, copy_link])
def test_what_a_dialog_asked_for_is_answered_to_the_window(admin: Membership, prepare: Prepare) -> None:
    act, client = prepare(admin, Role.ADMIN), signed_in_long_ago(admin)
    asked = act.by(client, **HTMX)
    asked.headers["Location"] = asked.headers["HX-Redirect"]
    page = confirm(client, asked).content.decode()
    assert act.times_done == 1
    assert "<html" in page
    assert 'id="invite-link"' in page
    assert "hx-swap-oob" not in page


def test_a_mailed_invitation_leads_back_to_the_members(admin: Membership) -> None:
    client = signed_in_long_ago(admin)
    page = client.get(confirm(client, invite(admin, Role.ADMIN).by(client)).headers["Location"])
    assert page.request["PATH_INFO"] == reverse("members", args=[admin.organization.slug])
    assert "Invitation sent to lee@ledger.test." in text(page)


def test_what_was_typed_is_still_there_when_it_is_refused(admin: Membership) -> None:
    """The form has its own address although the page has that of the question for the password."""
    act, client = invite(admin, Role.ADMIN), signed_in_long_ago(admin)
    asked = act.by(client)
    InvitationFactory(organization=admin.organization, inviter=admin, email="lee@ledger.test")
    answer = confirm(client, asked)
    assert answer.status_code == 422
    assert "is waiting already" in text(answer)
    assert "> lee@ledger.test</textarea>" in text(answer)
    assert f'action="{act.url}"' in text(answer)


def test_bad_input_is_told_without_a_question(admin: Membership) -> None:
    url = reverse("members_invite", args=[admin.organization.slug])
    answer = signed_in_long_ago(admin).post(url, {"email": "", "role": "admin"})
    assert answer.status_code == 422


def test_reloading_the_page_with_the_link_makes_no_other_one(admin: Membership) -> None:
    """A reload gives the password again, and leads to the form of a link."""
    act, client = make_link(admin, Role.ADMIN), signed_in_long_ago(admin)
    asked = act.by(client)
    confirm(client, asked)
    page = client.get(confirm(client, asked).headers["Location"])
    assert "Copy invite link" in text(page)
    assert Invitation.objects.filter(kind=Kind.LINK).count() == 1


def test_reloading_the_page_with_a_copied_link_says_what_to_do(admin: Membership) -> None:
    """A step that only its button takes has nothing to show, and says so."""
    act, client = copy_link(admin, Role.ADMIN), signed_in_long_ago(admin)
    asked = act.by(client)
    confirm(client, asked)
    page = client.get(confirm(client, asked).headers["Location"])
    assert page.status_code == 405
    assert "Nothing was done" in text(page)
    assert reverse("dashboard", args=[admin.organization.slug]) in text(page)
