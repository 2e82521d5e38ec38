"""The product creates its customers' organizations by a service token: once each, and nothing about money.

One mutant of ``provisioning_api.py`` is the same program: a list that reads two rows more than it answers, as
one is enough to tell that another page follows.
"""

import re
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from billing.closings import closing_version
from billing.models import BillingAccount, StripeOperation
from billing.operations.closing import close_due, close_organization
from invitations import services as invitations
from invitations.models import Invitation, State
from invitations.services import mail_limits
from orgs.models import Membership, Organization
from orgs.policy import Denied, Permission, Role
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from tests.api.program import (
    Program,
    is_problem,
    program_of,
    program_of_host,
    told,
)
from tests.billing.factories import BillingAccountFactory
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_mail
from tests.races import at_once
from tokens.models import ServiceToken
from tokens.secret import digest_of

pytestmark = pytest.mark.django_db
P = Permission
ROOT = "/provisioning/organizations"
ACME = {"external_id": "cus:42", "name": "Acme Robotics", "admin": {"email": "Ada@acme.test"}}
LEE = {"email": "lee@acme.test", "role": "member"}


def provisioned(program: Program, **changes: object) -> Organization:
    created = told(program.post(ROOT, {**ACME, **changes}), 201)
    return Organization.objects.get(pk=created["id"])


def test_an_organization_waits_for_its_first_admin() -> None:
    created = told(program_of_host().post(ROOT, {**ACME, "edition": "enterprise-growth"}), 201)
    organization = Organization.objects.get()
    assert (created["id"], created["external_id"], created["created"]) == (
        str(organization.pk),
        "cus:42",
        True,
    )
    assert (created["slug"], created["edition"], created["has_admin"]) == (
        "acme-robotics",
        "enterprise-growth",
        False,
    )
    assert not Membership.objects.exists()
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.of_no_person) == ("ada@acme.test", Role.ADMIN, True)
    mail = OutgoingEmail.objects.get()
    text = renderer_of(mail.kind)(mail).text
    assert "Billing Portal invites ada@acme.test to the organization Acme Robotics as admin" in text
    # Whether the address has an account plays no part: its person decides.
    ada = UserFactory(email="ada@acme.test")
    invitations.accept(user=ada, claim=by_mail(invitation))
    assert Membership.objects.get().user == ada
    assert told(program_of_host().get(f"{ROOT}/cus:42"))["has_admin"] is True


def test_the_log_tells_that_the_product_did_it(admin: Membership) -> None:
    program = program_of_host()
    organization = provisioned(program)
    told(program.post(f"{ROOT}/cus:42/rename", {"name": "Acme"}))
    told(program.post(f"{ROOT}/cus:42/people", {"people": [LEE]}))
    events = AuditEvent.objects.for_org(organization.pk).order_by("id")
    assert [event.action for event in events] == [
        "organization.created",
        "invitation.sent",
        "organization.renamed",
        "invitation.sent",
    ]
    token = ServiceToken.objects.get()
    for event in events:
        assert str(event).startswith("The product ")
        assert (event.actor_kind, event.token_id, event.token_name) == ("host", token.pk, token.name)


def test_the_same_request_again_creates_nothing() -> None:
    program = program_of_host()
    first = told(program.post(ROOT, ACME), 201)
    told(program.post(f"{ROOT}/cus:42/rename", {"name": "Acme"}))
    again = told(program.post(ROOT, {**ACME, "admin": {"email": "ADA@acme.test"}}), 201)
    assert again == {**first, "created": False, "name": "Acme"}
    is_problem(program.post(ROOT, {**ACME, "admin": {"email": "eve@acme.test"}}), 409)
    assert (Organization.objects.count(), Invitation.objects.count(), OutgoingEmail.objects.count()) == (
        1,
        1,
        1,
    )


def test_the_product_learns_that_an_organization_closes_and_is_closed() -> None:
    program = program_of_host()
    organization = provisioned(program)
    invitations.accept(user=UserFactory(email="ada@acme.test"), claim=by_mail(Invitation.objects.get()))
    people = f"{ROOT}/cus:42/people"
    assert told(program.get(f"{ROOT}/cus:42"))["closes_after"] is None
    close_organization(
        actor=Membership.objects.get(organization=organization), shown=closing_version(organization)
    )
    again = told(program.post(ROOT, ACME), 201)
    assert (again["closes_after"], again["closed_at"]) == (
        str(timezone.now().date() + timedelta(days=30)),
        None,
    )
    assert "is closing" in is_problem(program.post(people, {"people": [LEE]}), 403)["detail"]
    Organization.objects.update(closes_after="2026-01-31")
    close_due()
    assert told(program.get(f"{ROOT}/cus:42"))["closed_at"] is not None
    assert "was closed" in is_problem(program.post(ROOT, ACME), 409)["detail"]
    for path, body in ((people, {"people": [LEE]}), (f"{ROOT}/cus:42/rename", {"name": "Acme"})):
        assert "is closed" in is_problem(program.post(path, body), 403)["detail"]


