"""Whose certificates are believed, by the load and by a single attempt alike."""

import ssl
from functools import cache
from pathlib import Path

from harness.target import Answer, Target, WithAuthority

UNTRUSTED = "certificate not trusted"
"""Begins the text of an attempt that came to nothing for that."""


@cache
def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Checks certificate and name of a host, by the authorities in the file alone; None: by those of the system.

    Raises:
        OSError: when the file cannot be read, or (`ssl.SSLError`) holds no certificate in PEM.
    """
    return ssl.create_default_context(cafile=ca_file)


def ca_file_of(target: Target) -> Path | None:
    """See `WithAuthority`."""
    return target.ca_file if isinstance(target, WithAuthority) else None


def unanswered(error: object) -> Answer:
    """What it means that this came in place of an answer: a short text, for many attempts end alike."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Answer(unanswered=f"{UNTRUSTED}: {error.verify_message}")
    return Answer(unanswered="no answer")
