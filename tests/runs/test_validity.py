"""Which numbers may be believed."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tuner_tui.load.model import Distribution, LevelMetrics, LevelResult
from tuner_tui.runs.validity import validity
from tuner_tui.task.model import Objective

MEAN = Objective(name="minimize_latency", direction="minimize", metric="e2e")
TAIL = Objective(name="", direction="minimize", metric="ttft", statistic="p99")


def distribution(n: int = 200) -> Distribution:
    too_few = tuple(name for name, needed in (("p90", 10), ("p99", 100)) if n < needed)
    return Distribution(n=n, mean=1.0, std=0.1, p50=1.0, p90=1.1, p99=1.2, min=0.9, max=1.3, too_few_samples=too_few)


def level(n: int = 200, **changes: Any) -> LevelResult:
    metrics = LevelMetrics(
        ttft_s=distribution(n),
        tpot_s=distribution(n),
        e2e_s=distribution(n),
        output_tokens_per_s=1.0,
        input_tokens_per_s=1.0,
        total_tokens_per_s=2.0,
        requests_per_s=1.0,
        steady_output_tokens_per_s=1.0,
        duration_s=20.0,
    )
    plain = LevelResult(
        scenario="D(100,100)",
        concurrency=4,
        requests=n,
        succeeded=n,
        failed=0,
        wrong_length=0,
        prompt_tokens=100 * n,
        cached_tokens=0,
        metrics=metrics,
    )
    return replace(plain, **changes)


def names(*flags: Any) -> list[tuple[str, bool]]:
    return [(flag.name, flag.disqualifies) for flag in flags]


def test_a_clean_launch_has_no_doubt() -> None:
    assert validity(MEAN, [level()]) == ()


def test_one_wrong_length_is_one_too_many() -> None:
    [flag] = validity(MEAN, [level(wrong_length=1)])
    assert (flag.name, flag.disqualifies, flag.level) == ("wrong_output_length", True, "D(100,100) × 4")
    assert flag.seen == "1 of 200 outputs had another length than asked"
    [untold] = validity(MEAN, [level(wrong_length=200)])
    assert (untold.name, untold.seen) == ("wrong_output_length", "no answer told how long its output was")


def test_one_failed_request_in_a_hundred_is_allowed_two_are_not() -> None:
    assert validity(MEAN, [level(failed=2, succeeded=198)]) == ()
    [flag] = validity(MEAN, [level(failed=3, succeeded=197, errors={"HTTP 500": 2, "timeout": 1})])
    assert names(flag) == [("failed_requests", True)]
    assert flag.seen == "3 of 200 requests failed (HTTP 500)"


def test_prompts_answered_from_a_cache_disqualify() -> None:
    assert validity(MEAN, [level(cached_tokens=200)]) == ()
    assert names(*validity(MEAN, [level(cached_tokens=201)])) == [("cached_prompts", True)]


def test_what_a_datasets_prompts_have_in_common_is_its_traffic_unless_they_were_sent_twice() -> None:
    once = level(scenario="dataset", cached_tokens=9_000)
    assert names(*validity(MEAN, [once])) == [("cached_prompts", False)]
    assert names(*validity(MEAN, [replace(once, prompts_repeat=True)])) == [("cached_prompts", True)]


def test_a_chat_templates_own_tokens_may_come_from_the_cache() -> None:
    """Ten tokens before each prompt, which any engine keeps."""
    chat = level(cached_tokens=0, template_tokens=10)
    own = 10 * chat.succeeded
    few = replace(chat, cached_tokens=own + chat.prompt_tokens // 100)
    assert validity(MEAN, [few]) == ()
    [flag] = validity(MEAN, [replace(few, cached_tokens=few.cached_tokens + 1)])
    assert (flag.name, flag.threshold) == ("cached_prompts", f"1%, and the template's {own / chat.prompt_tokens:.1%}")


def test_what_has_no_figure_for_the_objective_says_so() -> None:
    """Outputs of one token, say: the launch ran well, and cannot be judged."""
    one_token = replace(level(), metrics=replace(level().metrics, tpot_s=None))
    objective = Objective(name="", direction="minimize", metric="tpot")
    [flag] = validity(objective, [one_token])
    assert (flag.name, flag.disqualifies, flag.level) == ("no_score", True, "D(100,100) × 4")
    assert flag.seen == "none of 200 requests had a figure for the objective, mean time per output token"
    assert validity(MEAN, [one_token]) == ()
    assert validity(replace(objective, level="D(100,100) × 1"), [one_token]) == ()


def test_a_percentile_without_samples_bars_only_an_objective_that_rests_on_it() -> None:
    assert names(*validity(MEAN, [level(50)])) == [("too_few_samples", False)]
    [used, note] = validity(TAIL, [level(50)])
    assert names(used, note) == [("too_few_samples", True), ("too_few_samples", False)]
    assert used.seen == "p99 of 50 requests"
    elsewhere = replace(TAIL, level="D(100,100) × 1")
    assert names(*validity(elsewhere, [level(50)])) == [("too_few_samples", False)]