def test_with_a_key_the_first_answer_comes_again() -> None:
    program = program_of_host()
    first = program.post(ROOT, ACME, **{"idempotency-key": "a"})
    again = program.post(ROOT, ACME, **{"idempotency-key": "a"})
    assert (first.json(), again.headers["Idempotency-Replayed"]) == (again.json(), "true")
    is_problem(program.post(ROOT, {**ACME, "name": "Other"}, **{"idempotency-key": "a"}), 422)
    # Another token's keys are its own.
    assert told(program_of_host().post(ROOT, ACME, **{"idempotency-key": "a"}), 201)["created"] is False


@pytest.mark.django_db(transaction=True)
def test_two_at_once_create_one() -> None:
    programs = [program_of_host(), program_of_host()]
    answers = at_once(*(lambda program=program: program.post(ROOT, ACME).json() for program in programs))
    assert sorted(answer["created"] for answer in answers) == [False, True]
    assert len({answer["id"] for answer in answers}) == 1
    assert (Organization.objects.count(), Invitation.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"external_id": ""}, "body.external_id"),
        ({"external_id": "a/b"}, "body.external_id"),
        ({"external_id": ".."}, "body.external_id"),
        ({"external_id": "x" * 101}, "body.external_id"),
        ({"name": "\u3164"}, "body.name"),
        ({"name": "x" * 81}, "body.name"),
        ({"name": "  "}, "body.name"),
        ({"name": "Visit https://evil.example"}, "body.name"),
        ({"edition": "free"}, "body.edition"),
        ({"admin": {}}, "body.admin.email"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], place: str) -> None:
    problem = is_problem(program_of_host().post(ROOT, {**ACME, **changes}), 422)
    assert [error["at"] for error in problem["errors"]] == [place]


def test_whose_edition_is_none_reads_which_there_are() -> None:
    problem = is_problem(program_of_host().post(ROOT, {**ACME, "edition": "free"}), 422)
    (error,) = problem["errors"]
    assert (error["at"], error["message"].count("team-growth")) == ("body.edition", 1)
    assert ", business-critical." in error["message"]


@pytest.mark.parametrize("address", ["nobody", "", "\ud800@acme.test", "x@acme.test\nBcc: y@acme.test"])
def test_with_a_wrong_address_nothing_is_made(address: str) -> None:
    is_problem(program_of_host().post(ROOT, {**ACME, "admin": {"email": address}}), 409)
    assert not Organization.objects.exists()
    assert not AuditEvent.objects.exists()


def test_organizations_are_listed_a_page_at_a_time(admin: Membership) -> None:
    program = program_of_host()
    for number in range(3):
        provisioned(program, external_id=f"c{number}")
    first = told(program.get(f"{ROOT}?limit=2"))
    second = told(program.get(f"{ROOT}?limit=2&cursor={first['next']}"))
    assert [one["external_id"] for one in first["data"] + second["data"]] == ["c2", "c1", "c0", None]
    assert [one["has_admin"] for one in second["data"]] == [False, True]
    assert second["next"] is None
    is_problem(program.get(f"{ROOT}?cursor=x"), 422)
    is_problem(program.get(f"{ROOT}/unknown"), 404)


