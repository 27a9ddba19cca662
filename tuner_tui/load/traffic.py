"""What the requests of one level are: lengths by the scenario, prompts by number."""

from __future__ import annotations

from random import Random

from tuner_tui.load.dataset import Dataset
from tuner_tui.load.endpoint import Endpoint, PreparedRequest
from tuner_tui.load.model import Job, RunShare
from tuner_tui.load.prompts import Prompts
from tuner_tui.load.scenario import DATASET, parse


class Traffic:
    """Request `index` of a level is the same whichever worker sends it. Raises ValueError for a bad scenario."""

    def __init__(
        self,
        order: RunShare,
        job: Job,
        endpoint: Endpoint,
        prompts: Prompts,
        dataset: Dataset | None,
    ) -> None:
        self._scenario = None if order.traffic.scenario == DATASET else parse(order.traffic.scenario)
        self._order = order
        self._endpoint = endpoint
        self._prompts = prompts
        self._text_length = job.text_length
        self._dataset = dataset
        self._tokens_per_character = job.tokens_per_character
        self._seed = (job.drawn_by & (2**64 - 1)) << 64 | (order.level * 2 + order.warm_up) << 48

    def prepare(self, index: int) -> PreparedRequest:
        serial = self._order.first_serial + index
        if self._scenario is None:
            assert self._dataset is not None
            entry = self._dataset.entry(serial)
            output = entry.output_tokens
            if output is None and entry.answer is not None and self._tokens_per_character is not None:
                output = max(1, round(len(entry.answer) * self._tokens_per_character))
            return self._endpoint.prepare(index, entry.prompt, output)
        prompt_tokens, output_tokens = self._scenario.sample(Random(self._seed | index))
        if self._text_length is None:
            prompt = self._prompts.token_ids(serial, prompt_tokens)
        else:
            prompt = self._prompts.text(serial, prompt_tokens, self._text_length.count(prompt_tokens))
        return self._endpoint.prepare(index, prompt, output_tokens)
