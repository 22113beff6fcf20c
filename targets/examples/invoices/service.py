"""Starts the invoice service, a program for Node.

This process becomes it, so whatever was asked of this one (to end with its parent, say) stays asked of the service.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

PROGRAM = Path(__file__).with_suffix(".mjs")


def main(argv: Sequence[str]) -> int:
    """Become the service; returns an exit code when there is no Node."""
    node = shutil.which("node")
    if node is not None:
        os.execv(node, [node, str(PROGRAM), *argv])  # noqa: S606 - our own program
    print("invoices: there is no node in PATH; right is Node 18 or newer", file=sys.stderr)  # noqa: T201 - for the user
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
