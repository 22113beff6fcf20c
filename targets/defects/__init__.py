"""Planted defects, one a file, each with the incident that it comes from."""
