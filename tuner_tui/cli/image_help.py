"""Runs an image once to hear its `--help`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from tuner_tui.backends.backend import StartFailed
from tuner_tui.backends.docker_connection import connect, said, unavailable
from tuner_tui.backends.docker_image import find_image

_TIMEOUT_S = 120


class HelpFailed(Exception):
    """The image is not here, or it has no help to give; one sentence says which."""


def help_of_image(image: str, command: Sequence[str], *, all_groups: bool = False) -> str:
    """What `command --help` prints in a container of `image`, without network and removed at once.

    `all_groups`: the program shows its flags in groups and has `--help=all`. The image is never pulled. Raises
    HelpFailed, BackendUnavailable.
    """
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    api = connect()
    try:
        if find_image(api, image) is None:
            raise HelpFailed(f"{image} is not on this machine: docker pull {image}, or leave --from-image out")
        questions = ["--help=all", "--help"] if all_groups else ["--help"]
        said_last = ""
        for question in questions:
            container = api.create_container(
                image,
                [*command[1:], question],
                entrypoint=[command[0]],
                network_disabled=True,
                environment={"COLUMNS": "160", "NO_COLOR": "1"},
                labels={"tuner-tui.help": "1"},
            )["Id"]
            try:
                api.start(container)
                code = api.wait(container, timeout=_TIMEOUT_S)["StatusCode"]
                output: str = api.logs(container, stdout=True, stderr=False).decode("utf-8", errors="replace")
                said_last = api.logs(container, stdout=False, stderr=True).decode("utf-8", errors="replace").strip()
            finally:
                with contextlib.suppress(APIError):
                    api.remove_container(container, force=True)
            if code == 0 and "--" in output:
                return output
        last = said_last.splitlines()[-1] if said_last else "nothing"
        raise HelpFailed(f"{' '.join(command)} --help in {image} ended with code {code} and said: {last}")
    except StartFailed as failed:
        raise HelpFailed(failed.reason) from failed
    except (DockerException, RequestException) as error:
        if isinstance(error, APIError):
            raise HelpFailed(f"{image} could not be asked: {said(error)}") from error
        raise unavailable(error) from error
    finally:
        api.close()
