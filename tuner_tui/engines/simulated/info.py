"""What the engine tells about itself: /get_server_info, /v1/models, /metrics."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from tuner_tui.engines.simulated.arguments import context_tokens
from tuner_tui.engines.simulated.engine_loop import EngineLoop
from tuner_tui.engines.simulated.memory import MemoryPlan

VERSION = "0.5.2"
_STARTED = int(time.time())
_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Histogram:
    """Seconds, in Prometheus' cumulative buckets."""

    def __init__(self) -> None:
        self._counts = [0] * len(_BUCKETS_S)
        self._count = 0
        self._sum_s = 0.0

    def add(self, seconds: float) -> None:
        self._count += 1
        self._sum_s += seconds
        for i, bound in enumerate(_BUCKETS_S):
            if seconds <= bound:
                self._counts[i] += 1

    def lines(self, name: str, labels: str) -> list[str]:
        out = [f"# TYPE {name} histogram"]
        out += [
            f'{name}_bucket{{{labels},le="{bound}"}} {count}'
            for bound, count in zip(_BUCKETS_S, self._counts, strict=True)
        ]
        out.append(f'{name}_bucket{{{labels},le="+Inf"}} {self._count}')
        return [*out, f"{name}_sum{{{labels}}} {self._sum_s:.6f}", f"{name}_count{{{labels}}} {self._count}"]


def server_info(args: Namespace, plan: MemoryPlan, replicas: list[EngineLoop]) -> dict[str, Any]:
    """As SGLang 0.5.2: all arguments, the sizes, and one internal state for each replica; memory in GiB."""
    told = {name: value for name, value in vars(args).items() if name != "no_effect"}
    state = {
        "weight": round(plan.weights_gib, 2),
        "kvcache": round(plan.kv_gib, 2),
        "token_capacity": plan.kv_tokens,
        "graph": round(plan.graphs_gib, 2),
    }
    return {
        **told,
        "simulated": True,
        "version": VERSION,
        "status": "ready",
        "max_total_num_tokens": plan.kv_tokens,
        "max_req_input_len": longest_tokens(args, plan) - 1,
        "internal_states": [
            {
                "last_gen_throughput": round(each.gen_throughput, 2),
                "memory_usage": state,
                "effective_max_running_requests_per_dp": plan.max_running_requests,
            }
            for each in replicas
        ],
    }


def models(args: Namespace) -> dict[str, Any]:
    model = {
        "id": args.served_model_name,
        "object": "model",
        "created": _STARTED,
        "owned_by": "tuner-tui-simulated",
        "root": args.model_path,
        "parent": None,
        "max_model_len": context_tokens(args),
    }
    return {"object": "list", "data": [model]}


def longest_tokens(args: Namespace, plan: MemoryPlan) -> int:
    """The longest prompt and answer together."""
    page_tokens: int = args.page_size
    return min(context_tokens(args), plan.kv_tokens - page_tokens)


def metrics(
    args: Namespace, plan: MemoryPlan, replicas: list[EngineLoop], ttft: Histogram, e2e: Histogram, e2e_count: int
) -> str:
    """Prometheus' text format, with SGLang's names."""
    name = str(args.served_model_name).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    base = f'model_name="{name}"'
    out = []
    for index, each in enumerate(replicas):
        scheduler = each.scheduler
        labels = f'{base},engine_type="unified",tp_rank="0",pp_rank="0"'
        labels += f',dp_rank="{index}"' if len(replicas) > 1 else ""
        gauges = {
            "num_running_reqs": len(scheduler.running),
            "num_queue_reqs": each.queued,
            "num_used_tokens": scheduler.used_tokens,
            "token_usage": round(scheduler.usage, 4),
            "max_total_num_tokens": plan.kv_tokens,
            "gen_throughput": round(each.gen_throughput, 2),
            "cache_hit_rate": round(each.cached_tokens / each.prompt_tokens, 4) if each.prompt_tokens else 0.0,
            "num_retracted_reqs": each.retracted,
        }
        for metric, value in gauges.items():
            out += [f"# TYPE sglang:{metric} gauge"] if index == 0 else []
            out.append(f"sglang:{metric}{{{labels}}} {value}")
    counters = {
        "prompt_tokens_total": sum(each.prompt_tokens for each in replicas),
        "generation_tokens_total": sum(each.generated_tokens for each in replicas),
        "cached_tokens_total": sum(each.cached_tokens for each in replicas),
        "num_requests_total": e2e_count,
    }
    for metric, value in counters.items():
        out += [f"# TYPE sglang:{metric} counter", f"sglang:{metric}{{{base}}} {value}"]
    out += ttft.lines("sglang:time_to_first_token_seconds", base)
    out += e2e.lines("sglang:e2e_request_latency_seconds", base)
    return "\n".join(out) + "\n"
