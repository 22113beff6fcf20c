"""Jobs, the files that they leave, and who may ask for them."""

import hmac
import secrets
from pathlib import Path
from uuid import uuid4

import msgspec

from targets.examples.lab_results.clinic import Patient


class Job(msgspec.Struct):
    """A request that was accepted.

    Args:
        nonce: the request id that the client gave it.
        name: of the file that its result will be.
    """

    patient: Patient
    kind: str
    nonce: str
    name: str
    done: bool = False


class Spool:
    """Results that wait in a directory until they are fetched. They are small: the event loop does not notice them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, name: str, document: bytes) -> None:
        """Whole or not at all; a file of that name is replaced."""
        unfinished = self._directory / f".{uuid4().hex}"
        unfinished.write_bytes(document)
        unfinished.replace(self._directory / name)

    def take(self, name: str) -> bytes | None:
        """Hand it out, once; None when there is none."""
        path = self._directory / name
        try:
            document = path.read_bytes()
        except FileNotFoundError:
            return None
        path.unlink()
        return document


class Tokens:
    """Bearer tokens that carry the patient's number and a seal, so that none has to be remembered."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, number: str) -> str:
        """For a patient who has logged in."""
        return f"{number}.{hmac.digest(self._key, number.encode(), 'sha256').hex()}"

    def number(self, token: str) -> str | None:
        """Whose token it is; None when it is not one of ours."""
        number, _, _ = token.rpartition(".")
        return number if hmac.compare_digest(token.encode(), self.issue(number).encode()) else None
