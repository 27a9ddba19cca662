"""Bad texts and what is said of them, word for word. Data only."""

# ruff: noqa: E501
# fmt: off
from __future__ import annotations

# Beside a good rest.
CASES: dict[str, tuple[str, str | list[str]]] = {
    "unknown key": ("paramters: {a: 1}", "1:1: paramters: unknown key; did you mean parameters?"),
    "unknown docker key": ("docker: {memry: 1g}", "1:10: docker.memry: unknown key; did you mean memory?"),
    "wrong type": ("gpus: 2", "1:7: gpus: expected a list of GPU numbers, like [0, 1], or [] for none, found the number 2"),
    "GPU twice": ("gpus: [1, 1]", "1:11: gpus[1]: GPU 1 is listed twice"),
    "not a number": ("gpus: [a]", "1:8: gpus[0]: expected a GPU's number, found the text 'a'"),
    "image with a blank": ("image: a b", "1:1: image: 'a b' is not the name of an image: a blank stands in it"),
    "backend": ("backend: podman", "1:10: backend: expected docker or process, found 'podman'"),
    "size": (
        "docker: {shm_size: 16x}",
        "1:20: docker.shm_size: expected a size like 16g, 512m or 1GiB (a bare number is bytes), found '16x'",
    ),
    "command as a text": (
        "docker: {command: python3 -m x}",
        "1:19: docker.command: expected the words of a command, like [python3, -m, sglang.launch_server], "
        "found the text 'python3 -m x'",
    ),
    "mount without a folder": (
        'docker: {mounts: ["cache:/root"]}',
        "1:19: docker.mounts[0]: expected a folder of this machine, found 'cache'; write ./cache for one beside the file",
    ),
    "mount that is none": (
        'docker: {mounts: ["/cache"]}',
        "1:19: docker.mounts[0]: expected source:target with a target from /, then :ro or :rw if wanted, found '/cache'",
    ),
    "own label": (
        "docker: {labels: {tuner-tui.run: x}}",
        "1:19: docker.labels.tuner-tui.run: labels that begin with tuner-tui. are the tuner's own; take another name",
    ),
    "processors": ('process: {cpus: "3-1"}', "1:17: process.cpus: expected processor numbers like 0-3,8, found '3-1'"),
    "base 60 as a duration": (
        "start_timeout: 1:30",
        "1:16: start_timeout: expected a duration like 10s, 500ms, 20m or 1h30m (a bare number is seconds), found 1:30",
    ),
    "unknown variable": (
        "env: {A: $NO_SUCH_NAME_HERE}",
        "1:10: env.A: $NO_SUCH_NAME_HERE is not set in the environment; export it, or write $$ for a plain dollar sign",
    ),
    "secret by variable": (
        "env: {A: $HF_TOKEN}",
        "1:10: env.A: $HF_TOKEN looks like a secret and would be written down; pass it by its name: `env: {HF_TOKEN: }`",
    ),
    "secret as a flag": (
        "parameters: {api-key: abc}",
        "1:14: parameters.api-key: a secret does not belong on a command line; pass it by `env:`, with no value",
    ),
    "limits": ("limits: {ttft.p98: 1s}", "1:10: limits.ttft.p98: unknown limit; did you mean ttft.p99?"),
    "limit's value": (
        "limits: {ttft.p99: fast}",
        "1:20: limits.ttft.p99: expected a duration like 10s, 500ms, 20m or 1h30m (a bare number is seconds), found 'fast'",
    ),
    "goodput without limits": (
        "objective: maximize_goodput",
        "1:1: objective: maximize_goodput counts requests that keep the limits; add limits: {ttft.p99: 500ms}",
    ),
    "goodput with two limits on one metric": (
        "objective: maximize_goodput\nlimits: {ttft.p99: 1s, ttft.mean: 0.2}",
        "2:24: limits.ttft.mean: with maximize_goodput each request is held against one limit on ttft; take out ttft.p99 or ttft.mean",
    ),
    "strategy": (
        "search: {strategy: bayesian}",
        "1:20: search.strategy: bayesian is read, but not carried out yet in this version; expected grid",
    ),
    "launches": (
        "search: {launches: 51}",
        "1:20: search.launches: 51 launches of each configuration are more than the 50 that are possible",
    ),
    "difference": (
        "search: {min_difference: 120%}",
        "1:26: search.min_difference: expected a percentage, such as 1%, found '120%'",
    ),
    "budget": ("search: {budget: 0s}", "1:18: search.budget: expected a duration above zero"),
    "baseline": ("search: {baseline: 1}", "1:20: search.baseline: expected true or false, found the number 1"),
    "wrong direction": ("objective: {maximize: ttft}", "1:23: objective.maximize: less ttft is better; write minimize"),
    "level": (
        'objective: {minimize: ttft, level: "D(100,100) × 5"}',
        "1:36: objective.level: the benchmark has no level 'D(100,100) × 5'; did you mean D(100,100) × 4?",
    ),
    # parameters
    "empty list": ("parameters: {a: []}", "1:17: parameters.a: the list is empty; expected at least one value to try"),
    "octal": (
        "parameters: {a: 010}",
        "1:17: parameters.a: YAML reads 010 as the octal number 8; write 10 or 8, or quote it",
    ),
    "base 60": (
        "parameters:\n  a: [1:30]",
        "2:7: parameters.a[0]: YAML reads 1:30 as a number in base 60 (90); write that number, or quote the text",
    ),
    "infinity": ("parameters: {a: .inf}", "1:17: parameters.a: expected a finite number, found .inf"),
    "a mapping in a list": (
        "parameters: {a: [{b: 1}]}",
        "1:18: parameters.a[0]: a mapping cannot stand here; expected a number, a text, true, false or null "
        "(write JSON in quotes)",
    ),
    "dashes": ("parameters: {--a: 1}", "1:14: parameters.--a: flags are written without dashes in front: a"),
    "twice by spelling": (
        "parameters: {a-b: 1, a_b: 2}",
        "1:22: parameters.a_b: the flag already stands under parameters as a-b; keep one of them",
    ),
    "also linked": (
        "parameters: {a: 1}\nlinked: [{a: 1}, {a: 2}]",
        ["2:11: linked[0].a: the flag already stands under parameters as a; keep one of them",
         "2:19: linked[1].a: the flag already stands under parameters as a; keep one of them"],
    ),
    "range that leads away": (
        "parameters: {a: {from: 1, to: 0, step: 1}}",
        "1:17: parameters.a: step: 1 never leads from 1 to 0",
    ),
    "range of times one": (
        "parameters: {a: {from: 1, to: 8, times: 1}}",
        "1:17: parameters.a: times: 1 never leads from 1 to 8",
    ),
    "range too long": (
        "parameters: {a: {from: 0, to: 1000, step: 1}}",
        "1:17: parameters.a: the range has more than 1,000 values; take a larger step",
    ),
    "range misspelt": (
        "parameters: {a: {form: 1, to: 8, step: 1}}",
        "1:18: parameters.a.form: unknown key; did you mean from?",
    ),
    "range without an end": (
        "parameters: {a: {from: 1, step: 1}}",
        "1:14: parameters.a.to: is missing; expected a number",
    ),
    "no range at all": (
        "parameters: {a: {b: 1}}",
        "1:17: parameters.a: a mapping here is a range: expected {from: 1, to: 8, step: 1} or {from: 1, to: 8, times: 2}",
    ),
    "range with both": (
        "parameters: {a: {from: 1, to: 8, step: 1, times: 2}}",
        "1:17: parameters.a: a range takes either step or times",
    ),
    "grid too large": (
        "parameters: {a: {from: 1, to: 1000, step: 1}, b: {from: 1, to: 101, step: 1}}",
        "1:1: parameters: 101,000 configurations are more than 100,000; list fewer values",
    ),
    # constraints
    "unknown name": (
        'parameters: {tp-size: 1}\nconstraints: ["tp_sise < 2"]',
        "2:15: constraints[0]: no parameter is called tp_sise; did you mean tp_size?",
    ),
    "dashes in a constraint": (
        'parameters: {tp-size: 1}\nconstraints: ["tp-size < 2"]',
        "2:15: constraints[0]: a constraint writes flags with underscores: tp_size",
    ),
    "no expression": (
        'parameters: {a: 1}\nconstraints: ["a < 2 )"]',
        "2:22: constraints[0]: the constraint `a < 2 )` is not an expression: unmatched ')'",
    ),
    "text in arithmetic": (
        'parameters: {a: [1, b]}\nconstraints: ["a * 2 < 3"]',
        "2:15: constraints[0]: the constraint `a * 2 < 3` cannot compute with the text 'b'",
    ),
    "nothing is left": (
        'parameters: {a: [2, 3]}\nconstraints: ["a < 2"]',
        "2:1: constraints: no configuration is left of 2: the constraint `a < 2` does not hold (a = 2)",
    ),
    # the text itself
    "python tag": (
        "parameters: {a: !!python/object/apply:os.system [x]}",
        "1:17: parameters.a: the tag `!!python/object/apply:os.system` is not allowed; a task file holds plain values only",
    ),
    "scalar tag": ("name: !!binary aGk=", "1:7: name: the tag `!!binary` is not allowed; a task file holds plain values only"),
    "no whole number": ("gpus: [!!int x]", "1:8: gpus[0]: `x` cannot be read as int"),
    "duplicate key": ("name: a\nname: b", "2:1: name: stands twice, first in line 1; keep one of them"),
    "itself": ("env: &a {b: *a}", ["1:6: env.b: the anchor holds itself; a value cannot be part of itself"]),
}

