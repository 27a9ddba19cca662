"""Models that cannot be had or do not suit the engine."""

from __future__ import annotations

import re

from tuner_tui.engines.counsel import Counsel
from tuner_tui.engines.error_pattern import VAGUE, ErrorPattern, error
from tuner_tui.engines.facts import Fix
from tuner_tui.engines.memory_advice import (
    batched_tokens,
    context_too_long,
    heads,
    not_divisible,
    quantised_shape,
)
from tuner_tui.engines.server_state import ServerState


def _dtype(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    """The dtype that the line itself recommends."""
    recommended = match["instead"]
    return Counsel(
        f"the GPU or the quantisation does not take this dtype: set dtype to {recommended}",
        Fix(set={"dtype": recommended}),
    )


_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What max-lora-rank may be."""


def _lora_rank(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    rank = int(match["rank"])
    enough = next((each for each in _LORA_RANKS if each >= rank), None)
    if enough is None:
        return Counsel(f"the adapter's rank {rank} is more than any the engine can take")
    return Counsel(
        f"the adapter's rank {rank} is more than max-lora-rank {match['limit']}: raise that to {enough}",
        Fix(set={"max-lora-rank": enough}),
    )


MODEL_ERRORS: tuple[ErrorPattern, ...] = (
    error(
        "context_too_long",
        ("is greater than the derived",),
        r"[Ee]rror(?::|,) (?:Warning: )?User-specified (?:max_model_len|context_length) \((?P<asked>\d{1,15})\) "
        r"is greater than the derived (?:max_model_len|context_length) \((?P<limit>[^)]*)\)",
        context_too_long,
        "Value error, User-specified max_model_len (1048576) is greater than the derived max_model_len "
        "(max_position_embeddings=262144 or model_max_length=None in model's config.json).",
        certain=True,
    ),
    error(
        "context_too_long",
        ("maximum context length", "model's context length", "Requested token count"),
        r"maximum context length (?:is|of) |longer than the model's context length(?!.*Truncating)|"
        r"Requested token count .*exceeds(?!.*Truncating)",
        "a request asks for more tokens than the server's context holds: raise max-model-len / context-length, or "
        "shorten the traffic",
        "ValueError: This model's maximum context length is 2048 tokens. However, you requested 2400 tokens.",
        weight=VAGUE,
    ),
    error(
        "gated_model",
        ("gated", "GatedRepo", "is restricted"),
        r"GatedRepoError|access a gated repo|Cannot access gated repo|is restricted and you "
        r"(?:are not in the authorized|must have access)",
        "the model is gated: ask for access on its page and export HF_TOKEN",
        "OSError: You are trying to access a gated repo.",
    ),
    error(
        "gated_model",
        ("Client Error",),
        r"(?<!RepositoryNotFoundError: )(?<!EntryNotFoundError: )40[13] Client Error",
        "the hub refused access to the model: ask for it on the model's page and export HF_TOKEN",
        "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/a/b/config.json",
        weight=VAGUE,
    ),
    error(
        "model_not_found",
        ("an't load tokenizer", "backend tokenizer", "nable to load vocabulary"),
        r"[Cc]an't load tokenizer|Couldn't instantiate the backend tokenizer|[Uu]nable to load vocabulary",
        "the model's tokenizer is missing or cannot be read: put tokenizer.json beside the weights, or name another "
        "one (tokenizer-path, tokenizer)",
        "OSError: Can't load tokenizer for '/model'.",
    ),
    error(
        "model_not_found",
        (
            "RepositoryNotFoundError",
            "valid model identifier",
            "LocalEntryNotFoundError",
            "We couldn't connect to",
            "Repo id must be",
            "does not appear to have a file named",
            "Can't load the configuration of",
            "ncorrect path_or_model_id",
            "No such file or directory: '",
            "Cannot find any model weights",
            "Invalid repository ID or local directory",
            "No supported config format found",
            "EntryNotFoundError",
            "RevisionNotFoundError",
            "404 Client Error",
            "Unrecognized model in",
            "offline mode is enabled",
            "OfflineModeIsEnabled",
            "no file named",
            "No such file or directory: /",
        ),
        r"RepositoryNotFoundError|is not a local folder and is not a valid model identifier|LocalEntryNotFoundError|"
        r"We couldn't connect to 'http|Repo id must be|does not appear to have a file named|"
        r"Can't load the configuration of|[Ii]ncorrect path_or_model_id|"
        r"No such file or directory: '[^']*(?:config\.json|tokenizer[^'/]*|\.safetensors)'|"
        r"Cannot find any model weights|Invalid repository ID or local directory|"
        r"No supported config format found|(?:Entry|Revision)NotFoundError|404 Client Error|Unrecognized model in |"
        r"offline mode is enabled|OfflineModeIsEnabled|Error no file named|"
        r"FileNotFoundError: No such file or directory: /\S*(?:\.safetensors|\.json|\.bin)",
        "the model was not found: check its name or folder, that the folder is mounted, and the network "
        "(HF_HUB_OFFLINE, HF_ENDPOINT)",
        "OSError: We couldn't connect to 'https://huggingface.co' to load the files",
    ),
    error(
        "other",
        ("SafetensorError", "PytorchStreamReader failed"),
        r"SafetensorError: Error while deserializing header|PytorchStreamReader failed",
        "a file of the model's weights is damaged or not complete: compare its size with the hub's, and fetch it again",
        "safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer",
    ),
    error(
        "bad_flag_value",
        ("trust_remote_code", "custom code which must be executed"),
        r"set the option `trust_remote_code=True`|trust_remote_code=True` to remove|custom code which must be executed|"
        r"set `--trust-remote-code`",
        "the model brings code of its own: if you trust its author, set trust-remote-code",
        "ValueError: Loading /model requires you to execute the configuration file in that repo on your local machine. "
        "Make sure you have read the code there, then set the option `trust_remote_code=True` to remove this error.",
        fix=Fix(set={"trust-remote-code": True}),
    ),
    error(
        "bad_flag_value",
        ("float16",),
        r"Bfloat16 is only supported on GPUs.*--dtype=(?P<instead>half|float16)",
        _dtype,
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has "
        "compute capability 7.5. You can use float16 instead by explicitly setting the `dtype` flag in CLI, for "
        "example: --dtype=half.",
    ),
    error(
        "bad_flag_value",
        ("is not supported for quantization method",),
        r"is not supported for quantization method \S+\. Supported dtypes: \[(?:torch\.)?(?P<instead>\w+)\]",
        _dtype,
        "ValueError: torch.bfloat16 is not supported for quantization method awq. Supported dtypes: [torch.float16]",
    ),
    error(
        "bad_flag_value",
        ("uantization method",),
        r"Error[:,] .*(?:[Uu]nknown quantization method|quantization method .*(?:is not supported|does not match))",
        "this quantisation does not suit the model, the GPU or the engine: leave quantization out, or change the model",
        "ValueError: The quantization method awq is not supported for the current GPU. Minimum capability: 75.",
    ),
    error(
        "other",
        ("Transformers does not recognize this architecture",),
        r"but Transformers does not recognize this architecture",
        "this image is too old for the model's architecture; take a newer one",
        "ValueError: The checkpoint you are trying to load has model type `qwen9` but Transformers does not recognize "
        "this architecture.",
    ),
    error(
        "other",
        ("are not supported for now", "is not supported", "failed to be inspected"),
        r"Error[:,] .*Model architectures? .*(?:(?:are|is) not supported|failed to be inspected)",
        "this version of the engine does not know the model's architecture; take a newer image",
        "ValueError: Model architectures ['FooForCausalLM'] are not supported for now.",
    ),
    error(
        "bad_flag_value",
        ("not supported in this architecture",),
        r"type (?P<type>\w{1,20}) not supported in this architecture",
        "this GPU cannot compute with {type}: choose another kv-cache-dtype (fp8_e5m2, auto), or weights in another "
        "quantisation",
        "ValueError(\"type fp8e4nv not supported in this architecture. The supported fp8 dtypes are ('fp8e5',)\")",
    ),
    error(
        "bad_flag_value",
        ("is greater than max_lora_rank",),
        r"LoRA rank (?P<rank>\d{1,6}) is greater than max_lora_rank (?P<limit>\d{1,6})",
        _lora_rank,
        "ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
    ),
    error(
        "bad_flag_value",
        (" is not divisible by ",),
        r"^AssertionError: (?P<size>\d{1,9}) is not divisible by (?P<parts>\d{1,6})$",
        not_divisible,
        "AssertionError: 14336 is not divisible by 3",
    ),
    error(
        "bad_flag_value",
        ("must be divisible by tensor parallel size",),
        r"attention heads \((?P<heads>\d{1,6})\) must be divisible by tensor parallel size \((?P<tp>\d{1,6})\)",
        heads,
        "ValueError: Total number of attention heads (14) must be divisible by tensor parallel size (4).",
        certain=True,
    ),
    error(
        "bad_flag_value",
        (
            "with the quantized weight shape",
            "is not divisible by weight quantization block",
            "is not divisible by block",
        ),
        r"Error: (?:The (?:in|out)put size is not aligned with the quantized weight shape|.* is not divisible by "
        r"(?:weight quantization )?block_[nk])",
        quantised_shape,
        "ValueError: The input size is not aligned with the quantized weight shape. This can be caused by too large "
        "tensor parallel size.",
    ),
    error(
        "bad_flag_value",
        ("max_num_batched_tokens (",),
        r"[Ee]rror(?::|,) (?P<why>max_num_batched_tokens \(\d{1,12}\) (?:is smaller than|must be greater than)[^(]*"
        r"\((?P<need>\d{1,12})\))",
        batched_tokens,
        "Value error, max_num_batched_tokens (8) must be greater than or equal to max_num_seqs (16).",
    ),
    error(
        "bad_flag_value",
        ("tilization must be", "mem_fraction_static must be", "mem-fraction-static must be"),
        r"(?P<why>[Mm]emory utilization must be [^\[]*|gpu_memory_utilization must be [^\[]*|"
        r"mem[_-]fraction[_-]static must be [^\[]*)",
        "the engine refuses a value: {why}",
        "ValueError: GPU memory utilization must be less than 1.0. Got 1.2.",
    ),
    error(
        "bad_flag_value",
        ("Input should be ",),
        r"^\s*(?P<why>Input should be [^\[]*?) \[type=\w+, input_value=(?P<given>[^\]]*?)(?:, input_type=\w+)?\]?$",
        "the engine refuses the value {given}: {why}",
        "  Input should be greater than 0 [type=greater_than, input_value=0, input_type=int]",
    ),
)