def test_people_are_brought_in_as_from_a_file() -> None:
    program = program_of_host()
    organization = provisioned(program)
    there = MembershipFactory(organization=organization, role=Role.MEMBER, user__email="bo@acme.test")
    people = [
        LEE,
        {"email": "ada@acme.test", "role": "admin"},
        {"email": "bo@acme.test", "role": "member"},
        {"email": "bo@acme.test", "role": "admin"},
        {"email": "nobody", "role": "member"},
        {"email": "kim@acme.test", "role": "billing_manager"},
    ]
    answered = told(program.post(f"{ROOT}/cus:42/people", {"people": people}))["data"]
    assert [one["outcome"] for one in answered] == [
        "invited",
        "waiting",
        "belongs",
        "refused",
        "refused",
        "invited",
    ]
    assert "belongs to Acme Robotics already" in answered[3]["detail"]
    there.refresh_from_db()
    assert (there.role, Membership.objects.count()) == (Role.MEMBER, 1)
    again = told(program.post(f"{ROOT}/cus:42/people", {"people": people}))["data"]
    assert [one["outcome"] for one in again] == [
        "waiting",
        "waiting",
        "belongs",
        "refused",
        "refused",
        "waiting",
    ]
    assert OutgoingEmail.objects.count() == 3


def test_an_address_is_the_same_however_it_is_sent_and_a_dead_invitation_is_none() -> None:
    program = program_of_host()
    organization = provisioned(program)
    path = f"{ROOT}/cus:42/people"
    for email, outcome in ((" lee@acme.test ", "invited"), ("\tLEE@acme.test", "waiting")):
        people = [{"email": email, "role": "member"}]
        assert told(program.post(path, {"people": people}))["data"][0]["outcome"] == outcome
    Organization.objects.update(invitation_max_age_days=7)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(days=8))
    assert told(program.post(path, {"people": [LEE]}))["data"][0]["outcome"] == "invited"
    states = Invitation.objects.for_org(organization).filter(role=Role.MEMBER).order_by("sent_at")
    assert [one.state for one in states] == [State.EXPIRED, State.PENDING]


@pytest.mark.parametrize("email", ["a\0@acme.test", "\ud800@acme.test"])
def test_what_can_not_be_kept_is_no_address(email: str) -> None:
    program = program_of_host()
    provisioned(program)
    for headers in ({}, {"idempotency-key": "a"}):
        people = [LEE, {"email": email, "role": "member"}]
        problem = is_problem(program.post(f"{ROOT}/cus:42/people", {"people": people}, **headers), 422)
        assert [error["at"] for error in problem["errors"]] == ["body.people.1.email"]
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("name", [" Acme Robotics ", "X"])
def test_spaces_around_a_name_are_not_kept(name: str) -> None:
    assert provisioned(program_of_host(), name=name).name == name.strip()


def test_more_than_100_people_at_once_are_refused_before_any_is_invited() -> None:
    program = program_of_host()
    provisioned(program)
    problem = is_problem(program.post(f"{ROOT}/cus:42/people", {"people": [LEE] * 101}), 422)
    assert [error["at"] for error in problem["errors"]] == ["body.people"]


def test_the_edition_limits_hold_for_the_product_too() -> None:
    program = program_of_host()
    provisioned(program)
    people = [{"email": f"m{n}@acme.test", "role": "billing_manager"} for n in range(2)]
    answered = told(program.post(f"{ROOT}/cus:42/people", {"people": people}))["data"]
    assert [one["outcome"] for one in answered] == ["invited", "refused"]
    assert "room for 1 billing manager" in answered[1]["detail"]


def test_each_kind_of_person_needs_its_scope() -> None:
    provisioned(program_of_host())
    program = program_of_host(P.MEMBERS_INVITE)
    people = [LEE, {"email": "kim@acme.test", "role": "billing_manager"}]
    problem = is_problem(program.post(f"{ROOT}/cus:42/people", {"people": people}), 403)
    assert problem["permission"] == "billing_managers.invite"
    assert Invitation.objects.count() == 1
    is_problem(program_of_host(P.ORGANIZATIONS_CREATE).post(ROOT, {**ACME, "external_id": "b"}), 403)
    assert Organization.objects.count() == 1


def test_an_admin_takes_back_what_the_product_sent() -> None:
    program = program_of_host()
    organization = provisioned(program)
    told(program.post(f"{ROOT}/cus:42/people", {"people": [LEE]}))
    ada = MembershipFactory(organization=organization, role=Role.ADMIN)
    invitation = Invitation.objects.get(email=LEE["email"])
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    resent = invitations.resend(actor=ada, invitation_id=invitation.pk)
    assert (resent.of_no_person, resent.invited_by) == (False, ada.user)
    first = Invitation.objects.get(role=Role.ADMIN)
    invitations.resend(actor=ada, invitation_id=first.pk)
    assert told(program.post(ROOT, ACME), 201)["created"] is False
    assert invitations.revoke(actor=ada, invitation_id=first.pk).state == State.REVOKED


