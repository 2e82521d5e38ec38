"""An invoice as a PDF."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus.doctemplate import SimpleDocTemplate
from reportlab.platypus.flowables import Flowable, Spacer
from reportlab.platypus.paragraph import Paragraph
from reportlab.platypus.tables import Table, TableStyle

from stripe_simulator.money import money

Json = dict[str, Any]

INK, SOFT, LINE = colors.HexColor("#1b2130"), colors.HexColor("#586074"), colors.HexColor("#d5d9e4")
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9.5, leading=14, textColor=INK)
SMALL = ParagraphStyle("small", BODY, fontSize=8.5, leading=12, textColor=SOFT)
BOLD = ParagraphStyle("bold", BODY, fontName="Helvetica-Bold")
TITLE = ParagraphStyle("title", BOLD, fontSize=20, leading=26)
BIG = ParagraphStyle("big", BOLD, fontSize=14, leading=20)
RIGHT = ParagraphStyle("right", BODY, alignment=2)
RIGHT_BOLD = ParagraphStyle("right-bold", BOLD, alignment=2)
WIDTH = 174 * mm
EDGE = 6
"""What the page's frame keeps free at each side, in points."""


def invoice_pdf(invoice: Json) -> bytes:
    """Draw a finalized invoice on A4."""
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=18 * mm - EDGE,
        rightMargin=18 * mm - EDGE,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
        title=f"Invoice {invoice['number']}",
        author=invoice["account_name"],
        subject="Made by a Stripe simulator, for development",
    )
    document.build([*_head(invoice), _lines(invoice), Spacer(0, 4 * mm), _totals(invoice), *_foot(invoice)])
    return file.getvalue()


def _head(invoice: Json) -> list[Flowable]:
    facts = [
        ("Invoice number", invoice["number"]),
        ("Date of issue", _date(invoice["effective_at"])),
        ("Date due", _date(invoice["due_date"] or invoice["effective_at"])),
    ]
    table = Table(
        [[Paragraph(name, SMALL), Paragraph(escape(str(value)), BODY)] for name, value in facts],
        colWidths=[35 * mm, WIDTH - 35 * mm],
        style=[("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 0)],
    )
    address = invoice["customer_address"] or {}
    city = " ".join(address[name] for name in ("postal_code", "city", "state") if address.get(name))
    lines = [
        invoice["customer_name"],
        address.get("line1"),
        address.get("line2"),
        city,
        address.get("country"),
        invoice["customer_email"],
        *(f"{tax_id['type']} {tax_id['value']}" for tax_id in invoice["customer_tax_ids"]),
    ]
    words = {"paid": "Paid", "void": "Void", "uncollectible": "Uncollectible"}
    status = words.get(invoice["status"], f"Due {_date(invoice['due_date'] or invoice['effective_at'])}")
    return [
        Paragraph("Invoice", TITLE),
        Paragraph("Made by a Stripe simulator, for development. No payment is due.", SMALL),
        Spacer(0, 5 * mm),
        table,
        Spacer(0, 6 * mm),
        Paragraph("Bill to", BOLD),
        *(Paragraph(escape(line), BODY) for line in lines if line),
        Spacer(0, 8 * mm),
        Paragraph(f"{money(invoice['amount_due'], invoice['currency'])} · {status}", BIG),
        Spacer(0, 5 * mm),
    ]


def _lines(invoice: Json) -> Table:
    currency = invoice["currency"]
    rows: list[list[Any]] = [
        [Paragraph("Description", SMALL), *(_right(name) for name in ("Quantity", "Amount"))]
    ]
    for line in invoice["lines"]["data"]:
        words = [Paragraph(escape(line["description"] or "Item"), BODY)]
        if line["period"]["end"] > line["period"]["start"]:
            period = f"{_date(line['period']['start'])} to {_date(line['period']['end'])}"
            words.append(Paragraph(period, SMALL))
        amount = money(line["amount"], currency)
        rows.append([words, _right(str(line["quantity"] or "")), _right(amount)])
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ]
    )
    return Table(rows, colWidths=[WIDTH - 60 * mm, 22 * mm, 38 * mm], repeatRows=1, style=style)


def _totals(invoice: Json) -> Table:
    names = (("Subtotal", "subtotal"), ("Total", "total"), ("Amount paid", "amount_paid"))
    rows = [
        [Paragraph(name, BODY), _right(money(invoice[field], invoice["currency"]))] for name, field in names
    ]
    due = money(invoice["amount_remaining"], invoice["currency"])
    rows.append([Paragraph("Amount due", BOLD), Paragraph(due, RIGHT_BOLD)])
    style = [("LINEABOVE", (0, -1), (-1, -1), 0.8, INK), ("RIGHTPADDING", (-1, 0), (-1, -1), 0)]
    return Table(rows, colWidths=[40 * mm, 38 * mm], hAlign="RIGHT", style=style)


def _foot(invoice: Json) -> list[Flowable]:
    texts = [text for text in (invoice["description"], invoice["footer"]) if text]
    return [Spacer(0, 8 * mm), *(Paragraph(escape(text), SMALL) for text in texts)]


def _right(text: str) -> Paragraph:
    return Paragraph(escape(text), RIGHT)


def _date(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%B %-d, %Y}"
