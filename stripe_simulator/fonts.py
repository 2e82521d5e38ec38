"""The documents' fonts: whatever script a name is in, it is to be read."""

from functools import cache
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

FILES = (
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("Arial Unicode.ttf", "Arial Unicode.ttf"),
    ("Vera.ttf", "VeraBd.ttf"),
)
"""Tried in order; the last one comes with reportlab and writes Latin only."""
BODY, STRONG, OTHER = "Document", "DocumentBold", "STSong-Light"
"""OTHER isn't embedded: PDF readers have it for Chinese, Japanese, Greek and Cyrillic letters."""


@cache
def _glyphs() -> frozenset[int]:
    """Register the fonts once. Returns the characters that the first one has."""
    pdfmetrics.registerFont(UnicodeCIDFont(OTHER))
    for regular, bold in FILES:
        try:
            font = TTFont(BODY, regular)
            pdfmetrics.registerFont(font)
            pdfmetrics.registerFont(TTFont(STRONG, bold))
        except TTFError:
            continue
        return frozenset(font.face.charToGlyph)
    raise LookupError("reportlab comes with Vera")


def register() -> None:
    _glyphs()


def markup(text: str) -> str:
    """Text for a reportlab paragraph, with letters that the document's font lacks in the other one."""
    known = _glyphs()
    written, foreign = "", ""
    for letter in f"{text}\0":
        if letter != "\0" and ord(letter) not in known and not letter.isspace():
            foreign += letter
            continue
        if foreign:
            written += f'<font name="{OTHER}">{escape(foreign)}</font>'
            foreign = ""
        written += "" if letter == "\0" else escape(letter)
    return written