def test_the_product_sends_an_invitation_again_once_a_minute() -> None:
    program = program_of_host()
    organization = provisioned(program)
    path = f"{ROOT}/cus:42/people/resend"
    long_ago = timezone.now() - timedelta(hours=1)
    Invitation.objects.update(sent_at=long_ago)
    for _twice in range(2):
        sent = told(program.post(path, {"email": " ADA@acme.test"}))
        assert (sent["email"], sent["role"]) == ("ada@acme.test", "admin")
    assert Invitation.objects.get().generation == 2
    assert OutgoingEmail.objects.count() == 2
    # Of a person's, the product becomes the inviter.
    ada = MembershipFactory(organization=organization, role=Role.ADMIN)
    lee = invitations.invite_by_mail(actor=ada, email=LEE["email"], role=Role.BILLING_MANAGER)
    Invitation.objects.update(sent_at=long_ago)
    refused = is_problem(program_of_host(P.MEMBERS_INVITE).post(path, {"email": lee.email}), 403)
    assert refused["permission"] == "billing_managers.invite"
    told(program.post(path, {"email": lee.email}))
    lee.refresh_from_db()
    assert (lee.of_no_person, lee.invited_by, lee.generation) == (True, None, 2)
    is_problem(program.post(path, {"email": "nobody@acme.test"}), 404)
    is_problem(program.post(path, {"email": "nobody"}), 409)


def test_at_the_limit_of_mails_a_program_reads_when_to_go_on(
    admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_limits, "MAILS_PER_DAY", 1)
    host, person = program_of_host(), program_of(admin)
    provisioned(host)
    OutgoingEmail.objects.update(created_at=timezone.now() - timedelta(hours=23))
    (brought,) = told(host.post(f"{ROOT}/cus:42/people", {"people": [LEE]}))["data"]
    assert brought["outcome"] == "refused"
    assert re.search(r"which is the limit\. Try again in 3[56]\d\d seconds\.$", brought["detail"])
    told(person.post("invitations", LEE), 201)
    refused = person.post("invitations", {**LEE, "email": "kim@acme.test"})
    assert "Copy an invite link" not in is_problem(refused, 429)["detail"]
    assert 86_300 < int(refused.headers["Retry-After"]) <= 86_400


def test_what_one_customer_of_the_product_was_mailed_keeps_back_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mail_limits, "MAILS_PER_DAY", 1)
    host = program_of_host()
    for number in range(2):
        provisioned(host, external_id=f"c{number}", admin={"email": f"ada@c{number}.test"})
    assert OutgoingEmail.objects.count() == 2


def test_the_product_changes_a_role_under_the_rules_of_the_members_page() -> None:
    program = program_of_host()
    organization = provisioned(program)
    path = f"{ROOT}/cus:42/people/role"
    mo = MembershipFactory(organization=organization, role=Role.MEMBER, user__email="mo@acme.test")
    MembershipFactory(role=Role.MEMBER, user__email="kim@acme.test")
    for _twice in range(2):
        assert told(program.post(path, {"email": "MO@acme.test", "role": "admin"}))["role"] == "admin"
    mo.refresh_from_db()
    assert mo.role == Role.ADMIN
    (event,) = AuditEvent.objects.filter(action="membership.role_changed")
    assert str(event).startswith("The product ")
    mail = OutgoingEmail.objects.get(kind="role_changed")
    assert f"{settings.PRODUCT_NAME} changed your role" in renderer_of(mail.kind)(mail).text
    refused = is_problem(program.post(path, {"email": "mo@acme.test", "role": "member"}), 409)
    assert "needs an admin" in refused["detail"]
    # Of another organization, and of nobody.
    for email in ("kim@acme.test", "nobody@acme.test"):
        is_problem(program.post(path, {"email": email, "role": "member"}), 404)


