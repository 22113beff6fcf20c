"""Invoices: a Node service of a shop that answers JSON with the PDF file in base64."""
