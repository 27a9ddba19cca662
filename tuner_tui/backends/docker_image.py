"""Is an image there, and if not: pull it, with progress."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from tuner_tui.backends.backend import Image, Progress, StartFailed
from tuner_tui.backends.docker_connection import Client, connect, is_gone, said, start_failed


def find_image(api: Client, name: str) -> Image | None:
    """The image as it is on this machine, or None. Blocks. Raises StartFailed, BackendUnavailable."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    try:
        facts = api.inspect_image(name)
    except (APIError, RequestException) as error:
        if is_gone(error):
            return None
        raise start_failed(error) from error
    return Image(name=name, id=facts["Id"], digest=_digest(name, facts.get("RepoDigests") or []))


def _digest(name: str, known: list[str]) -> str | None:
    """`repository@sha256:…`, by which a registry has it. An image may be known from several: the one `name` means, or
    else another, as for an image that was given a name of this machine's own."""
    from docker.utils import parse_repository_tag

    repository, _ = parse_repository_tag(name)
    own = [entry for entry in known if entry.split("@")[0] == repository]
    return (own or known)[0] if known else None


class Pull:
    """One pull, on a connection of its own so that `close` from any thread ends it."""

    def __init__(self, name: str, report: Callable[[Progress], None]) -> None:
        self._name = name
        self._report = report
        self._lock = threading.Lock()
        self._closed = False
        self._stream: Any = None

    def run(self) -> None:
        """Blocks until the image is there. Raises StartFailed, BackendUnavailable."""
        from docker.errors import APIError
        from requests.exceptions import RequestException

        api = connect()
        # docker-py gives the events but not the response under them, which is what ends a waiting read.
        api.hooks["response"].append(self._opened)
        layers = Layers(self._name)
        try:
            for event in api.pull(self._name, stream=True, decode=True):
                if "error" in event:
                    raise pull_failed(self._name, str(event["error"]))
                self._report(layers.take(event))
        except APIError as error:
            raise pull_failed(self._name, said(error)) from error
        except RequestException as error:
            raise start_failed(error) from error
        except OSError as error:
            raise pull_failed(self._name, str(error)) from error
        except (ValueError, AttributeError) as error:  # what urllib3 raises where its socket was shut under it
            if self._closed:
                raise pull_failed(self._name, "given up") from error
            raise
        finally:
            api.close()

    def close(self) -> None:
        """Gives up: the Engine ends the download when its client is gone. Idempotent, does not block."""
        with self._lock:
            self._closed = True
            if self._stream is not None:
                with contextlib.suppress(Exception):
                    self._stream.close()

    def _opened(self, response: Any, *_: object, **__: object) -> None:
        from docker.types import CancellableStream

        with self._lock:
            self._stream = CancellableStream(iter(()), response)
        if self._closed:
            self.close()


class Layers:
    """The Engine's pull events, one layer at a time, summed to bytes.

    Event format: Docker Engine API, "ImageCreate": `{"id", "status", "progressDetail": {"current", "total"}}`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._status: dict[str, str] = {}
        self._done: dict[str, int] = {}
        self._total: dict[str, int] = {}

    def take(self, event: Mapping[str, Any]) -> Progress:
        """Where the pull is after `event`. A layer's size is known once it downloads, so `total` grows."""
        layer, status = event.get("id"), str(event.get("status", ""))
        if isinstance(layer, str) and not status.startswith("Pulling from"):
            self._status[layer] = status
            detail = event.get("progressDetail") or {}
            if status == "Downloading" and detail.get("total"):
                # a layer that is tried again starts anew; what is shown never goes back, nor over its total
                self._done[layer] = max(self._done.get(layer, 0), int(detail.get("current", 0)))
                self._total[layer] = max(self._total.get(layer, 0), int(detail["total"]), self._done[layer])
            elif status in {"Download complete", "Verifying Checksum", "Extracting", "Pull complete"}:
                self._done[layer] = self._total.get(layer, 0)
        return Progress(
            what=f"pulling {self._name}",
            done=sum(self._done.values()),
            total=sum(self._total.values()),
            detail=self._detail(status),
        )

    def _detail(self, status: str) -> str:
        ready = sum(state in {"Pull complete", "Already exists"} for state in self._status.values())
        if not self._status:
            return status
        doing = next((state for state in self._status.values() if state in {"Downloading", "Extracting"}), "")
        return f"{ready} of {len(self._status)} layers" + (f", {doing.lower()}" if doing else "")


def pull_failed(name: str, line: str) -> StartFailed:
    """Why an image cannot be had, from the Engine's line."""
    line = " ".join(line.split())
    if re.search(r"no space left on device", line):
        reason = (
            f"The image {name} does not fit on the Docker Engine's disk: docker system df shows what uses it, "
            "docker system prune frees it."
        )
        return StartFailed("image_not_found", reason, line)
    if re.search(r"no matching manifest for (\S+)", line):
        reason = f"The image {name} is not made for this machine's processor: choose another tag."
    elif re.search(
        r"manifest unknown|manifest for \S+ not found|tag .* not found|name unknown|not found: manifest", line
    ):
        reason = f"The registry has no image {name}: check its name and tag."
    elif re.search(r"denied|unauthorized|authentication required", line):
        reason = (
            f"The registry does not give the image {name} to this user, or has no such image: check its name, "
            "or docker login."
        )
    elif re.search(r"[Ii]nvalid reference format|invalid repository name|must be lowercase", line):
        reason = f"{name} is not a valid image name: write it as registry/name:tag, in lower case."
    elif re.search(r"server gave HTTP response to HTTPS client", line):
        reason = f"The registry of {name} speaks plain HTTP: add it to insecure-registries in the Engine's daemon.json."
    elif re.search(
        r"no such host|connection refused|timeout|timed out|unreachable|Temporary failure|deadline|server misbehaving"
        r"|TLS handshake|x509|proxyconnect",
        line,
    ):
        reason = (
            f"The registry of {name} cannot be reached: check the Docker Engine's network and proxy, or bring the "
            "image here with docker save and docker load."
        )
    else:
        reason = f"The pull of {name} broke off: run again, what is there already is kept."
    return StartFailed("image_not_found", reason, line)


def never_pulled(name: str) -> StartFailed:
    """The image is not here, and the task says that it is not to be pulled."""
    reason = (
        f"The image {name} is not on this machine, and docker.pull is never: docker pull {name}, or docker load it."
    )
    return StartFailed("image_not_found", reason)
