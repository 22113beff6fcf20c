"""A load process stays as large as it is, however long it is at work."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from harness.ledger import segment_path
from targets.lifetime import die_with_parent
from tests.benchmarks.costs import resident_bytes
from tests.benchmarks.test_two_processes import SyntheticRun

GROWTH_WANTED = 1.1
_PRINTS = 200_000
_POLL_S = 0.01
_PRINT = b'{"type":"print",'
