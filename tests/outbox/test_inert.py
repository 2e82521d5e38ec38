"""Other people's words in mails: as they were typed to the eye, and no link to any program."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbox.inert import GAP, inert
from tests.linkifiers import links

HONEST = [
    "J.P. Morgan",
    "C.S.I.R.",
    "Dr. No",
    "St. John & Co.",
    "Foo A/S",
    "and/or",
    "Yahoo!",
    "O’Reilly, Inc.",
    "Ferro: Söhne",
    ".NET Foundation",
    "Jean-Luc d'Arc",
    "می‌خواهم",
    "क्‍ष",
    "Kim 👨‍👩‍👧",
    "ジョン・スミス",
    "A @ B",
    "Gel·lida",
    "",
]
LINKS = [
    "evil.example",
    "Account locked. Visit evil-login.com",
    "x@evil.example",
    "x＠evil．example",
    "x﹫evil。example",
    "evil｡example",
    "evil․example",
    "evil﹒example",
    "evil︒example",
    "ｅｖｉｌ．ｃｏｍ",
    "evil.ﬁ",
    "пример.рф",
    "例え。テスト",
    "उदाहरण.भारत",
    "도메인.한국",
    "192.168.0.1",
    "1.2.3.4",
    "evil.example:8080",
    "[2001:db8::1]",
    "mailto:x@evil.example",
    "javascript:alert(1)",
    "tel:112",
    "tel：112",
    "https://evil.example/login?a=b",
    "https：／／evil．example",
    "//evil.example",
    "\\\\evil\\share",
    "www.evil.example",
    "J.P.Morgan.com",
    "a.b.com",
    "evil.\u200dcom",
    "evil\u200d.com",
    "x@\u0301evil.com",
    "evil.com.",
    "⒈com",
    "www.a.b",
    "(evil.com)",
]


@pytest.mark.parametrize("text", HONEST)
def test_an_honest_name_stays_as_it_was_typed(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize("text", LINKS)
def test_what_a_program_would_link_is_no_link_and_reads_the_same(text: str) -> None:
    assert links(text), "one of the programs must see a link here"
    assert not links(inert(text))
    assert inert(text).replace(GAP, "") == text


PIECES = [
    *"aZ7é한あя-_ \n'\"()<>.。．｡․@＠:：/／\\\u200d\u200c\u200b\u2060\ufe0fﬁ⒈…",
    "com",
    "http",
    "www",
    "xn--",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_no_words_whatever_become_a_link(text: str) -> None:
    assert not links(inert(text))
    assert inert(text).replace(GAP, "") == text


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_taken(text: str) -> None:
    assert inert(text).replace(GAP, "") == text.replace(GAP, "")
