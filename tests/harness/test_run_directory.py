"""The run directory: private, never written over, and refused when it is not what it should be."""

import errno
import os
import stat
from pathlib import Path

import msgspec
import pytest

from harness.criteria import Criteria
from harness.evidence.ledger import (
    RUN_FILE,
    VERDICT_FILE,
    LedgerError,
    create_run_directory,
    default_directory,
    free_directory,
    read_run,
    segment_path,
    write_json,
)
from harness.evidence.segment import SegmentWriter
from tests.harness.builders import (
    CLOCK,
    EVERY_KIND,
    RUN,
    describe,
    strict,
    write_segment,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_private(tmp_path: Path) -> None:
    """Directories of a run are 0700 and its files 0600, whatever the umask, for they hold personal data."""
    before = os.umask(0)
    try:
        run = tmp_path / "runs" / "one"
        create_run_directory(run)
        write_segment(run, "load-1", EVERY_KIND)
        write_json(run / RUN_FILE, describe())
        write_segment(tmp_path / "bare", "load-1", EVERY_KIND)
    finally:
        os.umask(before)
    assert {mode(path) for path in (run, run / "segments", run / "incidents", tmp_path / "bare/segments")} == {0o700}
    assert {mode(path) for path in (run / RUN_FILE, segment_path(run, "load-1"))} == {0o600}


def test_existing_run(tmp_path: Path) -> None:
    """A directory that holds a run is refused and left as it is."""
    create_run_directory(tmp_path)
    write_json(tmp_path / RUN_FILE, describe())
    with pytest.raises(LedgerError, match="holds a run already; name another directory with --out"):
        create_run_directory(tmp_path)
    assert read_run(tmp_path) == describe()


def test_existing_directory(tmp_path: Path) -> None:
    """A directory that holds no run can be used."""
    create_run_directory(tmp_path)
    create_run_directory(tmp_path)
    assert (tmp_path / "segments").is_dir()


def test_unusable_directory(tmp_path: Path) -> None:
    """A place where no directory can be is refused with a sentence."""
    (tmp_path / "file").write_text("")
    for directory in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(LedgerError, match=r"cannot write the run directory .*; name another with --out"):
            create_run_directory(directory)
    with pytest.raises(LedgerError, match="cannot write the ledger segment"):
        SegmentWriter(tmp_path / "file", "load-1", run=RUN, clock=CLOCK)


def test_run_description(tmp_path: Path) -> None:
    """run.json comes back as it was, and spells its defaults out: another version may have others."""
    run = describe(criteria=strict(0.1), parameters={"users": 5}, planned_s=2.5, died="gone", faults=("one",))
    write_json(tmp_path / RUN_FILE, run)
    assert read_run(tmp_path) == run
    told = msgspec.json.decode((tmp_path / RUN_FILE).read_bytes())
    assert told["schema"] == 2
    assert told["criteria"] == {
        "confidence": 0.95,
        "freshness_limit_s": 0.0,
        "self_test": False,
        "maximum": [{"metric": "error_share", "value": 0.1}],
        "minimum": [],
    }
    assert set(told) == set(run.__struct_fields__)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"profile": 1}', b'{"profile": "\xff"}'])
def test_broken_run_description(tmp_path: Path, content: bytes) -> None:
    """A run.json that is none is refused with a sentence."""
    (tmp_path / RUN_FILE).write_bytes(content)
    with pytest.raises(LedgerError, match="is not what `misissue verify` writes"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    "criteria", [Criteria(confidence=0.3), Criteria(confidence=1.0), Criteria(freshness_limit_s=-1.0)], ids=repr
)
def test_criteria_that_nobody_can_ask_for(tmp_path: Path, criteria: Criteria) -> None:
    """Criteria in run.json keep to the limits that hold for those of a file or of options."""
    write_json(tmp_path / RUN_FILE, describe(criteria=criteria))
    with pytest.raises(LedgerError, match=r"is not what `misissue verify` writes: .*criteria"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run", ""),
        ("segments", ("target", "../target")),
        ("segments", ("target", "load-1\0")),
        ("started", ""),
        ("started_ns", 2**63),
    ],
)
def test_fields_that_no_run_has(tmp_path: Path, field: str, value: object) -> None:
    """A run without an id would take any run's segments for its own; names and times that nobody writes are refused."""
    write_json(tmp_path / RUN_FILE, describe(**{field: value}))
    with pytest.raises(LedgerError, match="is not what `misissue verify` writes"):
        read_run(tmp_path)


def test_newer_run_description(tmp_path: Path) -> None:
    """A run.json of another schema is refused rather than misread."""
    write_json(tmp_path / RUN_FILE, describe(schema=3))
    with pytest.raises(LedgerError, match="has schema 3; this version reads schema 2"):
        read_run(tmp_path)


def test_no_run_description(tmp_path: Path) -> None:
    """A directory without run.json is no run directory."""
    with pytest.raises(LedgerError, match="is no run directory"):
        read_run(tmp_path)


def test_json_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new file cannot be written the old one stays, whole."""
    path = tmp_path / VERDICT_FILE
    write_json(path, {"verdict": "FAIL"})

    def write_half(path: Path, data: bytes) -> int:
        path.open("wb").close()
        raise OSError(errno.ENOSPC, f"no room for {len(data)} bytes")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(LedgerError, match="cannot write"):
        write_json(path, {"verdict": "PASS"})
    assert msgspec.json.decode(path.read_bytes()) == {"verdict": "FAIL"}


def test_default_directory() -> None:
    """A run goes to runs/<time>-<profile> unless told otherwise."""
    assert default_directory("april30").match("runs/????????-??????-april30")


def test_free_directory(tmp_path: Path) -> None:
    """Two runs that begin in one second, or under one name, have a directory each."""
    wanted = tmp_path / "run.1"
    assert free_directory(wanted) == wanted
    wanted.mkdir()
    assert free_directory(wanted) == tmp_path / "run.1-2"
    (tmp_path / "run.1-2").mkdir()
    assert free_directory(wanted) == tmp_path / "run.1-3"
