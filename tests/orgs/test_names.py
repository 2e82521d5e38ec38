"""What people and organizations may be called."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.validators import validate_display_name
from orgs.models import Organization

HONEST = {
    "initials": "J.P. Morgan",
    "domain": "Booking.com",
    "domain and form": "Amazon.com, Inc.",
    "title": "Dr. No",
    "ampersand": "St. John & Co.",
    "address": "lee@ledger.test",
    "slash": "Nordvik A/S",
    "digits": "4711",
    "one letter": "X",
    "Persian": "شرکت می‌خواهم",
    "Hindi": "क्‍षेत्र",
    "Malayalam": "അവന്‍റെ",
    "emoji family": "The Parks 👨‍👩‍👧‍👦",
    "emoji with a selector": "Kim ❤️‍🔥",
    "newest emoji": "Kim 🫨",
    "selected ideograph": "葛\U000e0100城 花",
    "accents typed apart": "Zoe\u0308",
    "Thai": "บริษัท น้ำ",
    "Arabic": "مصرف الراجحي",
    "circled": "Team ①",
}
INVISIBLE = {
    "Hangul filler": "\u3164",
    "Hangul initial": "\u115f",
    "Hangul medial": "\u1160",
    "halfwidth filler": "\uffa0",
    "filler in a name": "Acme\u3164Ltd",
    "braille blank": "Acme\u2800Ltd",
    "braille blank alone": "\u2800\u2800",
    "Khmer vowel": "Acme\u17b4",
    "grapheme joiner": "Ac\u034fme",
    "null notehead": "Acme\U0001d159",
    "Egyptian blank": "Acme\U00013441",
    "Khitan filler": "Acme\U00016fe4",
    "unassigned ignorable": "Acme\U000e0fff",
    "object": "Acme\ufffc",
    "override": "Acme\u202emoc",
    "isolate": "\u2067Acme\u2069",
    "word joiner": "Ac\u2060me",
    "soft hyphen": "Ac\u00adme",
    "joiner alone": "\u200d",
    "joiner first": "\u200dAcme",
    "non-joiner last": "Acme\u200c",
    "joiners in a row": "می\u200c\u200cخواهم",
    "both joiners": "می\u200c\u200dخواهم",
    "joiner before a space": "Acme\u200d Ltd",
    "joiner beside a mark of direction": "Acme\u200d\u200fLtd",
    "surrogate": "Acme\ud800",
    "NUL": "Ac\x00me",
}
WORDLESS = {
    "nothing": "",
    "spaces": " \u00a0\u3000",
    "combining marks": "\u0301\u0308",
    "marks on a space": " \u20dd",
    "selectors": "\ufe0f\ufe0f",
    "punctuation": "!?—…",
    "symbols": "♥☆",
    "emoji only": "👨‍👩‍👧",
}
ONLY_ADDRESSES = {
    "scheme": "https://evil.example",
    "scheme in full width": "ｈｔｔｐｓ：／／evil．example",
    "www": "Visit www.evil.example",
    "www in full width": "ｗｗｗ．evil．example",
    "path": "evil.example/win",
    "path in another script": "пример.рф/вход",
    "path after an ideographic stop": "例え。テスト/",
    "angle brackets": "<Acme>",
    "full-width brackets": "＜Acme＞",
}


def code_of(name: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        validate_display_name(name)
    return str(refusal.value.code)


@pytest.mark.parametrize("name", HONEST.values(), ids=HONEST)
def test_an_honest_name_is_a_name(name: str) -> None:
    validate_display_name(name)


@pytest.mark.parametrize("name", INVISIBLE.values(), ids=INVISIBLE)
def test_what_cannot_be_seen_is_in_no_name(name: str) -> None:
    assert code_of(name) == "invisible"


@pytest.mark.parametrize("name", WORDLESS.values(), ids=WORDLESS)
def test_a_name_has_a_letter_or_digit_that_one_sees(name: str) -> None:
    assert code_of(name) == "wordless"


@pytest.mark.parametrize("name", ONLY_ADDRESSES.values(), ids=ONLY_ADDRESSES)
def test_a_web_address_is_no_name(name: str) -> None:
    assert code_of(name) == "address"


@pytest.mark.parametrize("name", [INVISIBLE["Hangul filler"], WORDLESS["combining marks"]])
def test_people_and_organizations_are_named_by_the_same_rule(name: str) -> None:
    for row in (User(name=name, email="lee@ledger.test"), Organization(name=name, slug="acme")):
        with pytest.raises(ValidationError) as refusal:
            row.clean_fields()
        assert "name" in refusal.value.message_dict


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["L", "N"])))
def test_without_letters_and_digits_there_is_no_name(name: str) -> None:
    assert code_of(name) in {"wordless", "invisible"}


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_a_refused_name_is_refused_by_the_rule_and_nothing_else(before: str, after: str) -> None:
    """Bidirectional overrides, surrogates and the like pass nowhere in a name."""
    for character in "\u202e\u2066\ud800\x1b\ue000\u3164":
        assert code_of(f"{before}{character}{after}") == "invisible"


BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\U00013441\U00013442"


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N"], exclude_characters=BLANK_LETTERS), min_size=1))
def test_words_of_every_script_are_names(name: str) -> None:
    validate_display_name(name)
