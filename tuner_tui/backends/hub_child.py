"""The process that downloads: `python -m tuner_tui.backends.hub_child MODEL [REVISION]`.

Says how far it is on standard output (`hub_messages`), and ends when its standard input does: then whoever asked
for the download is gone.
"""

from __future__ import annotations

import errno
import glob
import os
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from tuner_tui.backends.hub_files import is_complete, needed
from tuner_tui.backends.hub_messages import Failed, Finished, Message, Moved

REPORT_EVERY_S = 0.3


def say(message: Message) -> None:
    os.write(1, msgspec.json.encode(message) + b"\n")


def fetch(model_id: str, revision: str | None) -> Path:
    """Raises what huggingface_hub raises."""
    from huggingface_hub import HfApi, constants, snapshot_download

    cached = _cached(model_id, revision)
    if cached is not None:
        return cached
    say(Moved(done=0, total=0, detail="asking the hub"))
    facts = HfApi().model_info(model_id, revision=revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in facts.siblings or ()}
    small, weights = needed(list(sizes))
    if not weights:
        raise NoWeights
    blobs = Path(constants.HF_HUB_CACHE) / f"models--{model_id.replace('/', '--')}" / "blobs"
    total = sum(sizes[name] for name in small + weights)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(blobs, _blob_sizes(facts, small + weights), total, over))
    watcher.start()
    try:
        # The weights last: where they are complete, so is all the rest, and `is_complete` can rely on it.
        for names in (small, weights):
            folder = snapshot_download(
                model_id, revision=facts.sha or revision, allow_patterns=[glob.escape(name) for name in names]
            )
        _remember(blobs.parent, revision, facts.sha)
    finally:
        over.set()
        watcher.join()
    say(Moved(done=total, total=total))
    return Path(folder)


def _cached(model_id: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    try:
        config = try_to_load_from_cache(model_id, "config.json", revision=revision)
    except ValueError:  # no model id; the hub's own check says it better
        return None
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return folder if is_complete(folder) else None


def _remember(repository: Path, revision: str | None, commit: str | None) -> None:
    """Writes the cache's note of which commit a branch means; downloading by commit leaves it out.

    By commit, so that both parts of the download are of one state even if the branch moves in between.
    """
    if commit and revision != commit:
        note = repository / "refs" / (revision or "main")
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(commit)


def _blob_sizes(facts: Any, names: list[str]) -> dict[str, int]:
    """Name in the cache's `blobs` folder → bytes. The name is the SHA-256 of a large file, else git's own hash."""
    found = {}
    for file in facts.siblings:
        if file.rfilename in names:
            large = file.lfs
            key = large.get("sha256") if isinstance(large, dict) else getattr(large, "sha256", None)
            found[key or file.blob_id] = file.size or 0
    return found


def _watch(blobs: Path, sizes: dict[str, int], total: int, over: threading.Event) -> None:
    """Reports the growth of the cache: that counts what an earlier try has left, and every way of transport."""
    most = 0
    while not over.wait(REPORT_EVERY_S):
        done = 0
        try:
            for entry in os.scandir(blobs):
                size = sizes.get(entry.name.split(".")[0])
                if size is not None:
                    done += min(size, entry.stat().st_size)
        except OSError:  # not made yet, or renamed under our hands
            continue
        most = max(most, min(done, total))
        say(Moved(done=most, total=total))


class NoWeights(Exception):
    """The repository has no weights that an engine could read."""


def failure(model_id: str, revision: str | None, error: BaseException) -> Failed:
    """Why the model cannot be had, in one sentence. By class names: they moved between the library's versions."""
    chain = [error]
    while (cause := chain[-1].__cause__) is not None:  # "not in the cache" is told of every trouble with the hub
        chain.append(cause)
    kinds = {kind.__name__ for each in chain for kind in type(each).__mro__}
    statuses = [getattr(getattr(each, "response", None), "status_code", None) for each in chain]
    status = next((status for status in statuses if status is not None), None)
    line = " ".join(str(error).split())[:500]
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    failure_class = "model_not_found"
    if "GatedRepoError" in kinds:
        failure_class = "gated_model"
        reason = f"The model {model_id} is given only on request: ask on its page at the hub, and set HF_TOKEN."
    elif "RevisionNotFoundError" in kinds:
        reason = f"The model {model_id} has no revision {revision}: check its page at the hub."
    elif "RepositoryNotFoundError" in kinds or status == 401:
        reason = (
            f"The hub has no model {model_id}, or it is private: check its name, and set HF_TOKEN if it is private."
        )
    elif "HFValidationError" in kinds:
        reason = f"{model_id} is not a model id: write it as owner/name, or give the path of a folder."
    elif isinstance(error, NoWeights):
        reason = f"The model {model_id} has no safetensors or PyTorch weights: take a repository that has them."
    elif getattr(error, "errno", None) == errno.ENOSPC or "No space left" in line:
        reason = "The disk of the Hugging Face cache is full: free it (hf cache), or set HF_HOME to a larger one."
    elif "OfflineModeIsEnabled" in kinds or offline:
        reason = f"The model {model_id} is not complete in the cache, and HF_HUB_OFFLINE is set: unset it once."
    elif "HfHubHTTPError" in kinds and status is not None:
        reason = f"The hub answered {status} for {model_id}: run again later, what is there already is kept."
    elif kinds & {"ConnectionError", "ConnectError", "TransportError", "TimeoutException", "LocalEntryNotFoundError"}:
        reason = (
            f"The hub cannot be reached for {model_id}: check the network and the proxy (HTTPS_PROXY, HF_ENDPOINT), "
            "or copy the model here and give its folder."
        )
    else:
        reason = (
            f"The download of {model_id} failed ({type(error).__name__}): run again, what is there already is kept."
        )
    return Failed(failure_class=failure_class, reason=reason, line=line)


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    model_id, revision = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else None)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        say(Finished(path=str(fetch(model_id, revision))))
    except Exception as error:
        say(failure(model_id, revision, error))
        sys.exit(1)


if __name__ == "__main__":
    main()
