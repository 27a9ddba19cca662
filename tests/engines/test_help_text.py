"""An engine's own `--help` is read for its flags."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.engines.help_text import flags_in_help

HELP = """\
usage: vllm serve [model_tag] [options]

positional arguments:
  model_tag             The model tag to serve (optional if specified in config)

options:
  -h, --help            show this help message and exit
  --max-num-seqs MAX_NUM_SEQS
                        Maximum number of sequences to be processed in a
                        single iteration. (default: None)
  --tensor-parallel-size TENSOR_PARALLEL_SIZE, -tp TENSOR_PARALLEL_SIZE
                        Number of tensor parallel groups. See --data-parallel-size.
  --enable-prefix-caching, --no-enable-prefix-caching
                        Whether to enable prefix caching.
  --kv-cache-dtype {auto,fp8}
                        Data type for kv cache storage.

  --bare
"""


def test_names_and_texts() -> None:
    assert flags_in_help(HELP) == {
        "help": "show this help message and exit",
        "max-num-seqs": "Maximum number of sequences to be processed in a single iteration. (default: None)",
        "tensor-parallel-size": "Number of tensor parallel groups. See --data-parallel-size.",
        "enable-prefix-caching": "Whether to enable prefix caching.",
        "no-enable-prefix-caching": "Whether to enable prefix caching.",
        "kv-cache-dtype": "Data type for kv cache storage.",
        "bare": "",
    }


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    flags_in_help(text)
