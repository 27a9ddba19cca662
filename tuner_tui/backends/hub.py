"""A Hugging Face model in the user's cache before the first launch, so that no launch waits for a download."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from tuner_tui.backends.backend import Progress, StartFailed
from tuner_tui.backends.hub_messages import Failed, Finished, Message, Moved

LINE_BYTES = 1024 * 1024


async def download(model_id: str, *, on_progress: Callable[[Progress], None], revision: str | None = None) -> Path:
    """Configuration, tokenizer and weights of `model_id`; returns the snapshot's folder in the cache.

    A complete copy in the cache is taken as it is, without any network. The place (`HF_HOME`, `HF_HUB_CACHE`), the
    hub (`HF_ENDPOINT`) and the token (`HF_TOKEN`) are the user's own, by environment. The download is a process of
    its own, since it can be ended only so; what it has fetched is kept for the next time. Raises StartFailed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # -P: a huggingface_hub.py in the user's folder is not the library.
        *("-P", "-m", "tuner_tui.backends.hub_child", model_id, *([revision] if revision else [])),
        stdin=asyncio.subprocess.PIPE,  # never written to: its end tells the child that we are gone
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
        limit=LINE_BYTES,
    )
    assert process.stdout is not None
    last_words: deque[str] = deque(maxlen=20)
    try:
        async for line in process.stdout:
            try:
                message = msgspec.json.decode(line, type=Message)
            except (msgspec.DecodeError, UnicodeDecodeError):
                last_words.append(line.decode(errors="replace").strip())
                continue
            match message:
                case Moved(done=done, total=total, detail=detail):
                    on_progress(Progress(what=f"downloading {model_id}", done=done, total=total, detail=detail))
                case Finished(path=path):
                    return Path(path)
                case Failed():
                    raise StartFailed(message.failure_class, message.reason, message.line)
        code = await process.wait()
        raise StartFailed(
            "model_not_found",
            f"The download of {model_id} ended by itself (exit code {code}): run again, what is there already is kept.",
            next((words for words in reversed(last_words) if words), ""),
        )
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
