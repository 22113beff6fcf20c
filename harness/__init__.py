"""Misissue: drives a document-issuing service under load and proves who was handed whose document."""
