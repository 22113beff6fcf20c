"""How soon the defect of the release is found: within N prints in at least a share p of all runs."""

from collections.abc import Mapping, Sequence

import pytest

from harness.bound import upper_bound
from harness.outcome import Outcome
from tests.quality.conftest import Verification, Verify

_RUNS = 20
_SHARES = (0.5, 0.9, 1.0)


def _prints_until_found(run: Verification) -> int:
    """Answers that had come when the first misissued paper was in somebody's hand, that paper included."""
    first_ns = min(incident.at_ns for incident in run.verdict.incidents)
    return sum(attempt.answered_ns <= first_ns for attempt in run.prints.values())


def _table(needed: Sequence[int]) -> list[str]:
    """Within how many prints some shares of these runs found it, and so, with confidence, at least what share of all.

    The exact bound on the misses: it holds for a number of prints that was read off the k-th of n ordered runs, too,
    because the share of all runs below the k-th has the distribution (beta) that the bound is a quantile of.
    """
    lines, n = [], len(needed)
    for share in _SHARES:
        k = round(share * n)
        at_least = 1 - upper_bound(n - k, n)
        lines.append(
            f"within {sorted(needed)[k - 1]} prints: {k} of {n} runs; at 95 % confidence {at_least:.0%} of all"
        )
    return lines


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("settings", [{}, {"link_fault_pause_s": "1.5"}], ids=["whole link", "link with faults"])
def test_the_defect_of_the_release_is_found_in_every_run(verify: Verify, settings: Mapping[str, str]) -> None:
    """Each of twenty default runs of april30 finds the defect within its plan, whatever the seed."""
    needed = []
    for seed in range(_RUNS):
        run = verify("april30", "--stop-on-misissuance", seed=seed, build="seed", **settings)
        assert (run.verdict.verdict, run.exit_code) == ("FAIL", 1), run.output
        assert run.verdict.outcomes[Outcome.WRONG_PERSON] > 0
        needed.append(_prints_until_found(run))
    print("", *_table(needed), sep="\n")
