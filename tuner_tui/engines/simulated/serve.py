"""From the arguments to a serving engine, and its end."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import random
import signal
from argparse import Namespace

from aiohttp import web

from tuner_tui.engines.simulated import failures, startup
from tuner_tui.engines.simulated.arguments import gpu_of, kv_dtype_bytes, parallelism_of
from tuner_tui.engines.simulated.engine_loop import EngineLoop, SchedulerDied
from tuner_tui.engines.simulated.hardware import ModelShape
from tuner_tui.engines.simulated.log import Log
from tuner_tui.engines.simulated.memory import MemoryPlan
from tuner_tui.engines.simulated.performance import Performance, step_factor
from tuner_tui.engines.simulated.scheduler import Limits, Scheduler
from tuner_tui.engines.simulated.server import Server


async def serve(args: Namespace) -> None:
    """Starts, serves until SIGTERM or SIGINT, and stops. Ends the process itself where SGLang would."""
    log = Log()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    work = asyncio.ensure_future(_work(args, log))
    waiter = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((work, waiter), return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        waiter.cancel()
        try:
            work.result()
        except startup.StartFailed:
            failures.end_at_once(log)
        except SchedulerDied as error:
            failures.died(log, error)
            failures.end_at_once(log)
        except OSError as error:
            # The address; in uvicorn's words, which then exits with 1. asyncio's own differ between versions.
            why = os.strerror(errno.EADDRINUSE).lower() if error.errno == errno.EADDRINUSE else error.strerror
            address = (args.host, args.port)
            log.line(f"ERROR:    [Errno {error.errno}] error while attempting to bind on address {address}: {why}")
            raise SystemExit(1) from None
    say_shutting_down(log)
    work.cancel()
    await asyncio.wait((work,), timeout=0.1)


def say_shutting_down(log: Log) -> None:
    """uvicorn's last words."""
    log.http("Shutting down")
    log.http("Waiting for application shutdown.")
    log.http("Application shutdown complete.")
    log.http(f"Finished server process [{os.getpid()}]")


async def _work(args: Namespace, log: Log) -> None:
    """Never returns; raises StartFailed, SchedulerDied or OSError (the port)."""
    plan = await startup.load(args)
    chance = random.Random(args.simulate_seed)
    replicas = _replicas(args, plan, chance)
    server = Server(args, plan, replicas, log, random.Random(args.simulate_seed + 1))
    # Handlers are cancelled when their client goes, so that its request leaves the batch.
    runner = web.AppRunner(server.application(), handler_cancellation=True, access_log=None, shutdown_timeout=0.05)
    loops: list[asyncio.Task[None]] = []
    try:
        port = await _listen(runner, args, log)
        loops = [asyncio.create_task(each.run()) for each in replicas]
        # What is there by now stays; the collector's walks over it would make steps late.
        gc.collect()
        gc.freeze()
        await startup.warm_up(log, args, port)
        server.ready = True
        await asyncio.gather(*loops)
    finally:
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        for each in replicas:
            each.close()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, args: Namespace, log: Log) -> int:
    log.http(f"Started server process [{os.getpid()}]")
    log.http("Waiting for application startup.")
    await runner.setup()
    log.http("Application startup complete.")
    site = web.TCPSite(runner, args.host, args.port)
    await site.start()
    port: int = runner.addresses[0][1]
    log.http(f"Uvicorn running on http://{args.host}:{port} (Press CTRL+C to quit)")
    return port


def _replicas(args: Namespace, plan: MemoryPlan, chance: random.Random) -> list[EngineLoop]:
    performance = Performance(gpu_of(args), ModelShape(), parallelism_of(args), kv_dtype_bytes(args))
    limits = Limits(
        kv_tokens=plan.kv_tokens,
        max_running_requests=plan.max_running_requests,
        chunk_tokens=None if args.chunked_prefill_size < 0 else args.chunked_prefill_size,
        max_prefill_tokens=args.max_prefill_tokens,
        graph_max_batch=plan.graph_sizes[-1] if plan.graph_sizes else 0,
        page_tokens=args.page_size,
        policy=args.schedule_policy,
        conservativeness=args.schedule_conservativeness,
        prefix_cache=not args.disable_radix_cache,
        mixed_chunk=args.enable_mixed_chunk,
        continuous_decode_steps=args.num_continuous_decode_steps,
        vocabulary=args.simulate_vocabulary,
    )
    factor = step_factor(chance, args.simulate_noise)
    return [
        EngineLoop(
            Scheduler(limits, performance, chance),
            log,
            chance,
            speed=args.simulate_speed,
            factor=factor,
            jitter=args.simulate_jitter,
            dies_after=args.simulate_crash_after,
            decode_log_interval=args.decode_log_interval,
        )
        for log in startup.replica_logs(args)
    ]
