"""What the load generator is told, and what it writes down."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Arrivals = Literal["constant", "poisson"]
"""How the requests of a rate follow each other: evenly, or with gaps as users make them (exponential)."""

LoadKind = Literal["concurrency", "rate"]
"""What a load is told by: requests at once, or requests a second."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One traffic scenario at one concurrency (`D(100,100) × 4`), or at one request rate (`D(100,100) @ 4/s`).

    Exactly one of `concurrency` (a closed loop) and `request_rate` (requests a second, whatever the server does) is
    set. A Poisson rate is named `D(100,100) @ 4/s poisson`. Or neither is, and the highest load of the kind `seek` that
    keeps the limits is looked for: `D(100,100) × max`, `D(100,100) @ max`.
    """

    scenario: str
    concurrency: int | None = None
    request_rate: float | None = None
    arrivals: Arrivals = "constant"
    seek: LoadKind | None = None

    @property
    def name(self) -> str:
        if self.request_rate is None and self.seek != "rate":
            return f"{self.scenario} × {'max' if self.seek else self.concurrency}"
        poisson = " poisson" if self.arrivals == "poisson" else ""
        rate = "max" if self.seek else f"{self.request_rate:g}/s"
        return f"{self.scenario} @ {rate}{poisson}"


class TextLength(msgspec.Struct, frozen=True, kw_only=True):
    """How many tokens this server makes of a text of our words: `overhead_tokens` + `tokens_per_word` × words."""

    words: tuple[str, ...]
    overhead_tokens: int = 0
    tokens_per_word: float = 1.0

    def count(self, tokens: int) -> int:
        """How many words make a prompt of `tokens`; at least 1."""
        return max(1, round((tokens - self.overhead_tokens) / self.tokens_per_word))


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One launch's load, handed to the generator process. Levels are run one at a time, on demand.

    Either limit ends a level, whichever comes first; at least one is set. `seed` makes prompts differ between launches
    and repeatable for one. `traffic_seed` is what lengths, arrivals and a dataset's order are drawn by: launches that
    are compared have it in common, so that none gets the shorter requests (None: `seed`). `api_key_variable` names an
    environment variable.
    """

    url: str
    records: str
    """Path of requests.jsonl; appended to."""
    endpoint: Literal["completions", "chat"] = "completions"
    model: str | None = None
    """None: the first id that `/v1/models` names."""
    request: dict[str, Any] = {}
    max_requests: int | None = None
    max_time_s: float | None = None
    request_timeout_s: float = 600.0
    seed: int = 0
    traffic_seed: int | None = None
    api_key_variable: str | None = None
    cpus: str | None = None
    force_length: bool = True
    """Send `ignore_eos` and `min_tokens`, so that every output has exactly the asked length."""
    text_prompts: bool = False
    """Send prompts as text to the completions endpoint too, instead of token ids."""
    text_length: TextLength | None = None
    """Found out by the generator itself, where prompts are text."""
    dataset: str | None = None
    """Path of the file that the scenario `dataset` takes its prompts from."""
    tokens_per_character: float | None = None
    """Of this server, for the length of a dataset's recorded answers; found out by the generator itself."""
    max_in_flight: int = 1024
    """Bound on the requests of a rate: what is due beyond it is sent when another ends, and its delay recorded."""
    ca_file: str | None = None
    """Certificates to trust for TLS, instead of the system's."""
    insecure: bool = False
    """Any certificate will do."""

    @property
    def drawn_by(self) -> int:
        return self.seed if self.traffic_seed is None else self.traffic_seed


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The raw times and counts of one request: one line of requests.jsonl.

    Times are seconds on the generator's monotonic clock since the level's start. `first_s` and `last_s` are
    the arrival of the first and the last chunk that carried text; `end_s` is the end of the stream. Token
    counts are the server's own (its `usage`); None where it sent none. `error` is None for a success.
    """

    level: int
    """Index of the level within the launch, from 0."""
    index: int
    sent_s: float
    """Just before the request's first byte was handed to the socket of an open connection."""
    end_s: float
    first_s: float | None = None
    last_s: float | None = None
    asked_prompt_tokens: int = 0
    asked_output_tokens: int = 0
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    chunks: int = 0
    finish_reason: str | None = None
    status: int | None = None
    """HTTP status; None where no answer came."""
    scheduled_s: float | None = None
    """When the request was due; None in a closed loop, where a request is due when another ends."""
    gaps_us: list[int] = []
    """From each chunk that carried text to the next, in microseconds."""
    error: str | None = None


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics over the requests of one level, in the unit of the metric's name.

    `too_few_samples` names the percentiles that have not enough samples behind them to be trusted.
    """

    n: int
    mean: float
    std: float
    p50: float
    p90: float
    p99: float
    min: float
    max: float
    too_few_samples: tuple[str, ...] = ()
    intervals: dict[str, tuple[float, float]] = {}
    """p50, p90, p99 → the 95 % interval within this launch (`quantiles`)."""


class Growth(msgspec.Struct, frozen=True):
    """Of E2E, in seconds a second of sending: `slope`, and its standard error. About 0 where the server keeps up; of a
    server that answers μ requests a second and is sent λ, each waits for those before it, and it is λ/μ − 1."""

    slope: float
    error: float

    @property
    def least(self) -> float:
        """The lower end of its interval of about 95 %."""
        return self.slope - 2 * self.error


class LevelMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics of one level; None where no request could give one (no success, single-token outputs)."""

    ttft_s: Distribution | None
    tpot_s: Distribution | None
    e2e_s: Distribution | None
    output_tokens_per_s: float
    input_tokens_per_s: float
    total_tokens_per_s: float
    requests_per_s: float
    steady_output_tokens_per_s: float | None
    duration_s: float
    good_requests: int | None = None
    """Requests that kept every limit; None where there are no limits. With `good_requests_per_s`: the goodput."""
    good_requests_per_s: float | None = None
    itl_s: Distribution | None = None
    """Gaps between chunks that carried text, pooled over all requests; a chunk may hold several tokens."""
    delay_s: Distribution | None = None
    """Scheduled → sent, where requests had a schedule (a request rate)."""
    achieved_rate: float | None = None
    """Requests a second that were sent, of a request rate."""
    e2e_growth: Growth | None = None
    """Of a request rate: whether the server kept up with it."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a search for the highest load that keeps limits came to; `highest` is None where even the least broke one.

    `bounded`: the highest that was allowed to try kept the limits; more may be possible. `broken`: what the lowest load
    that did not keep them broke, in words.
    """

    kind: LoadKind
    highest: float | None
    lowest_broken: float | None
    bounded: bool = False
    broken: tuple[str, ...] = ()


class LevelResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one level: one scenario at one concurrency, or at one request rate.

    Where the highest load was looked for, `sought` says so, and all else is of the highest that kept the limits.
    """

    scenario: str
    concurrency: int | None = None
    request_rate: float | None = None
    """Requests a second that were asked for; `metrics.achieved_rate` is what was sent."""
    arrivals: Arrivals = "constant"
    requests: int
    succeeded: int
    failed: int
    wrong_length: int
    """Successful requests whose output length by the server's usage was not the asked one (or not told)."""
    prompt_tokens: int
    cached_tokens: int
    metrics: LevelMetrics
    errors: dict[str, int] = {}
    """First words of each error → how many requests had it."""
    tool: str = "builtin"
    """What measured it: our own generator, or another program with its version ("genai-bench 0.0.5")."""
    asked_prompt_tokens: int = 0
    """Of the successful requests whose prompt the server counted; 0: not kept."""
    output_tokens: int = 0
    """By the server's usage; 0: not kept."""
    client_lag_mean_s: float | None = None
    """By how much a first token's time may be too late for the generator's own sake, mean over the requests; None: not
    known."""
    client_lag_p99_s: float | None = None
    """The same, 99th percentile."""
    template_tokens: int = 0
    """Tokens of each prompt that are not ours: the chat template's, which all prompts have in common."""
    prompts_repeat: bool = False
    """A dataset had fewer prompts than were sent, and began anew."""
    client_busy: float | None = None
    """Share of its time that the busiest generator process spent on a CPU, 0 to 1; near 1 it was the bottleneck."""
    sought: Found | None = None

    @property
    def level(self) -> Level:
        """As the task has it."""
        if self.sought is not None:
            return Level(scenario=self.scenario, arrivals=self.arrivals, seek=self.sought.kind)
        return self.load

    @property
    def load(self) -> Level:
        """As it was sent."""
        return Level(
            scenario=self.scenario,
            concurrency=self.concurrency,
            request_rate=self.request_rate,
            arrivals=self.arrivals,
        )

    @property
    def name(self) -> str:
        """The level's name."""
        return self.level.name


