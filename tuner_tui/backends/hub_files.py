"""Which files of a Hugging Face repository an engine needs, and whether a cached snapshot has them all."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import msgspec

NEEDED_SUFFIXES = {".json", ".txt", ".model", ".jinja", ".tiktoken", ".py", ".vocab"}
WEIGHT_SUFFIXES = ((".safetensors",), (".bin",), (".pt", ".pth"))
"""In this order: the first kind that a repository has is taken, and no other."""
OTHER_LAYOUTS = {"original", "onnx", "openvino", "metal", "coreml", "gguf", ".git"}
"""Folders that hold the same weights once more, for other programs."""
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "*.tiktoken")
SHARD = re.compile(r"-\d+-of-(\d+)\.\w+$")


def needed(files: list[str]) -> tuple[list[str], list[str]]:
    """Paths in a repository → (small files, weights) that an engine reads."""
    ours = [name for name in files if PurePosixPath(name).parts[0] not in OTHER_LAYOUTS]
    small = [name for name in ours if PurePosixPath(name).suffix in NEEDED_SUFFIXES]
    for suffixes in WEIGHT_SUFFIXES:
        weights = [name for name in ours if PurePosixPath(name).suffix in suffixes]
        if weights:
            return small, weights
    return small, []


def is_complete(snapshot: Path) -> bool:
    """Whether an engine could start from this folder: configuration, a tokenizer, every shard of the weights.

    Reads `*.index.json` (its `weight_map` names the shards) and the shards' own numbering.
    """
    if not (snapshot / "config.json").exists():
        return False
    if not any(path.exists() for pattern in TOKENIZERS for path in snapshot.glob(pattern)):
        return False
    present = {path.name for path in snapshot.iterdir() if path.exists()}  # a link to an unfinished blob is dead
    _, weights = needed(sorted(present))
    wanted = set(weights)
    for name in weights:
        numbered = SHARD.search(name)
        if numbered:
            stem, of = name[: numbered.start()], numbered[1]
            suffix = PurePosixPath(name).suffix
            wanted |= {f"{stem}-{number:0{len(of)}d}-of-{of}{suffix}" for number in range(1, int(of) + 1)}
    for index in snapshot.glob("*.safetensors.index.json"):
        try:
            wanted |= set(msgspec.json.decode(index.read_bytes())["weight_map"].values())
        except (OSError, msgspec.DecodeError, KeyError, TypeError, AttributeError):
            return False
    return bool(wanted) and wanted <= present
