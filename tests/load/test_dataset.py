"""A file of prompts as traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def test_what_a_tool_was_asked_and_answered_is_part_of_a_recorded_chat(tmp_path: Path) -> None:
    turns = [("Human", "a"), ("function_call", "{}"), ("observation", "1"), ("gpt", "It is one.")]
    conversation = [{"from": who, "value": words} for who, words in turns]
    entry = dataset(tmp_path, msgspec.json.encode({"conversations": conversation}).decode()).entry(0)
    assert [each["role"] for each in entry.prompt.body(chat=True)] == ["user", "assistant", "user"]
    assert entry.answer == "It is one."


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


def test_a_mark_of_byte_order_is_no_part_of_a_prompt(tmp_path: Path) -> None:
    for name, text in (("a.jsonl", '{"prompt": "a"}'), ("a.json", '[{"prompt": "a"}]'), ("a.txt", "a\r\n")):
        assert dataset(tmp_path, "\ufeff" + text, name).entry(0).prompt.content == "a"


def test_a_line_of_plain_text_ends_where_an_editor_ends_it(tmp_path: Path) -> None:
    line = "one\u2028line\x0b and\x85no more"
    found = dataset(tmp_path, f"{line}\nsecond", "prompts.txt")
    assert {found.entry(index).prompt.content for index in range(2)} == {line, "second"}


def test_chats_in_which_nothing_is_asked_are_left_out_and_told(tmp_path: Path) -> None:
    """ShareGPT's usual file has some."""
    good = '{"conversations": [{"from": "human", "value": "c"}, {"from": "chatgpt", "value": "d"}]}'
    answers = '{"conversations": [{"from": "gpt", "value": "d"}]}'
    found = dataset(tmp_path, f'[{{"conversations": []}}, {good}, {answers}, {{"messages": []}}]', "share.json")
    assert len(found) == 1
    assert found.entry(0).prompt.body(chat=True) == [{"role": "user", "content": "c"}]
    assert found.answers == ["d"]
    [note] = found.notes
    assert note.endswith("share.json: 3 of 4 entries are left out: chats in which no question is asked")
    assert dataset(tmp_path, good).notes == ()


def chat(*contents: Any) -> str:
    messages = [{"role": "user", "content": each} for each in contents]
    return msgspec.json.encode({"messages": messages, "output_tokens": 3}).decode()


def test_contents_of_parts_are_sent_as_they_are_or_as_their_text(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]
    found = dataset(tmp_path, chat(None, "a", parts))
    prompt = found.entry(0).prompt
    assert prompt.body(chat=False) == "a\nb\nc"
    assert [each["content"] for each in prompt.body(chat=True)] == [None, "a", parts]
    found.check("completions")


def test_parts_that_are_no_text_are_for_chat(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "http://x/y.png"}}
    found = dataset(tmp_path, chat("a") + "\n" + chat([{"type": "text", "text": "b"}, image]))
    found.check("chat")
    with pytest.raises(ValueError, match=r"1 of 2 entries hold more than text \(image_url\).*; take endpoint: chat"):
        found.check("completions")


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
        ('{"conversations": [{"from": "gpt", "value": "d"}]}', "holds no prompts: no question is asked in any"),
        (
            '{"prompt": "a"}\n{"conversations": [{"from": "narrator", "value": "d"}]}',
            r"prompts\.jsonl:2: \"from\" is one of human, .*, found 'narrator'",
        ),
        (
            '{"messages": [{"role": "user", "content": 5}]}',
            r"prompts\.jsonl:1: the \"content\" of a message is a text,",
        ),
        ('{"messages": [{"role": "user", "content": [{"type": "text"}]}]}', r"prompts\.jsonl:1: the \"content\" of"),
        ("", "holds no prompts"),
    ],
)
def test_what_is_wrong_has_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataset(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"/x\.jsonl: cannot be read: No such file"):
        Dataset(tmp_path / "x.jsonl", 1)
