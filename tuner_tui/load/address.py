"""Where an OpenAI-compatible server's endpoints are."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote, urlsplit

PATHS: dict[Literal["completions", "chat"], str] = {"completions": "/completions", "chat": "/chat/completions"}


_KEPT = "/%:@!$&'()*+,;=~"
"""What a path may hold as it is: RFC 3986, 3.3; and what is quoted already."""
_USER = re.compile(r"(\w+:)?(//)?[^/?#]*@", re.ASCII)


def api_base(url: str) -> str:
    """Where the server's endpoints are: the URL with `/v1`, or without the endpoint that it names.

    Raises ValueError with one sentence, which has nothing of what may be secret in a URL.
    """
    url = url.strip()
    if _USER.match(url):
        raise ValueError(
            "a user or password has no place in a URL, which is shown; put the server's API key into an environment "
            "variable and give that one's name (--api-key-variable)"
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not a URL: {error}; expected one like http://127.0.0.1:8000") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{url!r} is not a server's URL; expected one like http://127.0.0.1:8000")
    if parts.query or parts.fragment:
        raise ValueError("what follows ? or # in a server's URL cannot be sent with each request; leave it out")
    base = f"{parts.scheme}://{parts.netloc}{quote(parts.path, safe=_KEPT)}".rstrip("/")
    for path in ("/chat/completions", "/completions", "/models"):
        if base.endswith(path):
            return base.removesuffix(path)
    return base if base.endswith("/v1") else base + "/v1"
