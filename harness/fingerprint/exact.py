"""Checksums of all bytes.

The running checksum is made of every print, so it has to cost next to nothing: 128 bits of xxh3 tell accidents apart,
and mix-ups are accidents, not attacks. What becomes evidence carries a SHA-256 beside it.
"""

import hashlib

import xxhash

CHECKSUM_NAME = "xxh3_128"

checksum = xxhash.xxh3_128_hexdigest
"""bytes -> 32 hex digits."""

_UNREADABLE = "unreadable-"


def unreadable_checksum(document: bytes) -> str:
    """Of a document that a fingerprint cannot read: it is like no checksum of one that was read."""
    return f"{_UNREADABLE}{checksum(document)}"


def is_unreadable(checksum: str) -> bool:
    """Whether it is one of these."""
    return checksum.startswith(_UNREADABLE)


def sha256(data: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(data).hexdigest()
