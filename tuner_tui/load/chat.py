"""Recorded chats: OpenAI's messages, ShareGPT's conversations."""

from __future__ import annotations

from typing import Any

_ROLES = {
    # What a tool answered is read by the model, as a person's words are.
    **dict.fromkeys(("human", "user", "observation", "tool", "tool_response", "function_response"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "model"), "assistant"),
    **dict.fromkeys(("function_call", "tool_call"), "assistant"),
    "system": "system",
}


def messages_of(document: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The messages of one chat as the chat endpoint takes them; None where it has none of either form.

    Raises ValueError with what is wrong with one of them.
    """
    messages, turns = document.get("messages"), document.get("conversations")
    if messages is None and isinstance(turns, list):
        return [_turn(turn) for turn in turns]
    if not isinstance(messages, list) or not all(_is_message(each) for each in messages):
        return None
    if not all(_is_content(each["content"]) for each in messages):
        form = '{"type": "text", "text": "…"}'
        raise ValueError(f'the "content" of a message is a text, null, or a list of parts such as {form}')
    return messages


def text_of(content: str | list[dict[str, Any]] | None) -> str:
    """The text of a message's `content`: that of its parts where it has several, none where it is null."""
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def other_parts(messages: list[dict[str, Any]]) -> set[str]:
    """The kinds of their parts that are no text."""
    parts = [part for message in messages if isinstance(message["content"], list) for part in message["content"]]
    return {part["type"] for part in parts if part["type"] != "text"}


def _turn(turn: Any) -> dict[str, Any]:
    if not isinstance(turn, dict) or not isinstance(turn.get("value"), str):
        raise ValueError('a turn of "conversations" has "from" and "value"')
    role = _ROLES.get(str(turn.get("from")).lower())
    if role is None:
        raise ValueError(f'"from" is one of {", ".join(_ROLES)}, found {turn.get("from")!r}')
    return {"role": role, "content": turn["value"]}


def _is_message(each: Any) -> bool:
    return isinstance(each, dict) and isinstance(each.get("role"), str) and "content" in each


def _is_content(content: Any) -> bool:
    return content is None or isinstance(content, str) or (isinstance(content, list) and all(map(_is_part, content)))


def _is_part(part: Any) -> bool:
    """Of kinds other than text the server knows more."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    return part["type"] != "text" or isinstance(part.get("text"), str)
