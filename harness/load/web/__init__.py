"""A judged run in Locust's web UI: its tab and start form, and pages of our own beside it."""
