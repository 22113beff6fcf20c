"""Puts a judged run into Locust's web UI.

Locust has its views made and registered by the time that our listener is called; ours stand before those that they add
to, so that whoever may see Locust's may see ours, and nobody else.
"""

import socket
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request
from locust.env import Environment
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING, STATE_STOPPING
from locust.web import WebUI

from harness.load.web.desk import Desk
from harness.load.web.owner import Owner
from harness.load.web.pages import make_pages
from harness.load.web.reader import Readers
from harness.load.web.start import StartForm
from harness.load.web.tab import PAGES, extended_stats, template_args
from harness.target import TargetError

_View = Callable[..., Any]
_LOCUST = "locust"
"""Name of the blueprint of Locust's views."""
_SCRIPT = f'<script src="./{PAGES}/static/tab.js" defer></script>'


def add_web_ui(environment: Environment, owner: Owner) -> None:
    """Our tabs, the start form's answers and our pages.

    Raises:
        TargetError: when Locust could not listen where it is to; it would only log that, and end.
    """
    web_ui = environment.web_ui
    if web_ui is None or web_ui.app is None:
        message = "this should never happen, because Locust makes its web UI before it fires init"
        raise AssertionError(message)
    _check_address(web_ui.host, web_ui.port)
    app = web_ui.app
    views: dict[str, _View] = app.view_functions
    app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}  # fields stand as the options were added
    options = environment.parsed_options or Namespace(web_base_path="", lang="")
    desk = Desk(owner, Readers(lambda: owner.people, options.lang))
    ours: dict[str, _View] = {
        "swarm": StartForm(environment, owner, views[f"{_LOCUST}.swarm"], lambda: web_ui.template_args["host"]),
        "index": _Index(web_ui, desk, views[f"{_LOCUST}.index"]),
        "request_stats": _Stats(owner, desk, views[f"{_LOCUST}.request_stats"]),
    }
    for name, view in ours.items():
        views[f"{_LOCUST}.{name}"] = web_ui.auth_required_if_enabled(view)
    pages = make_pages(desk, web_ui.auth_required_if_enabled)
    app.register_blueprint(pages, url_prefix=f"{options.web_base_path or ''}/{PAGES}")
    # Locust lets pages of every origin read its answers. Who was handed whose document is nobody else's business.
    app.after_request_funcs.setdefault(None, []).insert(0, _keep_to_ourselves)


def _check_address(host: str, port: int) -> None:
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        told = str(error.strerror).partition(" (while")[0]
        message = f"--web-port, --web-host: {host or '*'}:{port} cannot be listened on ({told}); name another"
        raise TargetError(message) from error


class _Index:
    """Locust's page, with our tabs and the script that makes links in them."""

    def __init__(self, web_ui: WebUI, desk: Desk, view: _View) -> None:
        self._web_ui = web_ui
        self._desk = desk
        self._view = view

    def __call__(self) -> Any:
        self._web_ui.template_args.update(template_args(self._desk.asked().language))
        page = self._view()
        return page.replace("</body>", f"{_SCRIPT}</body>") if isinstance(page, str) else page


class _Stats:
    """What Locust's page asks for every other second, with the rows of our tables.

    The page asks only as long as it is told that the test runs. So it is told so until the verdict is there.
    """

    def __init__(self, owner: Owner, desk: Desk, view: _View) -> None:
        self._owner = owner
        self._desk = desk
        self._view = view

    def __call__(self) -> Response:
        asked = self._desk.asked()
        told: dict[str, Any] = self._view().get_json()
        is_at_work = self._owner.is_busy or told["state"] in {STATE_CLEANUP, STATE_STOPPING}
        if is_at_work and told["state"] != STATE_SPAWNING:
            told["state"] = STATE_RUNNING
        return jsonify({**told, "extended_stats": extended_stats(asked.snapshot, asked.view(), asked.language)})


def _keep_to_ourselves(response: Response) -> Response:
    if request.blueprint == PAGES:
        for name, _ in list(response.headers):
            if name.startswith("Access-Control-"):
                del response.headers[name]
    return response
