"""Where the weights are: a folder, a Hugging Face id, a name under `models_dir`, or a name for the engine alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tuner_tui.task.fields import Field
from tuner_tui.task.model import Model
from tuner_tui.task.paths import is_folder, is_there, with_home
from tuner_tui.task.variables import expand, expand_path

_NAME = r"[A-Za-z0-9][\w.-]*"
MODELS_DIR_VARIABLE = "TUNER_TUI_MODELS_DIR"


def models_folder(field: Field | None, argument: Path | None, folder: Path) -> Path:
    """The task's `models_dir`, else the argument, else $TUNER_TUI_MODELS_DIR, else ~/models."""
    if field and (text := field.text("a folder")) and (path := expand_path(field, text, folder)):
        return path
    if argument is not None:
        return argument.absolute()
    named = os.environ.get(MODELS_DIR_VARIABLE)
    return with_home(named or "~/models").absolute()


def read_model(
    field: Field, *, folder: Path, models_dir: Path, simulated: bool, mount_targets: tuple[str, ...]
) -> Model | None:
    """`folder` is the task file's own; `mount_targets` are folders inside the container. None: noted."""
    what = "a folder, a Hugging Face id (org/name), or a name under models_dir"
    given = field.text(what)
    if given is None:
        return None
    if given.startswith(("/", "~", "./", "../", "$")) or given in (".", ".."):
        return _folder(field, given, folder, mount_targets)
    if expand(field, given) is None:
        return None
    if simulated and re.fullmatch(rf"{_NAME}(/{_NAME})?", given):
        return Model(given=given, kind="name")
    if re.fullmatch(rf"{_NAME}/{_NAME}", given):
        if is_folder(folder / given):
            field.warn(f"is taken for a Hugging Face id; write ./{given} for the folder beside the task file")
        return Model(given=given, kind="hub", hub_id=given)
    if not re.fullmatch(_NAME, given):
        field.expected(what)
        return None
    path = models_dir / given
    if is_folder(path):
        return Model(given=given, kind="folder", path=str(path))
    field.warn(
        f"no model {given} is under {models_dir}; put it there, name its folder in full, "
        "or write org/name for a Hugging Face id"
    )
    return Model(given=given, kind="missing", path=str(path))


def _folder(field: Field, given: str, folder: Path, mount_targets: tuple[str, ...]) -> Model | None:
    path = expand_path(field, given, folder)
    if path is None:
        return None
    if is_folder(path):
        return Model(given=given, kind="folder", path=str(path))
    if given.startswith("/") and any(path.is_relative_to(target) for target in mount_targets):
        return Model(given=given, kind="name", path=str(path))
    if is_there(path):
        field.error(f"{path} is a file; expected the folder that holds the model's config.json and weights")
    else:
        field.error(f"the model folder {path} is not there; correct the path, or write org/name for a Hugging Face id")
    return None
