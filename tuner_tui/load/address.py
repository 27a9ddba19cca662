"""Where an OpenAI-compatible server's endpoints are."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

PATHS: dict[Literal["completions", "chat"], str] = {"completions": "/completions", "chat": "/chat/completions"}


def api_base(url: str) -> str:
    """The server's base with `/v1`, from a URL with or without it, or from that of an endpoint.

    Raises ValueError with one sentence.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not a URL: {error}; expected one like http://127.0.0.1:8000") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{url!r} is not a server's URL; expected one like http://127.0.0.1:8000")
    base = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    for path in ("/chat/completions", "/completions", "/models"):
        base = base.removesuffix(path)
    return base if base.endswith("/v1") else base + "/v1"
