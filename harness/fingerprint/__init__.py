"""Knowing whose document came out: from delivered bytes to checksums, and to what a document says of itself.

The checksum gives integrity and is the proof, identity marks give the owner. A document that cannot be read by what
makes its fingerprint is undecided, never right.
"""

from harness.fingerprint.base import Mask, Reader, Texts, UnreadableError
from harness.fingerprint.chain import Fingerprint
from harness.fingerprint.exact import CHECKSUM_NAME, checksum, sha256

__all__ = ["CHECKSUM_NAME", "Fingerprint", "Mask", "Reader", "Texts", "UnreadableError", "checksum", "sha256"]