# The `benchmark:` section alone.
BENCHMARKS: dict[str, tuple[str, str]] = {
    "no traffic": ("{concurrency: [1], max_requests: 1}", '1:1: benchmark.traffic: is missing; expected traffic scenarios, like ["D(100,100)"]'),
    "empty traffic": ("{traffic: [], concurrency: [1], max_requests: 1}", '1:22: benchmark.traffic: the list is empty; expected traffic scenarios, like ["D(100,100)"]'),
    "no end": ('{traffic: ["D(1,1)"], concurrency: [1]}', "1:1: benchmark.max_requests: is missing; expected max_requests: 50, or max_time: 10s, or both"),
    "unquoted": ("{traffic: [D(100,100)], concurrency: [1], max_requests: 1}", '1:23: benchmark.traffic[0]: in a list, a scenario stands in quotes: ["D(100,100)"]'),
    "embedding": ('{traffic: ["E(10)"], concurrency: [1], max_requests: 1}', "1:23: benchmark.traffic[0]: E(…) is for embeddings, not for text generation; expected D(in,out), N(mean,deviation)/(mean,deviation), U(min,max)/(min,max), U(max in,max out) or dataset"),
    "no tokens": ('{traffic: ["D(10,0)"], concurrency: [1], max_requests: 1}', "1:23: benchmark.traffic[0]: D(10,0) asks for no tokens; input and output are at least 1"),
    "zero at once": ('{traffic: ["D(1,1)"], concurrency: [0], max_requests: 1}', "1:48: benchmark.concurrency[0]: expected a number of requests at once, at least 1, found 0"),
    "true requests": ('{traffic: ["D(1,1)"], concurrency: [1], max_requests: yes}', "1:66: benchmark.max_requests: expected a number of requests, found yes"),
    "rate and concurrency": ('{traffic: ["D(1,1)"], request_rate: [1], concurrency: [1], max_requests: 1}', "1:34: benchmark.request_rate: a level has either a concurrency or a request rate; leave one of the two out"),
    "no rate": ('{traffic: ["D(1,1)"], request_rate: [0], max_requests: 1}', "1:49: benchmark.request_rate[0]: expected requests a second, like [2, 4, 8], above 0 and at most 100,000, found the number 0"),
    "arrivals": ('{traffic: ["D(1,1)"], request_rate: [1], arrivals: poison, max_requests: 1}', "1:63: benchmark.arrivals: expected constant or poisson, found 'poison'; did you mean poisson?"),
    "arrivals alone": ('{traffic: ["D(1,1)"], concurrency: [1], arrivals: poisson, max_requests: 1}', "1:52: benchmark.arrivals: belongs to request_rate, which is not there"),
    "no dataset": ("{traffic: [dataset], concurrency: [1], max_requests: 1}", "1:1: benchmark.dataset: is missing; expected a file of prompts, like ./prompts.jsonl, for the traffic dataset"),
    "dataset away": ("{traffic: [dataset], dataset: /no/such.jsonl, concurrency: [1], max_requests: 1}", "1:42: benchmark.dataset: the file /no/such.jsonl is not there"),
    "key itself": ('{traffic: ["D(1,1)"], concurrency: [1], max_requests: 1, api_key_variable: sk-1234}', "1:87: benchmark.api_key_variable: expected the name of an environment variable, like OPENAI_API_KEY; never the key itself"),
    "genai-bench rate": ('{tool: genai-bench, traffic: ["D(1,1)"], request_rate: [1], max_requests: 1}', "1:53: benchmark.request_rate: genai-bench has no request_rate here; leave it out, or write tool: builtin"),
    "genai-bench": ('{tool: genai-bench, traffic: ["D(1,1)"], concurrency: [1], max_time: 1s}', "1:81: benchmark.max_time: genai-bench counts whole minutes; write 1m, 2m, …, or end a level by max_requests alone"),
    "max and a list": ('{traffic: ["D(1,1)"], request_rate: max, concurrency: [1], max_requests: 1}', "1:53: benchmark.concurrency: request_rate: max looks for the load itself; leave concurrency out"),
    "most": ('{traffic: ["D(1,1)"], concurrency: most, max_requests: 1}', "1:47: benchmark.concurrency: expected a number of requests at once, or max, found the text 'most'"),
    "genai-bench max": ('{tool: genai-bench, traffic: ["D(1,1)"], concurrency: max, max_requests: 1}', "1:53: benchmark.concurrency: genai-bench looks for no highest load; write [1, 4], or tool: builtin"),
    "own field": ('{traffic: ["D(1,1)"], concurrency: [1], max_requests: 1, request: {max_tokens: 5}}', "1:79: benchmark.request.max_tokens: the tuner sets it itself, from the traffic"),
}

