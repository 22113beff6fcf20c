"""How a run was made, and how it is made again. Pure."""

import shlex
from collections.abc import Mapping
from pathlib import PurePath

from harness.evidence.ledger import RunDescription
from harness.report.masking import Masking


def run_section(run: RunDescription, masking: Masking) -> Mapping[str, object]:
    """How the run can be repeated."""
    return {
        "command": masking.text(repeat_command(run)),
        "command_is_whole": "locust" not in " ".join(run.command[:1]) or "--headless" in run.command,
        "parameters": [
            ("run", run.run),
            ("seed", str(run.seed)),
            *((name, masking.text(value)) for name, value in _flat(run.parameters)),
        ],
        "versions": sorted(run.versions.items()),
    }


def repeat_command(run: RunDescription) -> str:
    """The command that makes the run again, with its seed, in a new directory; empty where it is not known."""
    if not run.command:
        return ""
    program, *words = run.command
    path = PurePath(program)
    head = ["python3", "-m", path.parent.name] if path.name == "__main__.py" else [path.name]
    kept: list[str] = []
    for word, before in zip(words, ["", *words], strict=False):
        if word != "--out" and before != "--out" and not word.startswith("--out="):
            kept.append(word)
    if not any(word == "--seed" or word.startswith("--seed=") for word in kept):
        kept += ["--seed", str(run.seed)]
    return shlex.join((*head, *kept))


def _flat(values: Mapping[str, object], before: str = "") -> list[tuple[str, str]]:
    """Every parameter in a line of its own, those of a table with its name before theirs."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{before}{name}.")
        else:
            found.append((f"{before}{name}", "" if value is None else str(value)))
    return found
