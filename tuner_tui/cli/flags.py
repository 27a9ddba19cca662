"""`tuner-tui flags`: an engine's launch flags, from the catalogue or from its image."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from tuner_tui.engines.catalogue import Catalogue, Flag, catalogue, plain
from tuner_tui.engines.equivalents import counterpart
from tuner_tui.engines.flag_words import kind_words
from tuner_tui.engines.help_text import flags_in_help
from tuner_tui.engines.load_task import load_task
from tuner_tui.engines.nearest import nearest
from tuner_tui.engines.registry import engine

_NO_FLAGS = ("help", "version", "json-arg")
"""What every program has; and what vLLM's help shows how JSON is given with."""


def show_flags(
    name: str, word: str | None, *, from_image: bool = False, image: str | None = None, task: Path | None = None
) -> int:
    """Prints the flags of engine `name` that `word` fits, or all that are explained. With `from_image`, `image` or
    `task` the engine itself is asked: in its usual image, in that one, or where the task would start it. Returns the
    exit code: 2 where there is nothing to show. Raises BadInput where the task has problems."""
    known = catalogue(engine(name).catalogue)
    width = min(shutil.get_terminal_size((80, 24)).columns, 100)
    if from_image or image or task:
        return _from_engine(name, known, word, image, task, width)
    lines = list(_page(known, word, width))
    if not lines:
        click.echo(f"tuner-tui: {_nothing(known, word or '')}", err=True)
        return 2
    click.echo("\n".join(lines))
    return 0


def _page(known: Catalogue, word: str | None, width: int) -> Iterator[str]:
    own = [flag for flag in known.flags.values() if not flag.refused]
    if word is None:
        explained = [flag for flag in own if flag.does]
        yield from (f"{known.title} {known.version}: {len(own)} flags, {len(explained)} of them explained here", "")
        for flag in explained:
            yield from _line(flag, width)
        yield ""
        yield from textwrap.wrap(
            "More of one flag, or a search: tuner-tui flags "
            f"{known.engine} WORD. What an image itself takes: --from-image, --image, --task.",
            width,
            break_on_hyphens=False,
        )
        return
    exact = known.find(plain(word))
    if exact is not None:
        yield from _detail(known, exact, width)
        return
    if gone := known.gone.get(plain(word)):
        use = f"; now it is {gone.use}" if gone.use else ""
        yield f"{plain(word)}: up to about {known.title} {gone.until}{use}"
        if gone.use:
            yield from ("", *_detail(known, known.flags[gone.use], width))
        return
    wanted = plain(word).lower()
    fitting = [flag for flag in own if wanted in flag.name or any(wanted in other for other in flag.aliases)]
    fitting += [flag for flag in own if flag not in fitting and word.lower() in flag.does.lower()]
    for flag in fitting:
        yield from _line(flag, width)


def _nothing(known: Catalogue, word: str) -> str:
    other = catalogue("vllm" if known.engine != "vllm" else "sglang")
    foreign = other.full_name(word)
    if foreign is not None:
        there = counterpart(foreign, to=known.engine)
        said = f"{plain(word)} is a flag of {other.title}"
        if there is None:
            return said
        return f"{said}; {known.title} {'has' if there.differs else 'calls it'} {there.words()}"
    near = nearest(plain(word), known)
    return f"{known.title} {known.version} has no flag like {word!r}" + (f"; did you mean {near}?" if near else "")


def _line(flag: Flag, width: int) -> list[str]:
    head = f"{flag.name} <{kind_words(flag)}>".rstrip()
    return [
        *textwrap.wrap(head, width, subsequent_indent="    ", break_on_hyphens=False),
        *textwrap.wrap(flag.does, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False),
    ]


def _detail(known: Catalogue, flag: Flag, width: int) -> Iterator[str]:
    yield f"--{flag.name}  <{kind_words(flag)}>" if len(flag.choices) <= 8 else f"--{flag.name}"
    rows: list[tuple[str, str]] = [("does", flag.does), ("trades", flag.trades)]
    if len(flag.choices) > 8:
        rows.append(("choices", ", ".join(map(str, flag.choices))))
    if flag.words:
        rows.append(("also", ", ".join(flag.words)))
    rows += [("rule", each) for each in flag.constraints]
    others = [*flag.aliases, *flag.short]
    if others:
        rows.append(("also called", ", ".join(others)))
    rows += [("formerly", f"{name}, up to about {until}") for name, until in known.formerly(flag).items()]
    if flag.since:
        rows.append(
            ("since", f"about {known.title} {flag.since}" + (f"; before: {flag.before}" if flag.before else ""))
        )
    if flag.negatable:
        rows.append(("off", f"--no-{flag.name}"))
    if flag.refused:
        rows.append(("refused", flag.refused))
    if not flag.needs_relaunch:
        rows.append(("live", "a running server can be told of a new value"))
    other = "vllm" if known.engine != "vllm" else "sglang"
    if there := counterpart(flag.name, to=other):
        rows.append((catalogue(other).title, there.words()))
    for name, text in rows:
        if text:
            yield from textwrap.wrap(
                f"{name:12} {text}", width, initial_indent="  ", subsequent_indent=" " * 15, break_on_hyphens=False
            )


def _from_engine(
    name: str, known: Catalogue, word: str | None, image: str | None, path: Path | None, width: int
) -> int:
    from tuner_tui.backends.backend import BackendUnavailable
    from tuner_tui.cli.image_help import HelpFailed, asking_image, asking_task, engine_help

    if path is None:
        spec = asking_image(name, image or engine(name).default_image)
    else:
        task, _ = load_task(path)
        if task.engine != name:
            click.echo(f"tuner-tui: {path} is a task of {task.engine}: tuner-tui flags {task.engine} …", err=True)
            return 2
        spec = asking_task(task)
        spec = msgspec.structs.replace(spec, image=image) if image and spec.image else spec
    where = spec.image or spec.command[0]
    click.echo(f"asking {where} …", err=True)
    try:
        text = engine_help(spec, all_groups=name == "vllm")
    except (BackendUnavailable, HelpFailed) as error:
        click.echo(f"tuner-tui: {error}", err=True)
        return 2
    flags = {flag: words for flag, words in flags_in_help(text).items() if flag not in _NO_FLAGS}
    click.echo(f"{where} takes {len(flags)} flags")
    wanted = plain(word).lower() if word else ""
    for flag, help_line in flags.items():
        if wanted in flag or (word and word.lower() in help_line.lower()):
            click.echo(f"--{flag}")
            for line in textwrap.wrap(
                help_line,
                width,
                initial_indent="    ",
                subsequent_indent="    ",
                break_on_hyphens=False,
                break_long_words=False,  # a link is to be clicked
            ):
                click.echo(line)
    new = [flag for flag in flags if known.find(flag) is None]
    taken = {plain(flag) for flag in (*flags, *_NO_FLAGS)}
    own = [flag for flag in known.flags.values() if not flag.refused]
    missing = [flag.name for flag in own if not taken & {flag.name, *flag.aliases, f"no-{flag.name}"}]
    for words, names in ((f"not in the catalogue of {known.version}", new), ("in the catalogue but not here", missing)):
        if names:
            for line in textwrap.wrap(f"{words}: {', '.join(names)}", width, break_on_hyphens=False):
                click.echo(line)
    if not new and not missing:
        click.echo(f"the same as in the catalogue of {known.version}")
    return 0
