"""What is wrong with the GPUs, the driver, the image or the engine itself."""

from __future__ import annotations

import re

from tuner_tui.engines.counsel import Counsel
from tuner_tui.engines.error_pattern import EXCEPTION, VAGUE, WRAPPER, ErrorPattern, error
from tuner_tui.engines.server_state import ServerState

_NCCL = (
    "the GPUs could not talk to each other: set NCCL_DEBUG=INFO in `env:` and read the first WARN; "
    "disable-custom-all-reduce or NCCL_P2P_DISABLE=1 may help"
)


def _module(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    return Counsel(f"the Python package {match['module']!r} is missing; take an image that has it")


def _library(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    if match["symbol"]:
        library = match["what"].rpartition("/")[2]
        return Counsel(f"{library} was built for another PyTorch than the one in the image; take another image")
    if match["what"]:
        return Counsel(f"the library {match['what']} is missing in the image; take an image that has it")
    return Counsel(f"two packages of the image do not fit each other ({match['name']} is missing); take another image")


def _compiler(match: re.Match[str], state: ServerState, language: str) -> Counsel:
    missing = match["header"] or match["tool"] or ("a C compiler" if match["compiler"] else "the CUDA toolkit")
    return Counsel(
        f"a kernel could not be compiled because {missing} is missing: take an image that can compile (not a -runtime "
        "one), or install it there"
    )


MACHINE_ERRORS: tuple[ErrorPattern, ...] = (
    error(
        "engine_process_died",
        ("gloo/transport", "monitoredBarrier"),
        r"gloo/transport.*Connection (?:closed|reset) by peer|monitoredBarrier.* errors while waiting",
        "another rank failed first and closed its connection: read its own error",
        "RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [10.0.0.1]:5403",
        weight=WRAPPER,
    ),
    error(
        "other",
        ("could finish the model loading",),
        r"could finish the model loading, but there are other ranks that didn't",
        "another rank failed or was too slow to load its weights: look for its own error; if the disk is slow raise "
        "dist-timeout, or copy the model to a fast one",
        "ValueError: TP rank 1 could finish the model loading, but there are other ranks that didn't finish loading.",
        weight=WRAPPER,
    ),
    error(
        "bad_flag_value",
        (
            *("invalid device ordinal", "is larger than the number of available GPUs", "ocal rank ", "ocal_rank "),
            "number of visible devices",
        ),
        r"invalid device ordinal|World size \(\d+\) is larger than the number of available GPUs|"
        r"local[ _]rank \d+ is out of bounds|"
        r"world_size \(\d+\) must be less than or equal to the number of visible devices",
        "the configuration asks for more GPUs than the server can see: lower its parallel sizes, or extend `gpus:`",
        "RuntimeError: CUDA error: invalid device ordinal",
    ),
    error(
        "driver_too_old",
        (
            "unsatisfied condition: ",
            "unsupported display driver",
            "UNSUPPORTED_PTX_VERSION",
            "driver version is insufficient",
            "driver on your system is too old",
            "rror 803",
            "rror 804",
            "forward compatibility was attempted",
            "unsupported toolchain",
            "was built for NVIDIA Driver",
        ),
        r"unsatisfied condition: (?:cuda|driver|brand)|unsupported display driver|CUDA_ERROR_UNSUPPORTED_PTX_VERSION|"
        r"driver version is insufficient|driver on your system is too old|Error 80[34]|"
        r"forward compatibility was attempted|unsupported toolchain|"
        r"was built for NVIDIA Driver Release",
        "the NVIDIA driver is too old for this image: update the driver, or take an image for an older CUDA",
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=13.0",
    ),
    error(
        "no_nvidia_runtime",
        (
            "could not select device driver",
            "Failed to infer device type",
            "Found no NVIDIA driver",
            "no CUDA-capable device",
            "libcuda.so.1",
            "No CUDA GPUs are available",
            "nvml error: driver not loaded",
            "runtime specified nvidia",
            "runtime name: nvidia",
            "No HIP GPUs are available",
            "not compiled with CUDA enabled",
            "discover GPU vendor from CDI",
            "ailed to initialize NVML",
            "CUDA unknown error",
            "No accelerator",
            "No supported accelerator",
            "No CUDA devices found",
            "NVIDIA Driver was not detected",
            "libnvidia-ml",
            "NVMLError_LibraryNotFound",
        ),
        r"could not select device driver|Failed to infer device type|Found no NVIDIA driver|no CUDA-capable device|"
        r"libcuda\.so\.1: cannot open|No CUDA GPUs are available|nvml error: driver not loaded|"
        r"unknown (?:or invalid )?runtime (?:specified|name:) nvidia|No HIP GPUs are available|"
        r"not compiled with CUDA enabled|discover GPU vendor from CDI|"
        r"The NVIDIA Driver was not detected|libnvidia-ml\.so\S* cannot open|NVMLError_LibraryNotFound|"
        r"[Ff]ailed to initialize NVML|CUDA unknown error|No (?:supported )?accelerator\b.*is available|"
        r"No supported accelerator|No CUDA devices found",
        "no GPU can be used in the container: install the NVIDIA Container Toolkit, run `nvidia-ctk runtime configure "
        "--runtime=docker` and restart Docker",
        'could not select device driver "" with capabilities: [[gpu]]',
    ),
    error(
        "bad_flag_value",
        ("nvidia-container-cli: device error", "unresolvable CDI devices"),
        r"nvidia-container-cli: device error|unresolvable CDI devices",
        "a GPU that was asked for is not there: correct `gpus:` (nvidia-smi -L lists them)",
        "nvidia-container-cli: device error: 7: unknown device: unknown",
    ),
    error(
        "no_nvidia_runtime",
        ("nvidia-container-cli: ",),
        r"nvidia-container-cli: \w+ error",
        "the NVIDIA Container Toolkit cannot reach the driver: see that nvidia-smi works on the host, then reinstall "
        "the toolkit and restart Docker",
        "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown",
    ),
    error(
        "no_nvidia_runtime",
        ("/dev/kfd", "/dev/dri"),
        r"(?:[Uu]nable|[Ff]ailed) to open /dev/(?:kfd|dri)|/dev/(?:kfd|dri)\S* .*(?:denied|No such)|"
        r'gathering device information .*"/dev/(?:kfd|dri)',
        "no AMD GPU can be used in the container: pass /dev/kfd and /dev/dri, and see that the user is in the groups "
        "video and render",
        "Unable to open /dev/kfd read-write: Permission denied",
    ),
    error(
        "other",
        ("exec format error",),
        r"exec format error",
        "the image was built for another kind of processor; take one for this machine's",
        "exec /usr/bin/python3: exec format error",
    ),
    error(
        "command_not_found",
        ("executable file not found",),
        r'exec: "?(?P<what>[^":]+)"?: executable file not found',
        "the image has no {what}: correct docker.command, or take another image",
        'OCI runtime create failed: exec: "sglang": executable file not found in $PATH: unknown',
    ),
    error(
        "bad_flag_value",
        ("only supports Ampere GPUs or newer",),
        r"FlashAttention only supports Ampere GPUs or newer",
        "this GPU is too old for FlashAttention: choose another attention-backend",
        "RuntimeError: FlashAttention only supports Ampere GPUs or newer.",
    ),
    error(
        "bad_flag_value",
        ("only supports fp16 and bf16",),
        r"FlashAttention .*only supports fp16 and bf16 data type",
        "this attention kernel does not take that number format on this GPU: choose another attention-backend, or "
        "kv-cache-dtype auto",
        "RuntimeError: FlashAttention on Ampere/Ada cards only supports fp16 and bf16 data type",
    ),
    error(
        "other",
        ("SGLang only supports sm",),
        r"SGLang only supports sm\d+ and above",
        "this GPU is too old for this version of the engine; take another GPU, or an older image",
        "RuntimeError: SGLang only supports sm75 and above.",
    ),
    error(
        "other",
        ("no kernel image is available", "device function", "NoBinaryForGpu", "is not defined for option 'gpu-name'"),
        r"no kernel image is available for execution on the device|(?:HIP|CUDA) error: invalid device function|"
        r"hipErrorNoBinaryForGpu|ptxas fatal .*is not defined for option 'gpu-name'",
        "the image was not built for this GPU; take another one",
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
    ),
    error(
        "other",
        ("illegal memory access",),
        r"an illegal memory access was encountered",
        "a GPU kernel failed, often for lack of memory: lower the memory fraction, then try another attention-backend",
        "RuntimeError: CUDA error: an illegal memory access was encountered",
    ),
    error(
        "nccl_failure",
        # Said of a rank that is gone, whatever ended it.
        ("remote process exited", "ncclRemoteError", "closed by remote peer"),
        r"remote process exited|ncclRemoteError|Connection closed by remote peer",
        _NCCL,
        "RuntimeError: NCCL error: remote process exited or there was a network error",
        weight=EXCEPTION,
        even_quiet=True,
    ),
    error(
        "nccl_failure",
        ("NCCL", "nccl", "DistBackendError", "collective operation timeout"),
        r"NCCL error|NCCL_ERROR_|nccl(?:Unhandled(?:Cuda|Hip)|System|Internal|Remote)Error|ncclInvalidUsage|NCCL WARN|"
        r"Watchdog caught collective operation timeout|DistBackendError|NCCL communicator was aborted|"
        r"ProcessGroupNCCL.*(?:Heartbeat monitor timed out|watchdog got stuck|no heartbeat of its watchdog)",
        _NCCL,
        "RuntimeError: NCCL error: remote process exited or there was a network error",
        weight=VAGUE,
        even_quiet=True,
    ),
    error(
        "port_in_use",
        (
            *("Errno 98", "ddress already in use", "port is already allocated", "EADDRINUSE", "is already in use"),
            *("Could not bind port", "bind: address", "is in use"),
        ),
        r"Errno 98\]|[Aa]ddress already in use|port is already allocated|EADDRINUSE|"
        r"[Pp]ort \d+ is (?:already )?in use(?!.*trying)|"
        r"Could not bind port \d+",
        "the port is taken by another server: start again, or end that one",
        "OSError: [Errno 98] Address already in use",
    ),
    error(
        "nccl_failure",
        ("DistStoreError", "DistNetworkError", "client socket has timed out", "waiting for clients"),
        r"DistStoreError|DistNetworkError|client socket has timed out|waiting for clients",
        "the ranks did not find each other: check that all nodes are started with the same dist-init-addr (or "
        "master-addr), and that its port is open between them",
        "torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. 1/2 clients joined.",
        weight=VAGUE,
    ),
    error(
        "image_not_found",
        (
            *("/images/create", "manifest", "pull access denied", "No such image", "failed to resolve reference"),
            *("ailed to pull image", "ErrImagePull", "ImagePullBackOff", "pull rate limit", "from daemon: Get"),
        ),
        r"/images/create|manifest for \S+ not found|manifest unknown|pull access denied|No such image|"
        r"failed to resolve reference|[Ff]ailed to pull image|ErrImagePull|ImagePullBackOff|pull rate limit|"
        r"from daemon: Get \"?https?://",
        "the image is not here and could not be pulled: check its name and tag, and the network",
        "manifest for nosuch/image:1 not found: manifest unknown",
    ),
    error(
        "watchdog_timeout",
        ("atchdog timeout",),
        r"[Ww]atchdog timeout(?!.*soft=True)",
        "one step took longer than watchdog-timeout: the GPUs hang, or a kernel was compiled (then raise it)",
        "Watchdog timeout (self.watchdog_timeout=300)",
    ),
    error(
        "watchdog_timeout",
        ("execute_model timed out", "RPC call to ", "xecution timed out"),
        r"RPC call to \w+ timed out|execute_model timed out|Execution timed out",
        "one step took longer than vLLM waits: the GPUs hang, or a kernel was compiled (then raise "
        "VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS in `env:`)",
        "TimeoutError: RPC call to execute_model timed out.",
    ),
    error(
        "missing_module",
        ("ModuleNotFoundError",),
        r"^ModuleNotFoundError: No module named '(?P<module>[^']+)'",
        _module,
        "ModuleNotFoundError: No module named 'vllm'",
    ),
    error(
        "missing_module",
        ("cannot open shared object file", "cannot import name", "undefined symbol"),
        r"(?:Import|OS)Error: (?:(?P<what>\S+\.so\S*): (?:cannot open shared object|undefined symbol: (?P<symbol>\w+))|"
        r"cannot import name (?P<name>'[^']+'))",
        _library,
        "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory",
    ),
    error(
        "engine_process_died",
        (
            *("Fatal Python error: ", "Segmentation fault", "Segfault encountered", "Memory access fault by GPU"),
            *("xit code: -11", "xitcode: -11", "core dumped"),
        ),
        r"Fatal Python error: (?!Aborted)|Segmentation fault|Segfault encountered|Memory access fault by GPU|"
        r"[Ee]xit ?code: -11\b|\(core dumped\)",
        "a process of the engine crashed in native code: try another attention-backend, without graphs, or another "
        "version of the image",
        "Fatal Python error: Segmentation fault",
        weight=VAGUE,
    ),
    error(
        "missing_module",
        ("ImportError", "PackageNotFoundError", "is not installed", "pip install", "kernels not found"),
        r"ImportError: .*(?:[Pp]lease install|is not installed|pip install|requires the )|"
        r"^(?:Runtime|Value|Assertion)Error: .*(?:is not installed|pip install|kernels not found)|"
        r"PackageNotFoundError: No package metadata was found for",
        "a Python package is missing in the image; take an image that has it",
        "ImportError: Please install bitsandbytes>=0.46.1 by running `pip install bitsandbytes>=0.46.1`.",
    ),
    error(
        "other",
        ("fatal error: ", "find C compiler", "No such file or directory: '", "CUDA_HOME environment"),
        r"fatal error: (?P<header>[\w./+-]{1,80}\.h(?:pp)?): No such file|(?P<compiler>Failed to find C compiler)|"
        r"No such file or directory: '(?:/\S*/)?(?P<tool>ninja|nvcc|gcc|g\+\+|cc|clang)'|"
        r"CUDA_HOME environment variable is not set",
        _compiler,
        "FileNotFoundError: [Errno 2] No such file or directory: 'ninja'",
    ),
    error(
        "other",
        ("memory leak detected",),
        r"(?:pool )?memory leak detected",
        "the engine found a fault of its own in its memory book-keeping: start it again, and take another version",
        "ValueError: token_to_kv_pool_allocator memory leak detected!",
    ),
    error(
        "other",
        ("graph failed:",),
        r"Capture .*?graph failed: (?P<why>.{1,200})",
        "graphs could not be captured ({why}): a compiler or kernel fault; set disable-cuda-graph (slow) to see "
        "whether the rest works",
        "Exception: Capture cuda graph failed: ninja exited with status 1",
        weight=VAGUE,
    ),
    error(
        "bad_flag_value",
        ("Value error, ",),
        r"^\s*Value error, (?P<why>.+?)(?: \[type=|$)",
        "the engine refuses its arguments: {why}",
        "  Value error, Unknown quantization method: foo. [type=value_error, input_value=ArgsKwargs(())]",
        weight=VAGUE,
    ),
)