class LoadProgress(msgspec.Struct, frozen=True, kw_only=True, tag="progress", tag_field="type"):
    """How far a level that is watched is, twice a second, from the generator process."""

    level: int
    warm_up: bool
    elapsed_s: float
    done: int
    failed: int
    running: int
    output_tokens_per_s: float | None = None
    ttft_mean_s: float | None = None
    e2e_mean_s: float | None = None
    achieved_rate: float | None = None
    """Requests a second that were sent; None in a closed loop."""


class LevelDone(msgspec.Struct, frozen=True, kw_only=True, tag="done", tag_field="type"):
    """A level (or its warm-up) ended; its records are flushed to the file."""

    level: int
    warm_up: bool
    elapsed_s: float
    done: int
    failed: int
    error: str | None = None
    """One failed request's error, as an example."""
    client_lag_mean_s: float | None = None
    client_lag_p99_s: float | None = None
    client_busy: float | None = None
    template_tokens: int = 0
    prompts_repeat: bool = False


class LoadFailed(msgspec.Struct, frozen=True, kw_only=True, tag="failed", tag_field="type"):
    """The generator cannot go on: one sentence why."""

    reason: str


class LoadReady(msgspec.Struct, frozen=True, kw_only=True, tag="ready", tag_field="type"):
    """The generator process is up and waits for orders."""

    pid: int


LoadMessage = LoadReady | LoadProgress | LevelDone | LoadFailed


class RunLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The order the generator reads on its standard input, one JSON line each."""

    level: int
    """Index of the level within the launch, from 0."""
    traffic: Level
    warm_up: bool = False
    max_requests: int | None = None
    """Instead of the job's, or of what a warm-up usually has."""
    watched: bool = True
    """Whether anybody wants its progress, which wakes three processes up twice a second."""


class RunShare(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's share of a level: `lanes` of its concurrency (or of the bound in flight), of `parts` workers."""

    level: int
    traffic: Level
    warm_up: bool
    zero_s: float
    """The level's start, on the clock of `perf_counter`, which all processes of a machine share."""
    first_serial: int
    """Prompts are numbered from here on."""
    limit: int | None
    """Requests of the whole level."""
    part: int
    parts: int
    lanes: int
    watched: bool
    tickets: str
    """Path of the file that deals out the numbers (`load.tickets`)."""


class ShareProgress(msgspec.Struct, frozen=True, kw_only=True, tag="share_progress", tag_field="type"):
    """Sums of one worker so far."""

    elapsed_s: float
    sent: int
    done: int
    failed: int
    running: int
    output_tokens: int
    ttft_sum_s: float
    e2e_sum_s: float


class ShareDone(msgspec.Struct, frozen=True, kw_only=True, tag="share_done", tag_field="type"):
    """A worker's share of a level is over; its records are in the file."""

    last: ShareProgress
    error: str | None = None
    gave_up: bool = False
    busy: float = 0.0
    """Share of the time on a CPU."""
    lateness: dict[int, int] = {}
    """Microseconds (`load.lateness`) → how many reads were timed so much too late at most."""


WorkerMessage = LoadReady | ShareProgress | ShareDone | LoadFailed
