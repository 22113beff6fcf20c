"""Locust files: run by `locust -f profiles/NAME.py` and by `misissue verify NAME` alike."""
