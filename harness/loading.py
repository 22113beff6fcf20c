"""Targets by name: `module:attribute`, or the path of a target.toml."""

import importlib
from collections.abc import Mapping
from typing import cast

from harness.target import Target, TargetError

DESCRIBED_TARGET = "targets.http.target:HttpTarget"
"""What reads a target.toml."""


def load_attribute(name: str) -> object:
    """What `module:attribute` names.

    Raises:
        TargetError: when there is nothing by that name.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"{name!r} not found ({error}); write MODULE:ATTRIBUTE of something importable"
        raise TargetError(message) from error


def load_target(name: str, settings: Mapping[str, str]) -> Target:
    """The target that `module:attribute`, or a target.toml, makes of the settings.

    Raises:
        TargetError: when there is none by that name, or it refuses the settings.
    """
    if not name:
        raise TargetError("--target: found none; write MODULE:ATTRIBUTE, or the path of a service's target.toml")
    if name.endswith(".toml"):
        name, settings = DESCRIBED_TARGET, {**settings, "file": name}
    factory = load_attribute(name)
    if not callable(factory):
        message = f"{name!r} is no target, but {type(factory).__name__}; write MODULE:ATTRIBUTE of a target's class"
        raise TargetError(message)
    return cast("Target", factory(settings))
