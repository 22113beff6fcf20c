"""What a test of slow work does in a process of its own, because gevent would wait for children of other tests, too.

Runs where the files of its jobs may lie; prints what came out, in JSON.
"""

import json
import sys
from pathlib import Path

import gevent

from harness.load.web import slow

JOB = """
import sys, time
from pathlib import Path
told = sys.stdin.buffer.read()
with open("jobs", "a") as file:
    file.write(f"{sys.argv[1:]}\\n")
match sys.argv[1]:
    case "fail":
        sys.exit("one line\\nmisissue: there is no such run")
    case "silent":
        sys.exit(3)
    case "hang":
        Path("hangs").touch()
        time.sleep(600)
    case "kill":
        import os
        os.kill(os.getpid(), 9)
print(f"{len(told)} {sys.argv[1:]} 誤交付", end="")
"""


def attempt(work: slow.SlowWork, *arguments: str, **options: bytes | bool) -> str:
    """What comes of it."""
    try:
        return work.run("job", *arguments, **options).decode()  # type: ignore[arg-type] # as the test gives them
    except slow.SlowError as error:
        return f"SlowError: {error}"


def main() -> None:
    """All of it."""
    Path("job.py").write_text(JOB)
    work = slow.SlowWork()
    told = {
        "much": attempt(work, "a", told=b"x" * 200_000),
        "fail": attempt(work, "fail"),
        "silent": attempt(work, "silent"),
        "kill": attempt(work, "kill"),
        "kept": [attempt(work, "kept", keep=True) for _ in range(2)],
        "not kept": [attempt(work, "not kept") for _ in range(2)],
        "at once": [one.get() for one in [gevent.spawn(attempt, work, "at once") for _ in range(3)]],
        "at the end": [
            one.get() for one in [gevent.spawn(attempt, work, "at the end", keep=keep) for keep in (False, True, True)]
        ],
        "fail at once": [one.get() for one in [gevent.spawn(attempt, work, "fail", "2") for _ in range(2)]],
    }
    slow._AT_MOST_S = 1.0
    told["hang"] = attempt(work, "hang")
    told["after"] = attempt(work, "a")
    sys.stdout.write(json.dumps(told))


main()
