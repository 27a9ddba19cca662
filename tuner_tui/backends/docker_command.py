"""Whether a created container has the command it is to run.

With an init process the Engine itself never notices: the container starts, and the init ends at once with 127 and
a line of its own in the log. Asked beforehand, it is a failed start with a clear cause.
"""

from __future__ import annotations

import base64
import json
from http import HTTPStatus

from tuner_tui.backends.backend import StartFailed
from tuner_tui.backends.docker_connection import Client

USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IS_FOLDER = 1 << 31  # Go's os.FileMode, as the Engine sends it
ANY_MAY_EXECUTE = 0o111


def check_command(api: Client, container: str) -> None:
    """Raises StartFailed if the entry point is not in the container (3 ms a folder of its PATH). Blocks.

    A command relative to the working folder is not looked for.
    """
    config = api.inspect_container(container)["Config"]
    command = config["Entrypoint"][0]
    if command.startswith("/"):
        places = [command]
    elif "/" in command:
        return
    else:
        environment = dict(entry.split("=", 1) for entry in config["Env"] or () if "=" in entry)
        folders = environment.get("PATH", USUAL_PATH).split(":")
        places = [f"{folder.rstrip('/')}/{command}" for folder in folders if folder]
    refused = False
    for place in places:
        mode = _mode(api, container, place)
        if mode is None or (not mode & IS_FOLDER and mode & ANY_MAY_EXECUTE):
            return
        refused = refused or mode != 0
    why = (
        f"The command {command} of the image may not be executed" if refused else f"The image has no command {command}"
    )
    raise StartFailed(
        "command_not_found", f"{why}: set docker.command to how the engine is started in this image, or the image."
    )


def _mode(api: Client, container: str, place: str) -> int | None:
    """Go file mode of what is at `place`, links followed once; 0 where nothing is; None where nobody can tell."""
    for _ in range(2):
        answer = api.head(  # "ContainerArchiveInfo" in the Engine's API; docker-py has no call for it
            f"{api.base_url}/v{api.api_version}/containers/{container}/archive",
            params={"path": place},
            timeout=api.timeout,
        )
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return 0
        told = answer.headers.get("X-Docker-Container-Path-Stat")
        if answer.status_code != HTTPStatus.OK or not told:
            return None
        facts = json.loads(base64.b64decode(told))
        if not facts.get("linkTarget"):
            return int(facts["mode"])
        place = facts["linkTarget"]
    return None
