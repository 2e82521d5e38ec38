"""What mail programs would make links of, by several programs' rules and by a stricter one of our own."""

import re
import unicodedata
from html import unescape
from html.parser import HTMLParser

from django.utils.html import urlize
from linkify_it import LinkifyIt

# Beside the two-letter ones.
TOP_LEVEL = ["example", "test", "com", "рф", "テスト", "भारत", "한국"]
MARKDOWN = LinkifyIt(options={"fuzzy_link": True, "fuzzy_email": True, "fuzzy_ip": True}).tlds(
    TOP_LEVEL, True
)

# As in AndroidX's PatternsCompat, which Android's mail programs use: every character from U+00A0 on is a
# letter of a host, zero-width ones too, but spaces are not.
_LETTER = r"[a-zA-Z\u00a1-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u2fff\u3001-\ud7ff\uf900-\uffef]"
_LABEL = rf"(?:{_LETTER}|[0-9])(?:(?:{_LETTER}|[0-9_-]){{0,61}}(?:{_LETTER}|[0-9]))?"
ANDROID = re.compile(
    rf"(?:https?|rtsp|ftp)://\S+"
    rf"|(?:[a-zA-Z0-9+._%'-]{{1,64}}@)?(?:{_LABEL}\.)+{_LETTER}{{2,63}}"
    rf"|\d{{1,3}}(?:\.\d{{1,3}}){{3}}",
)

DOT = r"[.\u3002]"
STRICT = re.compile(
    rf"[^\s.]{DOT}(?=[^\W\d_][\w-]|\d)"  # a domain or an address of IPv4, whatever its end
    r"|[^\s@]@(?=[^\s@])"
    r"|\w:(?=[\w/:])"  # a scheme, a host with a port, or an address of IPv6
    r"|(?://|\\\\)(?=\w)"  # a scheme left out, or a server of Windows
    r"|\bwww\.(?=\w)"
)


def links(text: str) -> set[str]:
    """Everything in the text that some program could turn into a link."""
    found = {match.url for match in MARKDOWN.match(text) or []}
    found |= set(re.findall(r'href="([^"]*)"', urlize(text)))
    found |= set(ANDROID.findall(text)) | set(ANDROID.findall(unicodedata.normalize("NFKC", text)))
    # Some programs fold full-width letters and dots first.
    folded = unicodedata.normalize("NFKC", text)
    return found | {folded[match.start() : match.end() + 20] for match in STRICT.finditer(folded)}


class _Words(HTMLParser):
    """``words``: the texts of the body. ``addresses``: what its links lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: set[str] = set()
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unseen += tag == "style"
        self.addresses |= {value or "" for name, value in attrs if name in {"href", "src", "action"}}

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.words.append(data)


def words_and_addresses(html: str) -> tuple[str, set[str]]:
    """The visible text of a page or mail, and where its links and forms lead."""
    parser = _Words()
    parser.feed(html)
    return "".join(parser.words), {unescape(address) for address in parser.addresses}
