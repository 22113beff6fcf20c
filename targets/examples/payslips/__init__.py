"""Payslips: a Flask service that hands each employee his own, by WSGI threads."""