def test_the_product_links_an_organization_that_a_person_created(admin: Membership) -> None:
    program = program_of_host()
    mine = {"id": str(admin.organization_id)}
    for _twice in range(2):
        linked = told(program.ask("PUT", f"{ROOT}/cus:42", mine))
        assert (linked["id"], linked["external_id"]) == (mine["id"], "cus:42")
    assert AuditEvent.objects.filter(action="organization.linked").count() == 1
    is_problem(program.ask("PUT", f"{ROOT}/cus:43", mine), 409)
    other = {"id": str(MembershipFactory().organization_id)}
    is_problem(program.ask("PUT", f"{ROOT}/cus:42", other), 409)
    is_problem(program.ask("PUT", f"{ROOT}/cus:44", {"id": str(uuid.uuid4())}), 404)
    # The id is taken for a new one too.
    assert "somebody else was invited" in is_problem(program.post(ROOT, ACME), 409)["detail"]
    assert Organization.objects.filter(external_id="cus:42").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_organizations_linked_at_once_one_is() -> None:
    programs = [program_of_host(), program_of_host()]
    ids = [str(MembershipFactory().organization_id) for _program in programs]

    def link(number: int) -> int:
        return programs[number].ask("PUT", f"{ROOT}/cus:42", {"id": ids[number]}).status_code

    answers = at_once(lambda: link(0), lambda: link(1))
    assert sorted(answers) == [200, 409]


def test_who_declines_is_promised_no_mail_to_the_product() -> None:
    provisioned(program_of_host())
    claim = by_mail(Invitation.objects.get())
    before = OutgoingEmail.objects.count()
    assert invitations.decline(claim=claim).state == State.DECLINED
    assert OutgoingEmail.objects.count() == before


def test_a_new_name_reaches_coming_invoices_as_the_products_doing() -> None:
    program = program_of_host()
    organization = provisioned(program)
    BillingAccountFactory(organization=organization, name=organization.name)
    told(program.post(f"{ROOT}/cus:42/rename", {"name": "Acme"}))
    told(program.post(f"{ROOT}/cus:42/rename", {"name": "Acme"}))
    operation = StripeOperation.objects.get()
    assert (operation.kind, operation.actor_kind) == ("rename_customer", "host")
    assert AuditEvent.objects.filter(action="organization.renamed").count() == 1


def test_nothing_of_money_is_made() -> None:
    provisioned(program_of_host(), edition="enterprise")
    assert not StripeOperation.objects.exists()
    assert not BillingAccount.objects.exclude(stripe_customer_id="").exists()
    assert Organization.objects.get().seats is None


def test_tokens_are_made_and_revoked_at_the_console() -> None:
    said, aside = StringIO(), StringIO()
    call_command("make_service_token", "Signup", "--scope", "organizations.list", stdout=said, stderr=aside)
    secret = said.getvalue().strip()
    token = ServiceToken.objects.get()
    assert (token.digest, token.start, token.scopes) == (
        digest_of(secret),
        secret[:8],
        ["organizations.list"],
    )
    assert secret not in aside.getvalue() + str(vars(token))
    program = Program("", secret)
    assert told(program.get(ROOT)) == {"data": [], "next": None}
    token.refresh_from_db()
    assert token.last_used_at is not None
    for wrong in (["Signup"], ["Other", "--days", "367"], ["Other", "--days", "0"], ["\u3164"]):
        with pytest.raises(CommandError):
            call_command("make_service_token", *wrong, stdout=StringIO(), stderr=StringIO())
    call_command("revoke_service_token", "Signup", stdout=StringIO())
    is_problem(program.get(ROOT), 401)
    with pytest.raises(CommandError):
        call_command("revoke_service_token", "Signup")
    assert [str(event) for event in AuditEvent.objects.order_by("id")][1:] == [
        "Billing portal revoked the service token Signup"
    ]
    assert "list all organizations" in AuditEvent.objects.earliest("id").sentence


def test_a_token_that_ends_during_a_request_does_nothing_more() -> None:
    organization = provisioned(program_of_host())
    token = ServiceToken.objects.get()
    for act in (
        lambda: invitations.provision(
            token=token, external_id="b", name="B", edition_code="team-growth", admin="b@acme.test"
        ),
        lambda: invitations.bring_in(actor=token.within(organization), email="b@acme.test", role=Role.MEMBER),
    ):
        ServiceToken.objects.update(expires_at=timezone.now())
        with pytest.raises(ServiceToken.DoesNotExist):
            act()
    assert (Organization.objects.count(), Invitation.objects.count()) == (1, 1)


def test_the_verb_asks_the_scopes_again_behind_the_gate() -> None:
    program_of_host(P.ORGANIZATIONS_LIST, P.MEMBERS_INVITE)
    with pytest.raises(Denied, match=r"organizations\.create"):
        invitations.provision(
            token=ServiceToken.objects.get(),
            external_id="b",
            name="B",
            edition_code="team-growth",
            admin="b@acme.test",
        )
    assert not Organization.objects.exists()
