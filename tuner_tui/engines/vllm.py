"""vLLM's start-up log (0.2 to 0.33, both engines): what each wording says."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tuner_tui.engines import vllm_memory
from tuner_tui.engines.arguments import call_arguments
from tuner_tui.engines.facts import (
    AnyFact,
    Assigned,
    Entered,
    LoadBegan,
    Phase,
    Retracted,
    Started,
    Told,
    Took,
    Where,
)
from tuner_tui.engines.log_rows import COMMON, COUNT, SECONDS, Read, Row, group, row

Match = re.Match[str]

_VERSION = re.compile(r"vLLM API server version v?(?P<version>\d[\w.+-]*)")
"""In front of the arguments where a log's lines ran together."""


def _arguments(match: Match, where: Where) -> Iterable[AnyFact]:
    if glued := _VERSION.search(match.string, 0, match.start()):
        yield from _banner(glued, where)
    arguments = call_arguments(match["arguments"])
    yield Started(where=where, arguments=arguments)
    if isinstance(arguments.get("attention_backend"), str):
        yield Told(where=where, about="attention_backend", value=str(arguments["attention_backend"]))
    block = arguments.get("block_size")
    if isinstance(block, int) and block > 0:
        yield Told(where=where, about="block_tokens", value=block)
    if arguments.get("enforce_eager") is True:
        yield Told(where=where, about="graphs", value=False)


def _version(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="engine_version", value=match["version"])


