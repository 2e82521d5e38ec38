"""What may be typed to invite and to decline.

Mutants of ``forms.py`` that are the same program: those without the last name in a ``field_order``, as the
field that isn't named comes last. A field's height, and what the browser offers in it, change nothing that is
sent.
"""

from django.http import QueryDict

from invitations.forms import (
    MANAGER_ROLES,
    MEMBER_ROLES,
    MOST_AT_ONCE,
    AddressesForm,
    DeclineForm,
    ManagerInvitationForm,
    MemberInvitationForm,
    shown_generation,
)
from invitations.refusals import Reason, sentence_for_invitee
from invitations.roles import WHAT_ROLE_DOES
from invitations.services.mail_limits import MAILS_PER_DAY
from orgs.policy import Role

ADDRESS = "lee@ledger.test"


def test_each_form_asks_for_addresses_first_and_offers_the_roles_of_its_page() -> None:
    assert list(MemberInvitationForm().fields) == ["email", "role"]
    assert list(ManagerInvitationForm().fields) == ["email", "role", "last_day"]
    assert [(role.value, role.label) for role in (Role.MEMBER, Role.ADMIN)] == MEMBER_ROLES
    assert [(role.value, role.label) for role in (Role.BILLING_MANAGER, Role.BILLING_VIEWER)] == MANAGER_ROLES


def test_commas_alone_are_no_address_and_50_addresses_are_not_too_many() -> None:
    for typed, error in (
        (" ,; ", "Enter an email address."),
        (",".join(f"p{number}@ledger.test" for number in range(MOST_AT_ONCE)), ""),
        (",".join(f"p{number}@ledger.test" for number in range(MOST_AT_ONCE + 1)), "Enter at most 50"),
    ):
        form = AddressesForm({"email": typed})
        assert form.is_valid() == (not error)
        assert error in str(form.errors)


def test_a_billing_manager_whose_form_says_no_more_has_all_that_the_role_gives_and_stays() -> None:
    form = ManagerInvitationForm({"email": ADDRESS})
    assert form.is_valid()
    assert (form.cleaned_data["role"], form.cleaned_data["last_day"]) == (Role.BILLING_MANAGER, None)


def test_what_one_form_takes_can_be_mailed_in_a_day() -> None:
    assert MOST_AT_ONCE <= MAILS_PER_DAY


def test_a_form_that_names_no_generation_acts_on_none() -> None:
    for sent, shown in (("generation=2", 2), ("generation=x", 0), ("", 0)):
        assert shown_generation(QueryDict(sent)) == shown


def test_a_decline_may_say_nothing_or_500_letters() -> None:
    for letters, taken in ((0, True), (500, True), (501, False)):
        assert DeclineForm({"generation": 1, "message": "x" * letters}).is_valid() == taken


def test_every_reason_is_a_code_with_a_sentence_for_each_who_reads_it() -> None:
    for reason in Reason:
        assert reason.value == reason.name.lower()
        assert str(reason.label).endswith(".")
        assert sentence_for_invitee(reason, "Acme").endswith(".")


def test_what_every_role_does_is_told_to_who_is_invited_to_it() -> None:
    assert set(WHAT_ROLE_DOES) == set(Role)
