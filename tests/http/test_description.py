# ruff: noqa: E501 - a table of cases is read by its lines
"""Everything that is wrong with a target.toml is told in one line with file, line or key, and the cure."""

from math import inf
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.target import TargetError
from targets.http.description import Source
from targets.http.safety import check_load, statement_for
from targets.http.target import HttpTarget
from tests.http.conftest import VALID, describe
from tests.http.test_fingerprint_tables import TABLE

HOST = "payslips.test.example"
OTHER_HOST = VALID.replace("http://127.0.0.1:8080", f"http://{HOST}")
LOGIN = '\n[login]\npath = "/login"\njson = { user = "{person}" }\n'
SAFETY = '\n[safety]\nforbidden_persons = ["P002"]\n'


def swapped(old: str, new: str) -> str:
    """The valid file with something in place of something else."""
    assert old in VALID
    return VALID.replace(old, new, 1)


WRONG = [
    ("not TOML", "[service\n", "target.toml: is not TOML: "),
    ("a key too many", swapped("timeout_s", "timeout"), "target.toml:5: service.timeout: no such key, the nearest is "),
    ("a table too many", VALID + "\n[aplication]\n", "aplication: no such key, the nearest is application"),
    ("a table missing", swapped('[people]\nfile = "people.csv"\n', ""), "target.toml: people: is missing"),
    ("a key missing", swapped('name = "payslips"\n', ""), "target.toml:1: service.name: is missing"),
    ("another type", swapped("timeout_s = 0.5", 'timeout_s = "long"'), "target.toml:5: service.timeout_s: found 'long'"),
    ("not finite", swapped("weight = 3", "weight = inf"), "target.toml:12: kinds.payslip.weight: found inf, right is: "),
    ("not positive", swapped("timeout_s = 0.5", "timeout_s = 0"), "target.toml:5: service.timeout_s: found 0, right is: "),
    ("pauses", swapped("[0.0, 0.05]", "[2.0, 1.0]"), "right is the shortest and then the longest pause"),
    ("no kind", swapped("[kinds.annual]\n", "").replace("[kinds.payslip]\nweight = 3\noptions", "kinds = {}\nx"), "kinds"),
    ("a placeholder", swapped("{person}", "{persn}"), "target.toml:20: application.json.employee: found {persn}, the nearest is {person}"),
    ("a far placeholder", swapped("{kind}", "{zzz}"), "application.json.kind: found {zzz}, right is one of {application}, "),
    ("a lone brace", swapped('"{nonce}"', '"{nonce"'), "application.headers.X-Request-Id: found a lone '{', right is a placeholder"),
    ("no nonce", swapped("{nonce}", "x"), "target.toml:17: application: lacks the placeholder {nonce}; right is "),
    ("nobody", swapped('employee = "{person}", ', ""), "target.toml:17: application: lacks {person} or a column"),
    ("a path", swapped('"/payslips"', '"payslips"'), "target.toml:18: application.path: found 'payslips', right is: "),
    ("another host", swapped('"/payslips"', '"http://elsewhere/"'), "application.path: found 'http://elsewhere/'"),
    ("two bodies", VALID.replace("\n[answer]", '\ntext = "x"\n[answer]'), "found json and text, right is one body at most"),
    ("a body of GET", VALID.replace("\n[answer]", '\nmethod = "GET"\n[answer]'), "found json with the method GET, right is query"),
    ("a header", swapped("X-Request-Id", '"X Request"'), "is no name of a header; right is such as X-Request-Id"),
    ("a header's text", swapped('"{nonce}"', '"申請 {nonce}"'), "right is Latin text without line breaks"),
    ("an address", swapped("http://127.0.0.1:8080", "127.0.0.1"), "target.toml:3: service.base_url: found '127.0.0.1'"),
    ("a port", swapped(":8080", ":99999"), "target.toml:3: service.base_url: found 'http://127.0.0.1:99999', right is such as"),
    ("an IPv6 address", swapped("127.0.0.1", "[::1"), "service.base_url: "),
    ("a password", swapped("http://", "http://me:secret@"), "who logs in stands in [login] or in headers"),
    ("a matcher", swapped("refused = { status = [409], json", "refused = { stat = [409], json"), "answer.refused.stat: no such key"),
    ("an empty matcher", swapped("{ status = [503] }", "{}"), "answer.retry_later: matches every answer"),
    ("a pattern", swapped("{ status = [503] }", '{ text = "(" }'), "answer.retry_later.text: is no regular expression"),
    ("a place", swapped('in = "body"', 'in = "json"'), 'answer.document: lacks path, which in = "json" needs'),
    ("a place too many", swapped('in = "body"', 'in = "body"\npath = "pdf"'), 'found path, which in = "body" has no use for'),
    ("a login", VALID + LOGIN, "login: found both or none of token and cookie, right is exactly one"),
    ("a token", swapped("{nonce}", "{nonce}{token}"), "found {token}, "),
    ("a secret", swapped("{nonce}", "{nonce}{secret:KEY}"), "found {secret:KEY}, "),
    ("two sources", VALID + '\n[secrets]\nKEY = { env = "A", file = "b" }\n', "secrets.KEY: found env and file, right is exactly one"),
    ("a version", swapped('{ path = "/version", at = "build" }', "7"), "target.toml:4: service.version: found 7"),
    ("people twice", swapped('"people.csv"', '"people.csv"\ngenerate = { count = 3, person = "T{number}" }'), "right is exactly one of file, generate"),
    ("no number", swapped('file = "people.csv"', 'generate = { count = 3, person = "T" }'), "people.generate.person: found 'T'"),
    ("wide numbers", swapped('file = "people.csv"', 'generate = { count = 3, person = "{number}{number:0999999999}" }'), "people.generate.person: "),
    ("no people", swapped("people.csv", "nobody.csv"), "target.toml:9: people.file: "),
    ("forbidden persons", VALID + SAFETY, "safety.forbidden_persons: P002 forbids P002, right are test persons only"),
    ("another machine", OTHER_HOST, f"target.toml:3: service.base_url: the host {HOST} is not this machine; right is to list it"),
    ("no statement", f'{OTHER_HOST}\n[safety]\nallowed_hosts = ["{HOST}"]\n', f'right is "{statement_for([HOST])}", when it is true'),
    ("no bounds", f'{OTHER_HOST}\n[safety]\nallowed_hosts = ["{HOST}"]\n', "safety.max_rate_per_s: is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "said"), WRONG, ids=[what for what, _, _ in WRONG])
def test_wrong(tmp_path: Path, what: str, text: str, said: str) -> None:
    """Each names the file, the line or the key, what was found, and what would be right."""
    with pytest.raises(TargetError) as raised:
        Source(describe(tmp_path, text))
    lines = [line.removeprefix(f"{tmp_path}/") for line in str(raised.value).splitlines()]
    assert any(said in line for line in lines), lines
    assert all(line.startswith("target.toml") for line in lines), (what, lines)


def test_all_at_once(tmp_path: Path) -> None:
    """Whoever mends a file hears of all its mistakes."""
    text = VALID.replace("timeout_s", "timeout").replace("weight", "wait").replace("status = [200]", 'status = "ok"')
    with pytest.raises(TargetError) as raised:
        Source(describe(tmp_path, text))
    assert [line.split(": ")[1] for line in str(raised.value).splitlines()] == [
        *("service.timeout", "kinds.payslip.wait", "answer.document.status")
    ]


def test_valid(tmp_path: Path) -> None:
    """The file from which all of the others are made is right."""
    assert Source(describe(tmp_path)).description.service.name == "payslips"


def test_another_host_with_a_statement(tmp_path: Path) -> None:
    """Who says so, with bounds, may load another machine."""
    safety = (
        f'allowed_hosts = ["{HOST}"]\nmax_rate_per_s = 5\nmax_duration_s = 60\nstatement = "{statement_for([HOST])}"'
    )
    assert Source(describe(tmp_path, f"{OTHER_HOST}\n[safety]\n{safety}\n"))


def test_requests_that_are_not_ours(tmp_path: Path) -> None:
    """A locustfile's own requests may go to this machine, or to a host that is allowed, within the same bounds."""
    allowed = (
        f'allowed_hosts = ["{HOST}"]\nmax_rate_per_s = 5\nmax_duration_s = 60\nstatement = "{statement_for([HOST])}"'
    )
    described = Source(describe(tmp_path, f"{VALID}\n[safety]\n{allowed}\n")).description
    check_load(described, rate_per_s=None, seconds=inf, urls=["http://localhost:80"])
    check_load(described, rate_per_s=5, seconds=60, urls=[f"http://{HOST}"])
    with pytest.raises(
        TargetError, match=r"--host: found http://elsewhere\.example, right is a server of this machine"
    ):
        check_load(described, rate_per_s=5, seconds=60, urls=["http://elsewhere.example"])
    with pytest.raises(TargetError, match=f"--rate: found none, right against {HOST}"):
        check_load(described, rate_per_s=None, seconds=60, urls=[f"http://{HOST}"])
    with pytest.raises(TargetError, match="nothing says how long the load takes"):
        check_load(described, rate_per_s=5, seconds=inf, urls=[f"http://{HOST}"])


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ("person\nP001\n", "found 1 person(s), right is two at least"),
        ("name\nA\nB\n", "row 2 has no person; right is a column person"),
        ("person\nA\nA\n", "row 3 names A again; right is each person once"),
        ("person,receives_for\nA,Z\nB,\n", "A receives for Z, right is a person of this file"),
        (f"person\n{'x' * 300}\nB\n", "row 2: person has 300 characters, right is at most 200"),
        ('person\n"A\n', "is not CSV: "),
        ("person,Refused\nA,*\nB,\n", "found the column 'Refused', right is refused"),
        ("person,refused,refused\nA,*,\nB,,\n", "found two columns refused, right is each column once"),
        ("person,receives_for\nA,B,C\nB,\nC,\n", "row 2 has more cells than there are columns, such as 'C'"),
        ("person,group\nA,\nB,of A\n", "found the group 'of A', which somebody without one has"),
    ],
)
def test_wrong_people(tmp_path: Path, people: str, said: str) -> None:
    """A file of people says which row is wrong."""
    with pytest.raises(TargetError, match=r"target\.toml:9: people\.file: .*people\.csv: ") as raised:
        Source(describe(tmp_path, people=people))
    assert said in str(raised.value)


