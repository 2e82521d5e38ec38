"""The links: signed with keys of their own, compact, and nothing else opens an invitation."""

import string
import uuid

import pytest
from django.test import override_settings

from invitations.claims import BadToken, Channel, Claim, claim_in, link, mint

CLAIM = Claim(uuid.UUID("8c0fd4f3-0b53-4e8e-9b5e-3b9a1a5d7c11"), 3, Channel.MAIL)


@pytest.mark.parametrize("channel", [Channel.MAIL, Channel.LINK])
def test_a_token_says_what_was_put_into_it(channel: Channel) -> None:
    claim = Claim(CLAIM.invitation_id, 12, channel)
    assert claim_in(mint(claim)) == claim


def test_a_token_is_short_and_needs_no_quoting() -> None:
    token = mint(CLAIM)
    assert len(token) <= 80
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")


def test_a_changed_token_opens_nothing() -> None:
    token = mint(CLAIM)
    for position, character in enumerate(token):
        changed = token[:position] + ("A" if character != "A" else "B") + token[position + 1 :]
        with pytest.raises(BadToken):
            claim_in(changed)


def test_a_copied_link_cannot_be_turned_into_one_of_a_mail() -> None:
    copied = mint(Claim(CLAIM.invitation_id, 3, Channel.LINK))
    assert copied[0] == "l"
    with pytest.raises(BadToken):
        claim_in("m" + copied[1:])


@pytest.mark.parametrize(
    "token", ["", ".", "x", "m.x", "ä" * 30, "m" * 5000, mint(CLAIM)[:-1], mint(CLAIM) + "A"]
)
def test_what_is_no_token_opens_nothing(token: str) -> None:
    with pytest.raises(BadToken):
        claim_in(token)


def test_a_listing_is_no_link() -> None:
    with pytest.raises(BadToken):
        claim_in(mint(Claim(CLAIM.invitation_id, 3, Channel.ACCOUNT)))


def test_the_first_key_signs_and_all_verify() -> None:
    with override_settings(INVITATION_SIGNING_KEYS=["old"]):
        old = mint(CLAIM)
    with override_settings(INVITATION_SIGNING_KEYS=["new", "old"]):
        assert claim_in(old) == CLAIM
        new = mint(CLAIM)
    with override_settings(INVITATION_SIGNING_KEYS=["new"]):
        assert claim_in(new) == CLAIM
        with pytest.raises(BadToken):
            claim_in(old)


@override_settings(SITE_URL="https://portal.example")
def test_a_link_is_on_the_site_of_the_settings() -> None:
    assert link(CLAIM) == f"https://portal.example/invitations/{mint(CLAIM)}/"
