"""What a golden file says is used for the very service and fingerprint that it was made of, and for no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.calibration import Calibration, Learnt, LearntMask, Specimen
from harness.fingerprint import checksum
from harness.target import TargetError
from targets.http.target import HttpTarget
from tests.http.conftest import VALID, describe

MASK = LearntMask(key="text", value=r"no\. (?P<varies>\d{1,4})", samples=("12",))
DESCRIBED = "\n[fingerprint]\nmasks = [{ text = 'at [0-9:]+' }]\n"
COMMAND = "make it again: misissue calibrate "


def opened(directory: Path, more: str = "") -> HttpTarget:
    """The target of a description, which nobody has to be asked for."""
    text = VALID.replace('{ path = "/version", at = "build" }', '"7"')
    return HttpTarget({"file": str(describe(directory, text + more))})


def kept(directory: Path, **changes: Any) -> None:
    """A golden file of one specimen, with something else in it."""
    target = opened(directory, DESCRIBED)
    target.reach()
    specimen = Specimen(person="P001", group="P001", kind="payslip", checksum=checksum(b"*, no. *"))
    path = Path(target.keep(Calibration(specimens=(specimen,), learnt=Learnt(masks=(MASK,)))))
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def test_learnt_masks_follow_described_ones(tmp_path: Path) -> None:
    """Before anything is recalled only what is described is masked, then also what was learnt."""
    kept(tmp_path)
    target = opened(tmp_path, DESCRIBED)
    target.reach()
    assert target.fingerprint.checksum(b"at 10:01, no. 7") == checksum(b"*, no. 7")
    assert target.recall()
    assert target.fingerprint.checksum(b"at 10:01, no. 7") == checksum(b"*, no. *")
    assert target.recall()  # again, as a probe does, and the masks are not there twice
    assert len(target.fingerprint.masks) == 2


def test_samples_are_not_kept(tmp_path: Path) -> None:
    """They are out of documents, and are for whoever looks at the terminal."""
    kept(tmp_path)
    golden = json.loads((tmp_path / "target.golden.json").read_bytes())
    assert (golden["of"], golden["masks"]) == ("bytes", [{"text": MASK.value}])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 1}, "found schema 1, right is schema 3; "),
        ({"schema": 1, "of": None}, "is no golden file (Expected `str`, got `null` - at `$.of`); "),
        ({"masks": [{"text": "("}]}, "is no golden file (missing ), unterminated subpattern at position 0); "),
        ({"masks": [{"words": "a"}]}, "is no golden file (Invalid enum value 'words' - at `key` in `$.masks[0]`); "),
        ({"masks": []}, "found xxh3_128 of text 'at [0-9:]+', text 'no"),  # and no longer what its checksums are of
        ({"version": "6"}, "version 6, right is xxh3_128 of "),
        ({"specimens": []}, "is not as calibration wrote it, and proves nothing; "),
        ({"digest": ""}, "is not as calibration wrote it, and proves nothing; "),
    ],
)
def test_other_files(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """Whatever else it is, it says what is wrong, and how to make it again."""
    kept(tmp_path, **changes)
    target = opened(tmp_path, DESCRIBED)
    target.reach()
    with pytest.raises(TargetError) as raised:
        target.recall()
    assert said in str(raised.value)
    assert COMMAND in str(raised.value)


def test_another_description(tmp_path: Path) -> None:
    """What was learnt with other masks in the target.toml is not used."""
    kept(tmp_path)
    target = opened(tmp_path)
    target.reach()
    with pytest.raises(TargetError, match="make it again"):
        target.recall()