def test_a_column_that_not_everybody_has(tmp_path: Path) -> None:
    """What would be missing from a request is told before it is made."""
    (tmp_path / "people.json").write_text('[{"person": "A", "key": 1}, {"person": "B"}]')
    text = VALID.replace("people.csv", "people.json").replace("{ X-Request-Id", '{ X-Key = "{key}", X-Request-Id')
    with pytest.raises(TargetError, match=r"headers\.X-Key: \{key\}: B has none; right is one for each person"):
        Source(describe(tmp_path, text))


def test_a_person_that_no_header_can_carry(tmp_path: Path) -> None:
    """What HTTP cannot send is told before a run, with the person."""
    text = VALID.replace("{ X-Request-Id", '{ X-Person = "{person}", X-Request-Id')
    with pytest.raises(
        TargetError, match=r"headers\.X-Person: \{person\} of 山田 is '山田', which no header can carry"
    ):
        Source(describe(tmp_path, text, "person\n山田\n佐藤\n"))


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ('KEY = { env = "MISISSUE_NOT_SET" }', "the variable MISISSUE_NOT_SET is not set"),
        ('KEY = { file = "no-such-file" }', "no-such-file cannot be read"),
        ('KEY = { file = "people.csv" }', "has a line break or the like in it; right is one line of text"),
    ],
)
def test_secrets(tmp_path: Path, secrets: str, said: str) -> None:
    """A secret that is not there is told by name and place, and never by what it is."""
    target = HttpTarget({"file": str(describe(tmp_path, f"{VALID}\n[secrets]\n{secrets}\n"))})
    with pytest.raises(TargetError, match=r"target\.toml:31: secrets\.KEY: ") as raised:
        target.reach()
    assert said in str(raised.value)
    assert "P001" not in str(raised.value)


