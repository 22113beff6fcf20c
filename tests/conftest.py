"""For all tests."""

from hypothesis import settings

# Timings are noisy where others share the machine: a test that is slow for once has found nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
