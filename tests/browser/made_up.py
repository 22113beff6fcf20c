"""Serves Locust's web UI with ours in it, and with a run that is made up.

Called with a port of the loopback; `set/NAME` puts one of `tests.browser.runs` there.
"""

import sys
from importlib import import_module

from gevent import monkey

monkey.patch_all()

from gevent.pywsgi import WSGIServer  # noqa: E402 - gevent has to patch first

from tests.browser.runs import RUNS  # noqa: E402 - gevent has to patch first
from tests.load.web_site import Site  # noqa: E402 - gevent has to patch first


def main() -> None:
    """Until it is killed."""
    port = int(sys.argv.pop())
    site = Site(lambda name: import_module(f"locust.{name}"))

    def put(name: str) -> str:
        site.owner.seen = RUNS[name]
        return name

    site.app.add_url_rule("/set/<name>", view_func=put)
    server = WSGIServer(("127.0.0.1", port), site.app, log=None)
    server.start()
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
