"""`python -m harness` is `misissue`."""

from harness.cli import main

main()
