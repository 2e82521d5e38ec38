"""What is read: lists by page, members without names, figures in minor units."""

from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

import pytest
from django.http import StreamingHttpResponse
from django.utils import timezone

from bench.statements import sent_statements
from orgs.models import Membership, Organization
from orgs.policy import GRANTS, Permission, Role
from tests.api.program import Program, is_problem, program_of, program_of_organization, told
from tests.api.test_access import browser
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, SubscriptionFactory
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
P = Permission


def all_pages(program: Program, path: str) -> list[dict[str, object]]:
    rows, cursor = [], ""
    while cursor is not None:
        page = told(program.get(f"{path}?limit=2{cursor and f'&cursor={cursor}'}"))
        assert len(page["data"]) <= 2
        rows += page["data"]
        cursor = page["next"]
    return rows


def test_members_come_a_page_at_a_time(admin: Membership, billing_manager: Membership) -> None:
    at = timezone.now() - timedelta(days=1)
    people = [MembershipFactory(organization=admin.organization, joined_at=at) for _number in range(4)]
    listed = all_pages(program_of(admin), "members")
    assert listed[0]["id"] == str(admin.pk)
    assert {row["id"] for row in listed[1:]} == {str(person.pk) for person in people}
    assert len(listed) == 5
    assert listed[0]["email"] == admin.user.email


def test_a_billing_manager_reads_no_names(admin: Membership, billing_manager: Membership) -> None:
    answer = browser(billing_manager, admin.organization.slug).get("members")
    (row,) = told(answer)["data"]
    assert row == {
        "id": str(admin.pk),
        "role": "admin",
        "joined_at": row["joined_at"],
        "user_id": None,
        "name": None,
        "email": None,
    }
    assert row["joined_at"].endswith("Z")
    for hidden in (admin.user.name, admin.user.email, str(admin.user_id)):
        assert hidden.encode() not in answer.content


def test_a_token_that_may_not_see_members_reads_no_names_either(admin: Membership) -> None:
    (row,) = told(program_of(admin, P.MEMBERS_API_LIST).get("members"))["data"]
    assert (row["name"], row["email"], row["user_id"]) == (None, None, None)


def test_billing_managers_have_mails_for_those_who_may(
    admin: Membership, billing_manager: Membership
) -> None:
    email = billing_manager.user.email
    (row,) = told(program_of(admin).get("billing-managers"))["data"]
    assert (row["email"], row["name"]) == (email, billing_manager.user.name)
    type(billing_manager.user).objects.filter(pk=billing_manager.user_id).update(name="")
    answer = browser(billing_manager, admin.organization.slug).get("billing-managers")
    assert email.encode() not in answer.content


def test_the_audit_log_comes_as_codes(admin: Membership) -> None:
    program = program_of(admin)
    for number in range(3):
        told(program.post("invitations", {"email": f"{number}@example.test", "role": "member"}), 201)
    events = all_pages(program, "audit-events")
    assert [event["action"] for event in events] == ["invitation.sent"] * 3
    assert events[0]["id"] > events[1]["id"]
    assert events[0]["data"] == {"role": "member", "inviter": admin.user.name}
    assert (events[0]["actor"], events[0]["token"]) == (admin.user.name, "CI")
    assert told(program.get("audit-events?action=membership.left"))["data"] == []


@pytest.mark.parametrize("role", list(Role))
def test_authorize_answers_as_the_policy(admin: Membership, role: Role) -> None:
    person = MembershipFactory(organization=admin.organization, role=role)
    program = program_of_organization(admin.organization, P.MEMBERS_LIST)
    questions = [{"user": str(person.user_id), "permission": p.value} for p in Permission]
    answered = told(program.post("authorize/batch", {"questions": questions}))["allowed"]
    assert answered == [p in GRANTS[role] for p in Permission]
    for question, allowed in list(zip(questions, answered, strict=True))[::7]:
        asked = f"authorize?user={question['user']}&permission={question['permission']}"
        assert told(program.get(asked))["allowed"] is allowed


def test_authorize_says_no_of_others(admin: Membership) -> None:
    shut = MembershipFactory(organization=admin.organization, user=UserFactory(is_active=False))
    program = program_of(admin)
    gone = MembershipFactory(
        organization=admin.organization,
        role=Role.BILLING_MANAGER,
        last_day=timezone.now().date() - timedelta(days=1),
    )
    for user in (MembershipFactory().user_id, shut.user_id, UserFactory().pk, gone.user_id):
        for permission in ("members.list", "billing.view"):
            asked = f"authorize?user={user}&permission={permission}"
            assert told(program.get(asked))["allowed"] is False


def test_authorize_follows_the_delegation(admin: Membership, billing_manager: Membership) -> None:
    asked = f"authorize?user={billing_manager.user_id}&permission=billing_managers.invite"
    assert told(program_of(admin).get(asked))["allowed"] is False
    admin.organization.managers_manage_managers = True
    admin.organization.save()
    assert told(program_of(admin).get(asked))["allowed"] is True


