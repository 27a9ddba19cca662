"""What the engine said that puts its numbers in another light: preemptions, lost graphs, another client. Notes."""

from __future__ import annotations

from collections.abc import Iterator

from tuner_tui.engines.memory_advice import LARGEST_GRAPH
from tuner_tui.load.model import LevelResult
from tuner_tui.runs.events import ValidityFlag
from tuner_tui.runs.evidence import Evidence, LevelEvidence

FULL_KV = 0.99
"""Use of the KV cache that counts as full."""
MAX_UNGRAPHED = 0.05
"""Share of decode batches without a CUDA graph, where others have one."""
MAX_FOREIGN_TOKENS = 0.01
"""Tokens beyond the load's own that the engine may have counted."""


def level_engine_doubts(result: LevelResult, evidence: LevelEvidence) -> Iterator[ValidityFlag]:
    """Notes about one level."""
    level = result.name
    if evidence.preemptions:
        yield ValidityFlag(
            name="preemptions",
            disqualifies=False,
            level=level,
            seen=f"{evidence.preemptions} requests were thrown out of the batch for want of KV cache and began anew",
            threshold="0",
            advice="more memory for the KV cache (mem-fraction-static, gpu-memory-utilization), or fewer requests at "
            "once (max-running-requests, max-num-seqs)",
        )
    elif (evidence.kv_usage_max or 0.0) >= FULL_KV:
        waited = f", up to {evidence.queued_max} requests waited" if evidence.queued_max else ""
        yield ValidityFlag(
            name="kv_cache_full",
            disqualifies=False,
            level=level,
            seen=f"the KV cache was {evidence.kv_usage_max:.0%} full{waited}",
            threshold=f"{FULL_KV:.0%}",
            advice="the size of the KV cache is what limits this configuration here: give it more memory",
        )
    if MAX_UNGRAPHED * evidence.batches < evidence.ungraphed < evidence.batches:
        yield ValidityFlag(
            name="batches_without_graph",
            disqualifies=False,
            level=level,
            seen=f"{evidence.ungraphed} of {evidence.batches} decode batches in the log ran without a CUDA graph",
            threshold=f"{MAX_UNGRAPHED:.0%}",
            advice=f"the batch was larger than the graphs captured: raise {LARGEST_GRAPH}",
        )
    yield from _other_client(result, evidence)


def _other_client(result: LevelResult, evidence: LevelEvidence) -> Iterator[ValidityFlag]:
    if result.failed:
        return  # the engine counted tokens of requests that failed, and nobody knows how many
    for kind, counted, ours in (
        ("prompt", evidence.prompt_tokens, result.prompt_tokens),
        ("output", evidence.generated_tokens, result.output_tokens),
    ):
        if counted is None or not ours or counted <= ours * (1 + MAX_FOREIGN_TOKENS):
            continue
        yield ValidityFlag(
            name="other_client",
            disqualifies=False,
            level=result.name,
            seen=f"the engine counted {counted - ours:,.0f} {kind} tokens more than this load's {ours:,}",
            threshold=f"{MAX_FOREIGN_TOKENS:.0%}",
            advice="something else sends requests to this server: a health check that generates, or another client",
        )
        return


def engine_doubts(evidence: Evidence) -> Iterator[ValidityFlag]:
    """Notes about the launch as a whole."""
    if evidence.graphs_lost:
        yield ValidityFlag(
            name="graphs_disabled",
            disqualifies=False,
            seen="the engine runs without CUDA graphs, and no flag asked for that",
            threshold="graphs as by default",
            advice="the line in container.log that says so has the reason",
        )
    for remark in evidence.remarks:
        yield ValidityFlag(
            name=remark.name, disqualifies=False, seen=remark.line, threshold="none", advice=remark.advice
        )
