"""A service that an authority of one's own vouches for is believed where that authority is named, and nowhere else."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from harness.exchange import attempt
from harness.target import TargetError
from targets.http.golden import Golden, golden_path, write_golden
from targets.http.target import HttpTarget
from tests.http.conftest import VALID, Service, describe, run
from tests.http.test_own_service import verify

HERE = "IP:127.0.0.1"
Serve = Callable[..., tuple[Service, Path]]


def openssl(*arguments: str, cwd: Path) -> None:
    """A new key, and a certificate that is good for some days."""
    common = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3")
    done = subprocess.run(
        ["openssl", "req", "-x509", *common, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities, and certificates of the first of them: here.pem for this machine, elsewhere.pem for another."""
    place = tmp_path_factory.mktemp("certificates")
    for name in ("ours", "other"):
        openssl("-subj", f"/CN=authority {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", cwd=place)
    for name, subject in (("here", HERE), ("elsewhere", "DNS:elsewhere.test")):
        signed = ("-CA", "ours.pem", "-CAkey", "ours.key", "-addext", f"subjectAltName={subject}")
        openssl("-subj", f"/CN={name}", "-keyout", "key.pem", "-out", "certificate.pem", *signed, cwd=place)
        both = (place / "certificate.pem").read_bytes() + (place / "key.pem").read_bytes()
        (place / f"{name}.pem").write_bytes(both)
    return place


def trusting(path: Path, ca_file: Path | None, *, version: bool = True) -> None:
    """Name the authority in the target.toml, and the version as a text where nobody shall ask for it."""
    text = path.read_text()
    if ca_file is not None:
        text = text.replace("timeout_s = 0.5", f'timeout_s = 0.5\nca_file = "{ca_file}"')
    if not version:
        text = text.replace('version = { path = "/version", at = "build" }', 'version = "7"')
    path.write_text(text)


def test_an_authority_of_ones_own(serve: Serve, papers: Path, tmp_path: Path) -> None:
    """With its certificate beside the target.toml a service is loaded as any other."""
    _, path = serve("--certificate", str(papers / "here.pem"))
    (tmp_path / "people.csv").write_text("person\n" + "".join(f"P{number:03}\n" for number in range(1, 9)))
    (tmp_path / "ca.pem").write_bytes((papers / "ours.pem").read_bytes())
    trusting(path, Path("ca.pem"), version=False)
    learnt = run("calibrate", "target.toml", cwd=tmp_path)
    assert learnt.returncode == 0, learnt.stderr
    code, output, verdict = verify(tmp_path, "--max", "error_share=0", burst_s=1.0)
    assert (code, verdict.verdict) == (0, "PASS"), output
    assert verdict.outcomes["ok"] > 20


@pytest.mark.parametrize(("certificate", "ca_file"), [("here", "other"), ("elsewhere", "ours")])
def test_a_load_on_whom_nobody_trusts(
    serve: Serve, papers: Path, tmp_path: Path, certificate: str, ca_file: str
) -> None:
    """Every attempt is counted as an error, and nothing passes."""
    _, path = serve("--certificate", str(papers / f"{certificate}.pem"))
    trusting(path, papers / f"{ca_file}.pem", version=False)
    write_golden(golden_path(path), Golden(service="payslips", version="7", specimens=()))
    code, output, verdict = verify(tmp_path, burst_s=0.3)
    assert (code, verdict.verdict) == (3, "INCONCLUSIVE"), output
    assert "no whole document was judged" in output
    assert verdict.prints_judged == 0
    (process,) = verdict.processes.values()
    assert process.failed == process.issued > 0


@pytest.mark.parametrize(
    ("certificate", "ca_file", "told"),
    [
        ("here", None, "unable to get local issuer certificate"),  # the system does not know our authority
        ("here", "other", "unable to get local issuer certificate"),
        ("elsewhere", "ours", "IP address mismatch, certificate is not valid for '127.0.0.1'."),
    ],
)
def test_who_is_not_trusted(
    serve: Serve, papers: Path, tmp_path: Path, certificate: str, ca_file: str | None, told: str
) -> None:
    """Is told by the probe, where the version is asked for and where the first document is."""
    service, path = serve("--certificate", str(papers / f"{certificate}.pem"))
    authority = papers / f"{ca_file}.pem" if ca_file else None
    trusting(path, authority)
    probed = run("probe", "target.toml", cwd=tmp_path)
    by = authority or "the authorities of this system"
    assert (probed.returncode, probed.stdout) == (2, "")
    assert probed.stderr == (
        f"misissue: target.toml:4: service.version: the certificate of {service.url} is not trusted by {by} ({told}); "
        "right is service.ca_file with the authority that vouches for it\n"
    )
    trusting(path, None, version=False)
    probed = run("probe", "target.toml", cwd=tmp_path)
    assert probed.returncode == 4, probed.stdout + probed.stderr
    assert f"certificate not trusted: {told}; right is service.ca_file with the authority" in probed.stdout


def test_only_the_named_authority(serve: Serve, papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names one trusts nobody besides, not even those that the system trusts."""
    _, path = serve("--certificate", str(papers / "here.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(papers / "ours.pem"))
    answers = []
    for ca_file in (None, papers / "other.pem"):
        trusting(path, ca_file)
        target = HttpTarget({"file": str(path)})
        (group, *_) = target.groups()
        application = target.draw_application("1", group, Random(1))
        answers.append(attempt(target, application, timeout_s=5.0).answer.unanswered)
    assert answers == ["", "certificate not trusted: unable to get local issuer certificate"]


def test_who_tells_of_sync_runs(serve: Serve, papers: Path, tmp_path: Path) -> None:
    """Is trusted as the service is; that its answer is no list is the next thing to be told then."""
    _, path = serve("--certificate", str(papers / "here.pem"))
    trusting(path, papers / "ours.pem", version=False)
    fields = '{ sync_run = "id", begin_at = "begin", end_at = "end" }'
    sync = f'[sync]\nfrom = "endpoint"\npath = "/version"\nfields = {fields}\n'
    path.write_text(f"{path.read_text()}\n{sync}")
    write_golden(golden_path(path), Golden(service="payslips", version="7", specimens=()))
    with pytest.raises(TargetError, match="/version answered with status 200 and no list"):
        HttpTarget({"file": str(path)}).open(tmp_path)


@pytest.mark.parametrize(
    ("ca_file", "url", "told"),
    [
        ("none.pem", "https://127.0.0.1", "none.pem: cannot be read: No such file or directory; right is a file of"),
        ("people.csv", "https://127.0.0.1", "people.csv: holds no certificate; right is one or more in PEM"),
        ("ours.pem", "http://127.0.0.1", "says who vouches for a service that is asked at http://127.0.0.1; right is"),
    ],
)
def test_what_is_no_authority(papers: Path, tmp_path: Path, ca_file: str, url: str, told: str) -> None:
    """A file that is not there, holds something else, or is for nothing is told with line and cure."""
    (tmp_path / "ours.pem").write_bytes((papers / "ours.pem").read_bytes())
    path = describe(tmp_path, VALID.replace("http://127.0.0.1:8080", url))
    trusting(path, Path(ca_file))
    with pytest.raises(TargetError) as raised:
        HttpTarget({"file": str(path)})
    assert f"{path}:6: service.ca_file: " in str(raised.value)
    assert told in str(raised.value)
