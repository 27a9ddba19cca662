"""What a new task begins with: for each engine the least that can be tuned, to be filled in."""

from __future__ import annotations

from collections.abc import Mapping

_REST = """\

benchmark:
  traffic: ["{traffic}"]         # tokens in, tokens out; lengths that vary: N(480,240)/(300,150)
  concurrency: {concurrency}             # requests at once, each a level
  max_requests: 100
  max_time: 2m

objective: {objective}
search: {{launches: 3}}             # starts of each configuration: with 1 there is no winner
"""

TEMPLATES: Mapping[str, str] = {
    "sglang": """\
engine: sglang
model:                            # a folder, or a Hugging Face id (org/name)

parameters:                       # flag: value is fixed; flag: [values] are tried
  tp-size: 1
  mem-fraction-static: [0.80, 0.88]
"""
    + _REST.format(traffic="D(512,128)", concurrency="[1, 8]", objective="minimize_latency"),
    "vllm": """\
engine: vllm
model:                            # a folder, or a Hugging Face id (org/name)

parameters:                       # flag: value is fixed; flag: [values] are tried
  tensor-parallel-size: 1
  gpu-memory-utilization: 0.92
  max-num-seqs: [128, 256, 512]
"""
    + _REST.format(traffic="D(512,128)", concurrency="[1, 8]", objective="minimize_latency"),
    "simulated": """\
engine: simulated                 # no model runs: what it measures is a performance model
model: llama-3.2-1b-instruct      # only a name
backend: process

parameters:                       # flag: value is fixed; flag: [values] are tried
  mem-fraction-static: [0.7, 0.8]
  max-running-requests: [4, 16]
"""
    + _REST.format(traffic="D(100,100)", concurrency="[1, 8]", objective="minimize_latency").replace("2m", "2s"),
}
"""Engine → the text. The model is missing where no name would do for everyone: the reader then asks for it."""
