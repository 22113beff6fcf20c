"""Payslips and annual statements as PDF files, byte for byte a pure function of whose they are."""

import io

from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from targets.examples.payslips.payroll import Employee, Statement

_TAX = 0.08
_INSURANCE = 0.15
_LEFT, _TOP, _LINE = 40, 540, 20  # points


def render(statement: Statement, employee: Employee) -> bytes:
    """The document."""
    gross_yen = statement.months * employee.monthly_yen
    tax_yen, insurance_yen = round(gross_yen * _TAX), round(gross_yen * _INSURANCE)
    lines = (
        statement.title,
        f"{employee.number}  {employee.name}",
        employee.department,
        "",
        f"Gross pay          {gross_yen:>12,} yen",
        f"Income tax         {tax_yen:>12,} yen",
        f"Social insurance   {insurance_yen:>12,} yen",
        f"Paid out           {gross_yen - tax_yen - insurance_yen:>12,} yen",
    )
    buffer = io.BytesIO()
    # Invariant: without the time of its making, so that one person's document is the same each time.
    canvas = Canvas(buffer, pagesize=A5, invariant=1)
    canvas.setTitle(statement.title)
    canvas.setFont("Courier", 11)
    for number, line in enumerate(lines):
        canvas.drawString(_LEFT, _TOP - number * _LINE, line)
    canvas.save()
    return buffer.getvalue()
