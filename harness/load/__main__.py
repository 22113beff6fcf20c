"""`python -m harness.load` is Locust as `misissue verify` starts it: where no run was made, the exit code says so.

Locust itself ends with 1 for an option that it does not like, for a locustfile that cannot be imported, and for a
listener that throws before the run begins, and with 0 where it only lists what it would do. A gate would read FAIL and
PASS there.
"""

import os
import sys
import traceback

_SAYS_NOTHING = 0, 1, -1, None
"""What Locust ends with by itself."""


def main() -> None:
    """Run Locust with the arguments of this process."""
    process = os.getpid()  # its load processes are forked off
    begun: list[bool] = []
    ended: list[bool] = []
    try:
        # Here, because Ctrl-C may come while it is imported, which takes a second.
        from locust import events
        from locust.main import main as run_locust

        events.init.add_listener(lambda **_: begun.append(True))
        events.quitting.add_listener(lambda **_: ended.append(True))
        run_locust()
    except BaseException as end:
        decides_nothing = os.getpid() != process or "--worker" in sys.argv
        if decides_nothing or (isinstance(end, SystemExit) and (ended or end.code not in _SAYS_NOTHING)):
            raise
        sys.exit(_end(end, has_begun=bool(begun)))  # Python would end with 1, which reads as FAIL


def _end(end: BaseException, *, has_begun: bool) -> int:
    """Tell why there is no verdict; the exit code of that."""
    # Not before Locust, which patches what this brings in.
    from harness.verdict import EXIT_CODES, EXIT_DIED, EXIT_USAGE

    if isinstance(end, SystemExit):
        code, said = EXIT_USAGE if end.code else EXIT_CODES["INCONCLUSIVE"], "no run was made"
    elif isinstance(end, KeyboardInterrupt):
        code, said = EXIT_CODES["INCONCLUSIVE"], "interrupted"
    else:
        traceback.print_exception(end)
        said = f"{type(end).__name__}: {end}"
        code, said = (EXIT_DIED, said) if has_begun else (EXIT_USAGE, f"no run was made: {said}")
    sys.stderr.write(f"misissue: {said}\n")
    return code


if __name__ == "__main__":
    main()
