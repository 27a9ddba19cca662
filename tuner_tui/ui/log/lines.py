"""A line's bytes → what may safely be shown of it.

Colours (SGR sequences) are kept; every other escape sequence is left out, and every other control character becomes a
visible stand-in, so that nothing an engine prints reaches the terminal as a command.
"""

from __future__ import annotations

import re
import unicodedata

from rich.color import Color
from rich.style import Style

from tuner_tui.ui.log.paint import Span

LONGEST_CHARACTERS = 10_000
"""What is shown of a line, at most."""

_ESCAPE = re.compile(
    r"\x1b\[(?P<sgr>[\d;:]*)m"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # cursor movements, modes
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # titles, links, the clipboard
    r"|\x1b[PX^_][^\x1b]*\x1b\\"
    r"|\x1b[ -/]*[0-OQ-WYZ`-~]"
)
_OF_UNSURE_WIDTH: dict[int, str | None] = {
    0xFE0E: None,  # variation selectors
    0xFE0F: None,
    **{0x1F3FB + tone: None for tone in range(5)},  # of skin
    **{0x1F1E6 + letter: chr(ord("A") + letter) for letter in range(26)},  # two make a flag
}
"""Terminals disagree on how wide these are, or what they follow."""


def last_state(line: str) -> str:
    """What a terminal would show in the end of a line drawn over with carriage returns."""
    if "\r" not in line:
        return line
    states = [state for state in line.split("\r") if state and not state.isspace()]
    return states[-1] if states else ""


def plain(line: str) -> str:
    """A line as it is searched: the characters of `styled`, in the same places."""
    line = last_state(line)
    if "\x1b" in line or "\x9b" in line or "\x9d" in line:
        line = _ESCAPE.sub("", line)
    return harmless(line[:LONGEST_CHARACTERS])


def styled(line: str) -> tuple[str, list[Span]]:
    """The characters of `plain`, and the engine's own colours."""
    line = last_state(line)
    if "\x1b" not in line and "\x9b" not in line and "\x9d" not in line:
        return harmless(line[:LONGEST_CHARACTERS]), []
    parts: list[str] = []
    spans: list[Span] = []
    style, at, length = Style.null(), 0, 0
    for match in (*_ESCAPE.finditer(line), None):
        part = harmless(line[at : match.start() if match is not None else len(line)])
        parts.append(part)
        if part and style:
            spans.append((length, length + len(part), style))
        length += len(part)
        if match is None or length >= LONGEST_CHARACTERS:
            break
        at = match.end()
        if match["sgr"] is not None:
            style = _after(style, match["sgr"])
    text = "".join(parts)[:LONGEST_CHARACTERS]
    return text, [(start, min(stop, len(text)), style) for start, stop, style in spans]


def harmless(text: str) -> str:
    """Only characters that a terminal prints, and tabs."""
    if not text.isascii():
        text = text.translate(_OF_UNSURE_WIDTH)
    if text.isprintable() or text.replace("\t", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else _stand_in(c) for c in text)


def _stand_in(c: str) -> str:
    code = ord(c)
    if code < 0x20:
        return chr(0x2400 + code)  # ␀ ␛ …
    if code == 0x7F:
        return "␡"
    category = unicodedata.category(c)
    if category == "Zs":
        return " "
    if category == "Cf" and unicodedata.bidirectional(c) in ("BN", ""):
        return ""  # joiners and soft hyphens: no width, no meaning here
    return "�"


_ATTRIBUTES = {
    1: Style(bold=True),
    2: Style(dim=True),
    3: Style(italic=True),
    4: Style(underline=True),
    7: Style(reverse=True),
    9: Style(strike=True),
    22: Style(bold=False, dim=False),
    23: Style(italic=False),
    24: Style(underline=False),
    27: Style(reverse=False),
    29: Style(strike=False),
}
"""Blinking and hidden text are not among them."""


def _after(style: Style, sgr: str) -> Style:
    """The style that a "select graphic rendition" sequence leaves (ECMA-48, 8.3.117)."""
    codes = [int(code[-4:]) if code else 0 for code in sgr.replace(":", ";").split(";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = Style.null()
        elif code in _ATTRIBUTES:
            style += _ATTRIBUTES[code]
        elif code in (38, 48):
            color = _extended(codes)
            if color is not None:
                style += Style(color=color) if code == 38 else Style(bgcolor=color)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style += Style(color=Color.from_ansi(code - 30 if code < 40 else code - 82))
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style += Style(bgcolor=Color.from_ansi(code - 40 if code < 50 else code - 92))
        elif code == 39:
            style += Style(color="default")
        elif code == 49:
            style += Style(bgcolor="default")
    return style


def _extended(codes: list[int]) -> Color | None:
    """The colour behind 38 or 48; takes its codes off the list."""
    kind = codes.pop(0) if codes else 0
    if kind == 5 and codes:
        return Color.from_ansi(min(codes.pop(0), 255))
    if kind == 2 and len(codes) >= 3:
        red, green, blue = (min(codes.pop(0), 255) for _ in range(3))
        return Color.from_rgb(red, green, blue)
    return None