def _banner(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Started(where=where)
    yield from _version(match, where)


_CONFIG_KEYS = ("dtype", "max_seq_len", "enforce_eager", "kv_cache_dtype", "device_config")
_CONFIG_VALUE = re.compile(r"[\w.]+")
_WITHOUT_GRAPHS = re.compile(r"cudagraph_mode\W{1,4}(?:<?CUDAGraphMode\.)?NONE")


def _engine(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="distributed")
    yield from _config(match, where)


def _config(match: Match, where: Where) -> Iterable[AnyFact]:
    if version := group(match, "version"):
        yield Told(where=where, about="engine_version", value=version)
    text, config = match["config"], {}
    for key in _CONFIG_KEYS:  # the line has several thousand letters: no pattern runs over all of them
        place = text.find(f" {key}=")
        if place >= 0 and (value := _CONFIG_VALUE.match(text, place + len(key) + 2)):
            config[key] = value[0]
    if "dtype" in config:
        yield Told(where=where, about="dtype", value=config["dtype"].removeprefix("torch."))
    if "kv_cache_dtype" in config:
        yield Told(where=where, about="kv_cache_dtype", value=config["kv_cache_dtype"])
    if config.get("max_seq_len", "").isdecimal():
        yield Told(where=where, about="context_tokens", value=int(config["max_seq_len"]))
    device = config.get("device_config")
    if device:
        yield Told(where=where, about="device", value=device)
    eager = config.get("enforce_eager")
    place = text.find("cudagraph_mode")
    without = place >= 0 and _WITHOUT_GRAPHS.match(text, place)
    if eager == "True" or without or device == "cpu":
        yield Told(where=where, about="graphs", value=False)
    elif eager == "False":
        yield Told(where=where, about="graphs", value=True)


def _phase(phase: Phase) -> Read:
    def read(match: Match, where: Where) -> Iterable[AnyFact]:
        yield Entered(where=where, phase=phase)

    return read


def _told_graphs(enabled: bool) -> Read:
    def read(match: Match, where: Where) -> Iterable[AnyFact]:
        yield Told(where=where, about="graphs", value=enabled)

    return read


_OTHER_LAYERS = re.compile(
    r"(?:moe|mxfp4|fp8|quant\w*|mamba\w*|ssu\w*)\.py:"
    r"|\b(?:M[oO]E|GEMM|[Ll]inear|prefill|decode|KDA|GDN|Mamba|SSU|ReplaySSM|all-?reduce|sampl\w+) "
)
"""Their kernels are chosen in the same words, by other files."""


def _attention_backend(match: Match, where: Where) -> Iterable[AnyFact]:
    if not _OTHER_LAYERS.search(match.string):
        yield from _backend(match, where)


def _backend(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="attention_backend", value=match["backend"])


def _architecture(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="model_type", value=match["name"])


def _context(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="context_tokens", value=int(match["tokens"]))


def _assigned(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Assigned(where=where, copy=int(match["copy"]), number=int(match["number"]))


def _load_begin(match: Match, where: Where) -> Iterable[AnyFact]:
    yield LoadBegan(where=where)


def _compiled(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="compile")
    yield Took(where=where, phase="compile", elapsed_s=float(match["s"]))


def _preempted(match: Match, where: Where) -> Iterable[AnyFact]:
    so_far = match["so_far"]
    yield Retracted(where=where, requests=1, so_far=int(so_far) if so_far else None)


ROWS: tuple[Row, ...] = (
    *COMMON,
    *vllm_memory.ROWS,
    row(
        "vLLM API server version",
        r"vLLM API server version (?P<version>[\w.+-]+)",
        _banner,
        "(APIServer pid=1) INFO 09-20 10:00:00 [api_server.py:1896] vLLM API server version 0.10.2",
        until="0.24.0",
    ),
    row(
        " version ",
        r"[█▀▄].* version (?P<version>\d[\w.+-]*)\s*$",
        _banner,
        "(APIServer pid=1) INFO 11-23 13:31:18 [api_utils.py:347]  ▄▄ ▄█ █     █     █ ▀▄▀ █  version 0.32.0",
        since="0.16.0",
    ),
    row(
        "args: ",
        r"(?:non-default args: |\bargs: Namespace)(?P<arguments>[({].*)",
        _arguments,
        "(APIServer pid=1) INFO 11-23 13:31:18 [api_utils.py:286] non-default args: {'model': '/model'}",
        settings=True,
    ),
    row(
        "LLM engine (v",
        r"Initializing an? (?:V[01] )?LLM engine \(v(?P<version>[\w.+-]+)\)(?P<config>.*)",
        _engine,
        "Initializing a V1 LLM engine (v0.32.0) with config: model='/model', ... device_config=cpu,",
        settings=True,
    ),
    row(
        "LLM engine (v",
        r"Dumping input data for (?:V[01] )?LLM engine \(v(?P<version>[\w.+-]+)\)(?P<config>.*)",
        _config,
        "[dump_input.py:72] Dumping input data for V1 LLM engine (v0.17.0) with config: model='/model',",
        since="0.8.5",
        settings=True,
    ),
    row(
        "vllm version ",
        r"\bvllm version (?P<version>\d[\w.+-]*)",
        _version,
        "LMCache initialized for role KVConnectorRole.SCHEDULER with version 0.3.14, vllm version 0.15.2rc1,",
    ),
    row(
        "LLM engine with config",
        r"Initializing an LLM engine with config:(?P<config>.*)",
        _engine,
        "Initializing an LLM engine with config: model='/mnt/model/', dtype=torch.bfloat16, max_seq_len=16384,",
        until="0.3.0",
        settings=True,
    ),
    row(
        "Resolved architecture",
        r"Resolved architecture: (?P<name>\w+)",
        _architecture,
        "[model.py:733] Resolved architecture: LlamaForCausalLM",
    ),
    row(
        "Using max model len",
        rf"Using max model len (?P<tokens>{COUNT})",
        _context,
        "[model.py:2152] Using max model len 2048",
        since="0.9.0",
    ),
    row(
        "attention backend",
        r"Using (?:AttentionBackendEnum\.)?(?P<backend>\w[\w -]*?) attention backend(?:\.| out of|$)",
        _backend,
        "Using FLASH_ATTN attention backend out of potential backends: ['FLASH_ATTN', 'FLASHINFER'].",
        since="0.12.0",
    ),
    row(
        " backend",
        r"Using (?:AttentionBackendEnum\.)?(?P<backend>(?:F(?:lash|LASH|lex|LEX)|X(?:[fF]ormers|FORMERS|PU)|"
        r"T(?:orch|ORCH|riton|RITON|REE|urbo)|C(?:utlass|UTLASS|PU)|R[Oo][Cc][Mm]|P(?:allas|ALLAS)|A(?:ITER|iter|MX)|IPEX|"
        r"Dual|HPU|Sparse|Block|Open)"
        r"(?:[\w-]| (?!attention|Unquant|N?[vV]?[Ff][pP]))*?) backend"
        r"(?: on V1 engine(?: by default.*)?| for \d+ on V1 engine| out of .*| \(selected .*)?(?:\.|$)",
        _attention_backend,
        "[cuda.py:290] Using Flash Attention backend on V1 engine.",
    ),
    row(
        " in world size ",
        r"\brank (?P<number>\d{1,6}) in world size \d+ is assigned as DP rank (?P<copy>\d{1,6})",
        _assigned,
        "[parallel_state.py:1445] rank 7 in world size 8 is assigned as DP rank 0, PP rank 7, TP rank 0, EP rank 0",
        since="0.7.0",
    ),
    row("Starting to load model", r"Starting to load model ", _load_begin, "Starting to load model /model..."),
    row(
        "Loading drafter model",
        # What both models take is in the one "Model loading took" after it.
        r"Loading drafter model",
        _phase("draft"),
        "[gpu_model_runner.py:2634] Loading drafter model...",
        since="0.9.0",
    ),
    row(
        "Dynamo bytecode",
        r"Dynamo bytecode transform time",
        _phase("compile"),
        "Dynamo bytecode transform time: 4.94 s",
        since="0.7.0",
    ),
    row(
        "torch.compile",
        rf"torch\.compile (?:and initial profiling/warmup run together )?(?:takes|took) (?P<s>{SECONDS}) s in total",
        _compiled,
        "[monitor.py:33] torch.compile takes 30.12 s in total",
        since="0.7.0",
    ),
    row(
        "Warming up model for the compilation",
        r"Warming up model for the compilation",
        _phase("compile"),
        "[cpu_model_runner.py:87] Warming up model for the compilation...",
    ),
    row(
        "Capturing",
        r"Capturing (?:the model for CUDA graphs|cudagraphs for decoding)",
        _phase("graphs"),
        "Capturing the model for CUDA graphs. This may lead to unexpected consequences if the model is not static.",
        until="0.10.2",
    ),
    row(
        "disabl",
        r"Cudagraph is disabled|[Ee]nforce eager set, disabling torch\.compile|Skipping CUDA graph capture",
        _told_graphs(False),
        "Cudagraph is disabled under eager mode",
    ),
    row(
        "Starting vLLM",
        r"Starting vLLM (?:API )?server(?: \d+)? on http",
        _phase("http"),
        "[entry.py:140] Starting vLLM server on http://127.0.0.1:8000",
        since="0.7.0",
    ),
    row(
        "Application startup complete",
        r"Application startup complete\.",
        _phase("ready"),
        "Application startup complete.",
    ),
    row(
        "is preempted by",
        r"Sequence group \S+ is preempted by(?:.*total_num_cumulative_preemption=(?P<so_far>\d{1,9}))?",
        _preempted,
        "Sequence group 0 is preempted by PreemptionMode.RECOMPUTE mode because there is not enough KV cache space. "
        "This can affect the end-to-end performance. Increase gpu_memory_utilization or tensor_parallel_size to "
        "provide more KV cache memory. total_num_cumulative_preemption=51",
        until="0.10.2",
    ),
)
