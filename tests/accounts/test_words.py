"""What allauth's pages say, in this portal's words."""

import re

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from orgs.models import Membership
from tests.conftest import SignIn
from tests.factories import PASSWORD, UserFactory


def test_signing_in_says_nothing_that_one_knows(db: None) -> None:
    client = Client()
    answer = client.post(reverse("account_login"), {"login": UserFactory().email, "password": PASSWORD})
    assert answer.status_code == 302
    assert not list(get_messages(answer.wsgi_request))


def test_labels_have_capitals_as_sentences_do(member: Membership, sign_in: SignIn) -> None:
    page = sign_in(member).get(reverse("account_change_password")).content.decode()
    labels = [" ".join(label.split()) for label in re.findall(r"<label[^>]*>([^<]+)", page)]
    assert labels == ["Current password", "New password", "New password again"]


@pytest.mark.parametrize("page", ["account_signup", "account_change_password"])
def test_the_rules_for_a_password_are_one_sentence(page: str, member: Membership, sign_in: SignIn) -> None:
    client = Client() if page == "account_signup" else sign_in(member)
    text = client.get(reverse(page)).content.decode()
    assert "At least 10 characters; no common password, and not like your name or address." in text
    assert "<ul>" not in text
