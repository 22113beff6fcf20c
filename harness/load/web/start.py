"""The start form of Locust's web UI: what cannot be run is refused there with a sentence, and starts nothing."""

import logging
from argparse import Action
from collections.abc import Callable, Mapping

from flask import Response, jsonify, request
from locust.argument_parser import default_args_dict, get_parser
from locust.env import Environment
from locust.runners import STATE_INIT, STATE_STOPPED, MasterRunner
from locust.util.timespan import parse_timespan
from werkzeug.datastructures import ImmutableMultiDict

from harness.load.web.form import FormError, read_fields
from harness.load.web.owner import Owner

_log = logging.getLogger(__name__)


class StartForm:
    """Stands before Locust's own answer to the form.

    The run is opened here, before Locust is asked to start its users: so whatever keeps it from beginning is told to
    the person at the form.

    Args:
        swarm: Locust's own.
        host: as the form shows it.
    """

    def __init__(
        self, environment: Environment, owner: Owner, swarm: Callable[[], Response], host: Callable[[], str]
    ) -> None:
        self._environment = environment
        self._owner = owner
        self._swarm = swarm
        self._host = host
        self._is_opening = False

    def __call__(self) -> Response:
        """Open a run by the form and let Locust start it; or say why not."""
        options = _options()
        try:
            self._check_free()
            self._is_opening = True
            try:
                self._owner.open(self._environment, self._read(options))
            finally:
                self._is_opening = False
        except Exception as error:  # noqa: BLE001 - whatever it is, the form shows it
            _log.info("the start form was refused: %s", error)
            # The UI shows the message of an answer that went well only.
            return jsonify({"success": False, "message": str(error), "host": self._environment.host})
        return self._start(options)

    def _read(self, options: Mapping[str, Action]) -> dict[str, object]:
        form, is_guest = request.form, self._owner.is_guest
        values = read_fields(form, options, self._host(), is_guest=is_guest)
        return values | _guests_values(form) if is_guest else values

    def _check_free(self) -> None:
        """There is one run at a time.

        Raises:
            FormError: when there is one, or nobody who could make the load.
        """
        runner = self._environment.runner
        if isinstance(runner, MasterRunner) and not runner.worker_count:
            raise FormError("no worker has connected yet; start one, and then the run")
        if self._is_opening or self._owner.is_busy or (runner and runner.state not in {STATE_INIT, STATE_STOPPED}):
            raise FormError("a run goes on; stop it, or wait for its verdict, and then start the next one")

    def _start(self, options: Mapping[str, Action]) -> Response:
        # What we have read Locust must not read again: it knows no empty number and no empty list.
        request.form = ImmutableMultiDict(
            [(name, value) for name, value in request.form.items(multi=True) if name not in options]
        )
        try:
            response = self._swarm()
            is_started = bool(response.get_json()["success"])
        except BaseException:
            self._owner.give_up(self._environment)
            raise
        if not is_started:
            self._owner.give_up(self._environment)
        return response


def _guests_values(form: Mapping[str, str]) -> dict[str, object]:
    """How long and against which host the locustfile's own users are at work.

    Raises:
        FormError: when the run time cannot be read.
    """
    text = form.get("run_time", "").strip()
    try:
        values: dict[str, object] = {"run_time": parse_timespan(text) if text else None}
    except ValueError as error:
        raise FormError(f"run time: found {text!r}, right would be such as 20s, 3m or 1h30m, or nothing") from error
    return values | ({"host": host} if (host := form.get("host", "").strip()) else {})


def _options() -> dict[str, Action]:
    """Those that have a field, by its name: all that Locust does not have of its own, unless they are hidden."""
    of_locust = default_args_dict()
    shown: dict[str, Action] = get_parser().args_included_in_web_ui
    return {name: option for name, option in shown.items() if name not in of_locust}
