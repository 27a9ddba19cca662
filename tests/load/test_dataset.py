"""A file of prompts as traffic."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tuner_tui.load.dataset import Dataset


def dataset(folder: Path, text: str, name: str = "prompts.jsonl") -> Dataset:
    path = folder / name
    path.write_text(text)
    return Dataset(path, 1)


def test_all_forms(tmp_path: Path) -> None:
    found = dataset(
        tmp_path,
        '{"prompt": "a", "output_tokens": 7}\n\n{"messages": [{"role": "user", "content": "b"}]}\n'
        '{"conversations": [{"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]}\n',
    )
    entries = sorted((found.entry(index) for index in range(3)), key=lambda entry: str(entry.prompt.body(chat=False)))
    assert [entry.prompt.body(chat=False) for entry in entries] == ["a", "b", "c"]
    assert [(entry.output_tokens, entry.answer) for entry in entries] == [(7, None), (None, None), (None, "d")]
    assert found.answers == ["d"]
    assert entries[2].prompt.body(chat=True) == [{"role": "user", "content": "c"}]
    assert entries[0].prompt.body(chat=True) == [{"role": "user", "content": "a"}]


def test_the_person_s_last_turn_is_answered_and_the_recorded_answer_left_out(tmp_path: Path) -> None:
    turns = [("system", "s"), ("human", "a"), ("gpt", "b"), ("human", "c"), ("gpt", "the answer"), ("gpt", "more")]
    conversation = [{"from": who, "value": words} for who, words in turns]
    [entry] = (dataset(tmp_path, msgspec.json.encode({"conversations": conversation}).decode()).entry(0),)
    chat = entry.prompt.body(chat=True)
    assert [(each["role"], each["content"]) for each in chat] == [
        ("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")
    ]  # fmt: skip
    assert entry.prompt.body(chat=False) == "s\na\nb\nc"
    assert entry.answer == "the answer"
    messages = {"messages": [*chat, {"role": "assistant", "content": "the answer"}]}
    assert dataset(tmp_path, msgspec.json.encode(messages).decode()).entry(0).answer == "the answer"


def test_outputs_that_completions_would_cut_short_are_refused(tmp_path: Path) -> None:
    found = dataset(tmp_path, '{"prompt": "a", "output_tokens": 7}\n{"prompt": "b"}\n')
    with pytest.raises(ValueError, match="1 of 2 entries do not say how long the output shall be"):
        found.check("completions")
    found.check("completions", {"max_tokens": 5})
    found.check("chat")


def test_workers_read_what_was_written_for_them(tmp_path: Path) -> None:
    lines = [
        '{"prompt": "a\\n é", "output_tokens": 7}',
        '{"messages": [{"role": "user", "content": "b"}], "output_tokens": 3}',
        '{"conversations": [{"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]}',
        '"e"',
    ]
    found = dataset(tmp_path, "\n".join(lines))
    found.write(tmp_path / "for-workers.jsonl")
    read = Dataset(tmp_path / "for-workers.jsonl", None)
    assert [read.entry(index) for index in range(4)] == [found.entry(index) for index in range(4)]


def test_a_json_array_and_plain_text(tmp_path: Path) -> None:
    assert len(dataset(tmp_path, '[{"prompt": "a"}, "b"]')) == 2
    assert len(dataset(tmp_path, "one\n\ntwo {\n", "prompts.txt")) == 2


def test_the_seed_orders_and_the_file_begins_anew(tmp_path: Path) -> None:
    found = dataset(tmp_path, "\n".join(f'{{"prompt": "{number}"}}' for number in range(50)))
    first = [found.entry(index).prompt.content for index in range(50)]
    assert sorted(map(str, first)) == sorted(str(number) for number in range(50))
    assert first != sorted(map(str, first), key=int)
    assert found.entry(50).prompt.content == first[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"prompt": "a"}\n{broken\n', r"prompts\.jsonl:2: expected an object"),
        ('{"text": "a"}', r"prompts\.jsonl:1: expected an object with \"prompt\""),
        ('{"prompt": "a", "output_tokens": 0}', r"prompts\.jsonl:1: output_tokens is a whole number from 1"),
        ('{"conversations": [{"from": "gpt", "value": "d"}]}', "expected an object"),
        ("", "holds no prompts"),
    ],
)
def test_what_is_wrong_has_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataset(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"/x\.jsonl: cannot be read: No such file"):
        Dataset(tmp_path / "x.jsonl", 1)
