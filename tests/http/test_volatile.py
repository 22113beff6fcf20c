"""Documents that are new each time: calibration finds by itself what to mask, and the runs do with it."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.verdict import Verdict
from targets.http.description import Source
from targets.http.golden import Golden
from tests.http.conftest import Service, run
from tests.http.service import REFUSED, VOLATILE

Serve = Callable[..., tuple[Service, Path]]


def calibrate(directory: Path) -> Golden:
    """What is kept after `misissue calibrate`; the masks that it shows could stand in the target.toml."""
    done = run("calibrate", "target.toml", cwd=directory)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("87 documents and 3 refusals learnt: target.golden.json\n")
    golden = msgspec.json.decode((directory / "target.golden.json").read_bytes(), type=Golden)
    shown = [line.removeprefix("  ") for line in done.stdout.splitlines() if line.startswith("  ")]
    fingerprint = tomllib.loads("\n".join(shown))["fingerprint"]
    assert (fingerprint.get("of", "bytes"), tuple(fingerprint["masks"])) == (golden.of, golden.masks)
    described = directory / "described.toml"
    described.write_text((directory / "target.toml").read_text() + "\n" + "\n".join(shown))
    assert len(Source(described).description.fingerprint.masks) == len(golden.masks) > 2
    return golden


def verify(directory: Path, burst_s: float, *options: str) -> Verdict:
    """Of a short run with nothing but the golden file."""
    done = run(
        *("verify", "own_service", "--target", "target.toml", "--out", "run", *options),
        *("--", "--calm-s", "0.3", "--bursts", "1", "--burst-s", str(burst_s)),
        cwd=directory,
    )
    verdict = msgspec.json.decode((directory / "run" / "verdict.json").read_bytes(), type=Verdict)
    assert done.returncode == {"PASS": 0, "FAIL": 1}[verdict.verdict], done.stdout + done.stderr
    return verdict


def found_out(serve: Serve, directory: Path, form: str, wrong_every: int, burst_s: float) -> Verdict:
    """A run in which every so many prints are somebody else's: exactly these are told, and everything else is right."""
    serve("--volatile", form)
    calibrate(directory)
    service, _ = serve("--volatile", form, "--wrong-every", str(wrong_every))
    verdict = verify(directory, burst_s)
    told = sorted(line for line in service.told if REFUSED not in line)
    assert sorted([one.nonce, one.recipient, *one.owners] for one in verdict.incidents) == told
    assert verdict.outcomes["wrong_person"] == len(told) > 0
    assert verdict.outcomes["ok"] + len(told) == verdict.prints_judged
    return verdict


@pytest.mark.parametrize("form", ["text", pytest.param("pdf", marks=pytest.mark.long)])
def test_wrong_person(serve: Serve, tmp_path: Path, form: str) -> None:
    """Stamps, serial numbers and nonces raise no false alarm, and hide nobody who is handed somebody else's paper."""
    assert found_out(serve, tmp_path, form, wrong_every=100, burst_s=1.5).prints_judged > 100


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("form", VOLATILE)
def test_wrong_person_at_length(serve: Serve, tmp_path: Path, form: str) -> None:
    """The same when it happens once in 3,000 prints."""
    found_out(serve, tmp_path, form, wrong_every=3000, burst_s={"text": 30.0, "json": 30.0, "pdf": 60.0}[form])


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("form", VOLATILE)
def test_clean_at_length(serve: Serve, tmp_path: Path, form: str) -> None:
    """10,000 prints of a clean service, and no false alarm."""
    serve("--volatile", form)
    calibrate(tmp_path)
    verdict = verify(tmp_path, {"text": 30.0, "json": 30.0, "pdf": 60.0}[form], "--min", "exposures=1000")
    assert (verdict.verdict, verdict.incidents) == ("PASS", ())
    assert verdict.outcomes["ok"] == verdict.prints_judged >= 10_000
