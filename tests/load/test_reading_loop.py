"""The workers' loop calls readers while it waits, and forgets nothing else for that."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

if not hasattr(select, "epoll"):
    pytest.skip("no epoll on this system: asyncio's own loop serves", allow_module_level=True)

from tuner_tui.load.reading_loop import ReadingLoop


class Stream:
    """A socket pair whose one end is read by the loop; each byte but `!` is only noted."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.noted = b""
        self.ended = asyncio.get_running_loop().create_future()

    def read(self) -> bool:
        byte = self.ours.recv(1)
        self.noted += byte
        if byte != b"!":
            return True
        self.ended.set_result(None)
        return False


def run(story: Callable[[Stream], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        stream, loop = Stream(), asyncio.get_running_loop()
        with stream.ours, stream.theirs:
            loop.add_reader(stream.ours.fileno(), stream.read)
            async with asyncio.timeout(20):
                await story(stream)
            loop.remove_reader(stream.ours.fileno())

    with asyncio.Runner(loop_factory=ReadingLoop) as runner:
        runner.run(told())


def test_what_is_noted_wakes_nobody_and_the_end_does() -> None:
    async def story(stream: Stream) -> None:
        stream.theirs.send(b"abc!")
        await stream.ended
        assert stream.noted == b"abc!"

    run(story)


def test_a_timer_is_kept_while_reads_go_on() -> None:
    async def story(stream: Stream) -> None:
        loop = asyncio.get_running_loop()

        def read_and_ask_for_more() -> bool:
            stream.theirs.send(b"x")  # there is always something to read
            return stream.read()

        stream.theirs.send(b"x")
        loop.add_reader(stream.ours.fileno(), read_and_ask_for_more)
        await asyncio.sleep(0.05)
        assert len(stream.noted) > 10

    run(story)


def test_other_sockets_and_threads_are_heard_while_reads_go_on() -> None:
    async def story(stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            waiting = asyncio.create_task(loop.sock_recv(left, 10))
            stream.theirs.send(b"x" * 50)
            await asyncio.to_thread(right.send, b"hello")
            assert await waiting == b"hello"

    run(story)


def test_a_reader_that_was_removed_by_another_is_not_called() -> None:
    async def story(stream: Stream) -> None:
        loop, other = asyncio.get_running_loop(), Stream()
        with other.ours, other.theirs:

            def read_for_both() -> bool:
                loop.remove_reader(other.ours.fileno())
                loop.remove_reader(stream.ours.fileno())
                stream.ended.set_result(None)
                return False

            for each in (stream, other):
                loop.add_reader(each.ours.fileno(), read_for_both)
                each.theirs.send(b"x")
            await stream.ended
            await asyncio.sleep(0.02)

    run(story)


def test_a_socket_is_written_to_beside_its_reader() -> None:
    async def story(stream: Stream) -> None:
        written = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_writer(stream.ours.fileno(), written.set)
        await written.wait()
        loop.remove_writer(stream.ours.fileno())
        stream.theirs.send(b"a!")
        await stream.ended
        assert stream.noted == b"a!"

    run(story)
