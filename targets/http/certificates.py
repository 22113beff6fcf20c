"""The authority that vouches for a described service, where it is none that the system trusts."""

import ssl
from collections.abc import Iterator
from pathlib import Path

from harness.trust import trust
from targets.http.models import ServiceTable


def ca_file_of(service: ServiceTable, directory: Path) -> Path | None:
    """Where the certificates lie; the directory is that of the target.toml."""
    return directory / service.ca_file if service.ca_file is not None else None


def certificate_complaints(service: ServiceTable, directory: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """(key, sentence) for everything that must not be."""
    path, where = ca_file_of(service, directory), ("service", "ca_file")
    if path is None:
        return
    if not service.base_url.startswith("https:"):
        yield where, f"says who vouches for a service that is asked at {service.base_url}; right is https:// there"
    try:
        trust(path)
    except ssl.SSLError:
        yield where, f"{path}: holds no certificate; right is one or more in PEM (-----BEGIN CERTIFICATE-----)"
    except OSError as error:
        yield where, f"{path}: cannot be read: {error.strerror}; right is a file of certificates in PEM"