def test_a_secret_that_no_header_can_carry(tmp_path: Path) -> None:
    """That is told before anything is sent, and not by what the secret is."""
    (tmp_path / "key.txt").write_text("山田の鍵", encoding="utf-8")
    text = VALID.replace("{ X-Request-Id", '{ X-Key = "{secret:KEY}", X-Request-Id')
    target = HttpTarget({"file": str(describe(tmp_path, f'{text}\n[secrets]\nKEY = {{ file = "key.txt" }}\n'))})
    with pytest.raises(TargetError, match=r"headers\.X-Key: \{secret:KEY\} is no Latin text, which no") as raised:
        target.reach()
    assert "山田" not in str(raised.value)


@pytest.mark.parametrize(("settings_", "found"), [({}, "no file"), ({"file": "x.toml", "build": "seed"}, "build")])
def test_settings(settings_: dict[str, str], found: str) -> None:
    """A described service has no settings beside its file."""
    with pytest.raises(TargetError, match=f"--set: found {found}, right is what stands in the target.toml alone"):
        HttpTarget(settings_)


def read(directory: Path, text: str) -> None:
    """Reads it; whatever is wrong with it is a `TargetError` of lines that name the file."""
    path = directory / "target.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    told = ""
    try:
        Source(path)
    except TargetError as error:
        told = str(error)
    assert all(line.startswith(str(path)) for line in told.splitlines())


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_random_text(tmp_path: Path, text: str) -> None:
    """Nothing that anybody could type gives anything but a sentence."""
    read(tmp_path, text)


