"""Documents as PDF, on A4."""

from io import BytesIO
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus.doctemplate import SimpleDocTemplate
from reportlab.platypus.flowables import Flowable, Spacer
from reportlab.platypus.paragraph import Paragraph
from reportlab.platypus.tables import Table

from stripe_simulator import fonts
from stripe_simulator.documents import Document, Pairs, Row

INK, SOFT, LINE = colors.HexColor("#1b2130"), colors.HexColor("#586074"), colors.HexColor("#d5d9e4")
BODY = ParagraphStyle("body", fontName=fonts.BODY, fontSize=9, leading=13, textColor=INK)
SMALL = ParagraphStyle("small", BODY, fontSize=8, leading=11, textColor=SOFT)
BOLD = ParagraphStyle("bold", BODY, fontName=fonts.STRONG)
TITLE = ParagraphStyle("title", BOLD, fontSize=20, leading=26)
BIG = ParagraphStyle("big", BOLD, fontSize=14, leading=20)
RIGHT = ParagraphStyle("right", BODY, alignment=2)
SMALL_RIGHT = ParagraphStyle("small-right", SMALL, alignment=2)
RIGHT_BOLD = ParagraphStyle("right-bold", BOLD, alignment=2)
WIDTH = 174 * mm
MARGIN = 18 * mm
EDGE = 6
"""What the page's frame keeps free at each side, in points."""
COLUMNS = (WIDTH - 106 * mm, 18 * mm, 32 * mm, 20 * mm, 36 * mm)
SPAN = [("LEFTPADDING", (0, 0), (0, -1), 0), ("RIGHTPADDING", (-1, 0), (-1, -1), 0)]


def draw(document: Document) -> bytes:
    fonts.register()
    file = BytesIO()
    template = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN - EDGE,
        rightMargin=MARGIN - EDGE,
        topMargin=MARGIN,
        bottomMargin=MARGIN + 4 * mm,
        title=f"{document.title} {document.number}",
        author=document.issuer[0],
        subject="Made by a Stripe simulator, for development",
    )

    def foot(canvas: Any, page: Any) -> None:
        canvas.setFont(fonts.BODY, 7.5)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 11 * mm, f"{document.title} {document.number}")
        canvas.drawRightString(A4[0] - MARGIN, 11 * mm, f"Page {page.page}")

    story = [*_head(document), _rows(document.rows), Spacer(0, 4 * mm), _totals(document), *_end(document)]
    template.build(story, onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _head(document: Document) -> list[Flowable]:
    facts = Table(
        [[_text(name, SMALL), _text(value)] for name, value in document.facts],
        colWidths=[38 * mm, WIDTH - 38 * mm],
        style=[*SPAN, ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)],
    )
    parties = Table(
        [[_party("From", document.issuer), _party("Bill to", document.bill_to)]],
        colWidths=[WIDTH / 2, WIDTH / 2],
        style=[*SPAN, ("VALIGN", (0, 0), (-1, -1), "TOP")],
    )
    return [
        _text(document.title, TITLE),
        _text("Made by a Stripe simulator, for development. No payment is due.", SMALL),
        Spacer(0, 5 * mm),
        facts,
        Spacer(0, 5 * mm),
        parties,
        Spacer(0, 7 * mm),
        _text(document.headline, BIG),
        Spacer(0, 4 * mm),
    ]


def _party(name: str, lines: list[str]) -> list[Flowable]:
    return [_text(name, BOLD), *(_text(line) for line in lines)]


def _rows(rows: list[Row]) -> Table:
    heads = [_text("Description", SMALL)]
    heads += [_text(name, SMALL_RIGHT) for name in ("Quantity", "Unit price", "Tax", "Amount")]
    drawn: list[list[Any]] = [heads]
    for row in rows:
        words = [_text(row.description), *([_text(row.period, SMALL)] if row.period else [])]
        columns = (row.quantity, row.unit_price, row.tax, row.amount)
        drawn.append([words, *(_text(column, RIGHT) for column in columns)])
    style = [
        *SPAN,
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
    ]
    return Table(drawn, colWidths=COLUMNS, repeatRows=1, style=style)


def _totals(document: Document) -> Table:
    name, amount = document.due
    drawn = [*_pairs(document.totals), [_text(name, BOLD), _text(amount, RIGHT_BOLD)]]
    style = [("LINEABOVE", (0, -1), (-1, -1), 0.8, INK), *SPAN]
    return Table(drawn, colWidths=[68 * mm, 38 * mm], hAlign="RIGHT", style=style)


def _end(document: Document) -> list[Flowable]:
    end: list[Flowable] = [Spacer(0, 6 * mm)]
    if document.happened:
        drawn = _pairs(document.happened)
        end.append(Table(drawn, colWidths=[WIDTH - 38 * mm, 38 * mm], style=SPAN))
        end.append(Spacer(0, 4 * mm))
    return [*end, *(_text(text, SMALL) for text in document.texts)]


def _pairs(pairs: Pairs) -> list[list[Paragraph]]:
    return [[_text(name), _text(amount, RIGHT)] for name, amount in pairs]


def _text(text: str, style: ParagraphStyle = BODY) -> Paragraph:
    return Paragraph(fonts.markup(text), style)