# The task can be carried out nevertheless.
WARNINGS: dict[str, tuple[str, str]] = {
    "on": ("parameters: {a: [on, false]}", "1:18: warning: parameters.a[0]: YAML reads on as true; write true, or 'on' in quotes for the text"),
    "double": ("parameters: {a: [0.7, 0.70]}", "1:23: warning: parameters.a[1]: 0.70 is listed twice; it is tried once"),
    "double list": ("parameters: {a: [[1, 2], [1, 2]]}", "1:26: warning: parameters.a[1]: [1, 2] is listed twice; it is tried once"),
    "mount source": ('docker: {mounts: ["/no/such:/x"]}', "1:19: warning: docker.mounts[0]: /no/such is not there; Docker does not mount what is missing"),
}

# The whole file.
BROKEN: dict[str, tuple[str, str]] = {
    "tab": ("parameters:\n\ta: 1\n", "2:1: a tab stands here; YAML takes spaces only, so indent with spaces"),
    "unclosed": ("gpus: [0\nengine: x\n", "2:7: the YAML breaks here: expected ',' or ']', but got ':' (while parsing a flow sequence, begun in line 1)"),
    "no colon": ("name: a\nengine sglang\nmodel: x\n", "2:1: the YAML breaks here: a key has no colon after it"),
    "colon in a text": ("image: a: b\n", "1:9: the YAML breaks here: no key can begin where this colon stands; is a quote missing?"),
    "no colon at the end": ("name: a\nengine sglang\n", "2:1: the YAML breaks here: a key has no colon after it"),
    "two documents": ("name: a\n---\nname: b\n", "2:1: a second YAML document begins here; a task file holds one, so remove the `---`"),
    "control character": ("name: a\x07\n", "1:8: the character U+0007 is not allowed"),
    "list": ("- a\n", "expected keys with values, at least engine, model and benchmark; found a list"),
    "text": ("hello\n", "expected keys with values, at least engine, model and benchmark; found the text 'hello'"),
    "empty": ("# nothing\n", "the file is empty; expected keys with values, at least engine, model and benchmark"),
    "deep": ("[" * 5000, "is nested too deeply; a task file needs five levels or so"),
}