VALUES = [
    *("0", "-1", "1e400", "nan", "inf", "99999999999999999999999", "true", '""', '"{"', '"{person}"', '"(["', "[]"),
    *("{}", "[[]]", "{ a = 1 }", "1979-05-27", "07:32:00", '"http://[::1"', '"\\u0000"', "{ path = 1 }", '["9-1"]'),
    *('[{ text = "(" }]', "[{ json = 1 }, { page = 1, rectangle_mm = [1, 2, 3, 4] }]", '"(?P<person>x)"', '"barcode"'),
    *('"/{secret:x}"', '[{ status = "x" }]', f'["{"9" * 200}-{"9" * 190}"]', '"(?P<a>a{99999999999})"', '"[[a]"'),
]
KEYS = ["json", "text", "path", "status", "in", "at", "token", "env", "file", "generate", "forbidden_persons", "x.y"]
KEYS += ["of", "masks", "pdf", "page", "rectangle_mm", "person", "by", "dpi"]


def mutated(data: st.DataObject, text: str, values: list[str] = VALUES, keys: list[str] = KEYS) -> str:
    """The text with some lines changed."""
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "twice", "value", "insert", "inline", "table", "cut"])):
            case "drop":
                lines[place] = ""
            case "twice":
                lines.insert(place, lines[place])
            case "value":
                lines[place] = f"{lines[place].partition('=')[0]}= {data.draw(st.sampled_from(values))}"
            case "insert":
                lines.insert(place, f"{data.draw(st.sampled_from(keys))} = {data.draw(st.sampled_from(values))}")
            case "inline":
                lines[place] = lines[place].replace(" }", f", {data.draw(st.sampled_from(keys))} = 1 }}")
            case "table":
                name = data.draw(
                    st.sampled_from(["login", "safety", "secrets", "answer.job", "kinds.x", "change", "fingerprint"])
                )
                lines.append(f"[{name}]")
            case "cut":
                lines[place] = lines[place][: data.draw(st.integers(0, 40))]
    return "\n".join(lines)


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files(tmp_path: Path, data: st.DataObject) -> None:
    """Nor does a valid file in which some things were changed."""
    describe(tmp_path)
    read(tmp_path, mutated(data, VALID + TABLE))
