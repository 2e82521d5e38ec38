"""What a name that people read may be made of. What keeps names from becoming links: ``outbox/inert.py``."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Controls, formats (bidirectional overrides among them), surrogates, private use, ends of lines.
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Words of Persian and of Indic scripts and emoji families need the two joiners (Unicode, section 23.2).
JOINERS = frozenset("\u200c\u200d")
# What draws nothing, though its category says letter, mark, symbol or nothing yet: fillers, blanks, and the
# rest of Unicode's Default_Ignorable_Code_Point. Only variation selectors may stay: emoji, and ideographs in
# Japanese names, need them.
BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0-\ufffc\ufffe\uffff"
    "\U00013441\U00013442\U00016fe4\U0001d159\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)

# "Click evil.example to win" as an organization's name would ride in our own mails.
ADDRESS_LIKE = re.compile(r"://|\bwww\.|[<>]|\w[.。][^\W\d_]{2,}/", re.IGNORECASE)


def validate_display_name(value: str) -> None:
    """One line of visible characters with a letter or digit among them, and more than a web address."""
    neighbors = zip(" " + value, value, value[1:] + " ", strict=False)
    if BLANK.search(value) or any(_is_invisible(*three) for three in neighbors):
        raise ValidationError(_("Use letters, digits and punctuation on one line."), code="invisible")
    if not any(unicodedata.category(character)[0] in "LN" for character in value):
        raise ValidationError(_("Use at least one letter or digit."), code="wordless")
    if ADDRESS_LIKE.search(unicodedata.normalize("NFKC", value)):
        raise ValidationError(_("Use a name without web addresses or angle brackets."), code="address")


def _is_invisible(before: str, character: str, after: str) -> bool:
    if character in JOINERS:
        return not (_is_ink(before) and _is_ink(after))
    return unicodedata.category(character) in INVISIBLE_CATEGORIES


def _is_ink(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in INVISIBLE_CATEGORIES
