"""What a response means, whichever of Locust's clients received it, when it received it whole."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.target import Answer
from harness.trust import unanswered


def read_response(response: Any, read: Callable[[int, Mapping[str, str], bytes], Answer]) -> Answer:
    """What `read` says of it; what the client cut off is not the service's fault.

    Args:
        response: with `status_code`, `headers`, `content` and perhaps `error`, as the clients of HttpUser and
            FastHttpUser make them.
    """
    status = response.status_code
    if not status:
        return unanswered(getattr(response, "error", None))
    try:
        body = response.content or b""
    except Exception as error:
        if isinstance(error, OSError) or not _is_whole(response):  # half of what was packed cannot be unpacked
            return Answer(unanswered="cut off")
        raise
    if not _is_whole(response):
        return Answer(unanswered="cut off")
    headers = {} if response.headers is None else response.headers
    length = headers.get("content-length")
    if length is not None and length != str(len(body)) and "content-encoding" not in headers:
        return Answer(unanswered="cut off")
    return read(status, headers, body)


def was_asked_with(response: Any, nonce: str) -> bool:
    """Whether the request that brought the response took the nonce along, as far as the client shows what it sent."""
    request = getattr(response, "request", None)
    body = getattr(request, "body", None) or getattr(request, "payload", None) or b""
    sent = [getattr(request, "url", ""), *(getattr(request, "headers", None) or {}).values()]
    sent.append(body.decode(errors="replace") if isinstance(body, bytes) else body)
    whole = re.compile(rf"(?<![\w.-]){re.escape(nonce)}(?![\w.-])")
    return any(whole.search(str(text)) for text in sent)


def _is_whole(response: Any) -> bool:
    """False after a time-out or a cut in the body: FastHttpUser's client shows what it has as if that were all."""
    return bool(getattr(getattr(response, "_response", None), "message_complete", True))
