"""Words that people typed, for mails: mail programs make a link of "evil.example", even in a subject."""

import unicodedata

# A space, since no domain holds one: programs stop at it, and a browser refuses a host with it. The thinnest
# one. A zero-width character would not do: Android's Linkify takes it for a letter, and browsers skip it.
GAP = "\u200a"

# What holds an address together, and what looks like it: the dots of domain names (RFC 3490, section 3.1) and
# the marks that Unicode lists as confusable with them (UTS #39), at signs, colons, and slashes in pairs.
JOINTS = frozenset(".。۔܁܂꘎꓿ꓸ𐩐𝅭@:∶꞉")
SLASHES = frozenset("/\\⁄∕⧸")


def inert(text: str) -> str:
    """``text`` with a hair space wherever a program could see a domain, an address or a scheme."""
    spaced = f"  {text}  "
    fives = zip(*(spaced[shift:] for shift in range(5)), strict=False)
    return "".join(five[2] + GAP if _joins(*five) else five[2] for five in fives)


def _joins(outer: str, before: str, character: str, after: str, beyond: str) -> bool:
    """Whether the character in the middle makes one address of what stands on its two sides."""
    # "⒈" brings its left side along: it reads "1.".
    if after.isspace() or (before.isspace() and len(unicodedata.normalize("NFKC", character)) == 1):
        return False
    if _is_among(SLASHES, character):
        return _is_among(SLASHES, before) or _is_among(SLASHES, after)
    if character == "." and _is_initial(outer, before) and _is_initial(beyond, after):
        # "J.P. Morgan" stays: no top-level domain is a single letter.
        return False
    return _is_among(JOINTS, character)


def _is_among(characters: frozenset[str], character: str) -> bool:
    return not characters.isdisjoint(unicodedata.normalize("NFKC", character))


def _is_initial(outer: str, letter: str) -> bool:
    """Whether a letter of a script with capitals has nothing on its other side. "ﬁ" is two letters."""
    is_letter = letter.lower() != letter.upper() and len(unicodedata.normalize("NFKC", letter)) == 1
    return is_letter and (outer == "." or outer.isspace())
