"""Lists as CSV files that spreadsheets open without taking a text for a formula."""

import csv
import re
from collections.abc import Iterable
from io import StringIO

# Without it, Excel reads UTF-8 as the local code page.
BYTE_ORDER_MARK = "\ufeff"
# What a spreadsheet takes for the start of a formula, and the full-width forms that some read alike:
# https://owasp.org/www-community/attacks/CSV_Injection. Where the reader's list separator is another one than
# the comma, a cell begins inside our quotes as well: after each separator and line end.
FORMULA = re.compile(r"""(^|[;|\t\r\n])(?=["\s]*[=+\-@\uff1d\uff0b\uff0d\uff20\0]|[" ]*[\t\r\n])""")


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Rows as lines of CSV (RFC 4180). An apostrophe stands before what would be taken for a formula."""
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def inert(cell: str) -> str:
    return FORMULA.sub(r"\1'", cell)
