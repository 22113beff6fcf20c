"""What somebody filled into the start form of Locust's web UI, read as the command line is read. Pure.

Locust itself takes the fields over without a look: what cannot be read there is an error 500, of which the form says
"an unknown error occurred"; an empty number becomes an empty text, and a list that was empty takes nothing any more.
"""

import re
from argparse import Action
from collections.abc import Mapping

__all__ = ["FormError", "read_fields"]

_LOCUSTS = frozenset({"user_count", "spawn_rate", "host", "run_time", "user_classes", "shape_class", "profile"})
"""Fields that Locust's form has of its own."""
_NEXT_PAIR = re.compile(r"[\s,]+(?=[^\s,=]+=)")
_WANTED = {float: "a number", int: "a whole number"}


class FormError(Exception):
    """Raised when a field cannot be read; says which, what was found and what would be right."""


def read_fields(
    form: Mapping[str, str], options: Mapping[str, Action], host: str, *, is_guest: bool = False
) -> dict[str, object]:
    """Option -> value, of every field that was sent.

    Args:
        options: those that have a field, by the name that the field has.
        host: as the form shows it.
        is_guest: the locustfile's own users take Locust's own fields as they are.

    Raises:
        FormError: at the first field that is wrong.
    """
    values: dict[str, object] = {}
    for name, text in form.items():
        if name in options:
            values[name] = _read(options[name], text.strip())
        elif name not in _LOCUSTS:
            raise FormError(f"{name}: found {text!r}, but there is no such field; give it on the command line")
    if "user_count" in form:
        values["num_users"] = _number("number of users", form["user_count"], int)
    if "spawn_rate" in form:
        values["spawn_rate"] = _number("ramp up", form["spawn_rate"], float)
        if not 0 < float(form["spawn_rate"]) < float("inf"):
            raise FormError(f"ramp up: found {form['spawn_rate']}, right would be more than 0")
    if is_guest:
        return values
    if form.get("run_time"):
        raise FormError(
            f"run time: found {form['run_time']!r}, right would be nothing: the plan of the profile says how long a "
            "run takes"
        )
    if form.get("host", host).rstrip("/") != host.rstrip("/"):
        raise FormError(
            f"host: found {form['host']!r}, right would be {host}: applications go where the target says; "
            "see the target's settings"
        )
    return values


def _read(option: Action, text: str) -> object:
    name = option.option_strings[0]
    if option.nargs == 0:  # it is set, or it is not
        if text not in {"true", "false"}:
            raise FormError(f"{name}: found {text!r}, right would be true or false")
        return text == "true"
    if isinstance(option.default, list):
        return _NEXT_PAIR.split(text) if text else []
    if not text and option.default is None:
        return None
    if option.choices is not None and text not in option.choices:
        raise FormError(f"{name}: found {text!r}, right would be {' or '.join(map(str, option.choices))}")
    return _number(name, text, option.type) if isinstance(option.type, type) else text


def _number(name: str, text: str, kind: type) -> object:
    try:
        return kind(text)
    except ValueError as error:
        raise FormError(f"{name}: found {text!r}, right would be {_WANTED.get(kind, kind.__name__)}") from error