def test_authorize_says_whether_and_why_use_is_to_stop(admin: Membership) -> None:
    program = program_of(admin)
    asked = f"authorize?user={admin.user_id}&permission=stacks.manage"
    assert told(program.get(asked)) == {"allowed": True, "usage_stopped": None}
    Organization.objects.update(usage_stops=True, usage_stopped_at=timezone.now(), usage_budget=2500)
    assert told(program.get(asked)) == {"allowed": True, "usage_stopped": {"since": ANY, "by": "budget"}}


def test_authorize_takes_two_statements_and_a_batch_of_a_thousand_three(admin: Membership) -> None:
    users = [UserFactory.build() for _number in range(100)]
    type(admin.user).objects.bulk_create(users)
    Membership.objects.bulk_create(
        Membership(organization=admin.organization, user=user, role=Role.MEMBER) for user in users
    )
    program = program_of_organization(admin.organization, P.MEMBERS_LIST)
    questions = [
        {"user": str(user.pk), "permission": permission}
        for user in users
        for permission in list(Permission.values)[:10]
    ]
    assert len(questions) == 1000
    stopped_at = timezone.now()
    Organization.objects.update(usage_stops=True, usage_stopped_at=stopped_at)
    with sent_statements() as batch:
        answers = told(program.post("authorize/batch", {"questions": questions}))
    with sent_statements() as single:
        answer = told(program.get(f"authorize?user={users[0].pk}&permission=members.list"))
    assert (len(single), len(batch)) == (2, 3)
    assert answers["usage_stopped"] == answer["usage_stopped"] == {"since": ANY, "by": "credits"}
    assert datetime.fromisoformat(answer["usage_stopped"]["since"]) - stopped_at < timedelta(milliseconds=1)
    assert program.post("authorize/batch", {"questions": [*questions, questions[0]]}).status_code == 422


def test_invoices_come_with_sums_in_minor_units(admin: Membership) -> None:
    organization = admin.organization
    BillingAccountFactory(organization=organization)
    old = datetime(2025, 3, 1, tzinfo=UTC)
    paid = InvoiceFactory(organization=organization, status="paid", issued_at=old, created_at=old)
    unpaid = InvoiceFactory(organization=organization, status="open")
    InvoiceFactory(organization=organization, status="draft")
    program = program_of(admin)
    listed = all_pages(program, "billing/invoices")
    assert [row["id"] for row in listed] == [str(unpaid.pk), str(paid.pk)]
    assert listed[0]["total"] == unpaid.total
    assert isinstance(listed[0]["total"], int)
    by_year = told(program.get("billing/invoices?year=2025"))["data"]
    assert [row["id"] for row in by_year] == [str(paid.pk)]
    by_state = told(program.get(f"billing/invoices?state={listed[0]['state']}"))["data"]
    assert [row["id"] for row in by_state] == [str(unpaid.pk)]
    document = told(program.get(f"billing/invoices/{unpaid.pk}"))
    assert document["sums"][-1] == {"part": "left", "amount": unpaid.amount_remaining}
    assert sum(line["amount"] for line in document["lines"]) == document["sums"][0]["amount"]


def test_standing_tells_what_is_wrong(admin: Membership) -> None:
    organization = admin.organization
    program = program_of(admin)
    assert told(program.get("billing"))["standing"] == "ok"
    BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization, status="past_due")
    InvoiceFactory(
        organization=organization,
        status="open",
        payment_status="failed",
        currency="usd",
        amount_remaining=5825,
    )
    state = told(program.get("billing"))
    assert state["standing"] == "trouble"
    assert {"failed", "overdue"} <= set(state["reasons"])
    assert state["unpaid"] == [{"currency": "usd", "amount": 5825, "state": "failed"}]
    (subscription,) = told(program.get("billing/subscriptions"))["data"]
    assert subscription["state"] == "overdue"


@pytest.mark.parametrize(
    "path", ["members", "teams", "invitations", "audit-events", "billing", "billing/invoices"]
)
def test_a_list_takes_no_more_statements_for_more_rows(admin: Membership, path: str) -> None:
    program = program_of(admin)
    program.get(path)
    with sent_statements() as few:
        told(program.get(path))
    for _number in range(5):
        MembershipFactory(organization=admin.organization)
        InvoiceFactory(organization=admin.organization, status="open")
    with sent_statements() as many:
        told(program.get(path))
    assert len(many) == len(few) <= 5


def test_charges_come_as_a_file_for_finance_tools(admin: Membership) -> None:
    InvoiceFactory(organization=admin.organization, number="A-1")
    answer = program_of(admin).get("billing/exports?dataset=invoice-detail&first=2026-11&last=2026-11")
    assert isinstance(answer, StreamingHttpResponse)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, record = answer.getvalue().decode().splitlines()
    assert head.startswith("BilledCost,BillingAccountId,")
    assert record.startswith("58.25,")


@pytest.mark.parametrize("query", ["dataset=stacks", "first=2026-13", "first=2026-11&last=2026-10"])
def test_a_file_of_what_there_is_not_is_refused(query: str, admin: Membership) -> None:
    is_problem(program_of(admin).get(f"billing/exports?{query}"), 422)
