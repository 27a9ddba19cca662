"""`python -m tuner_tui.engines.simulated --model-path NAME [SGLang's flags] [--simulate-…]`."""

from __future__ import annotations

import signal
import sys
from types import FrameType

# No TLS here; with it, importing aiohttp alone would take 0.1 s longer to read certificates.
sys.modules["ssl"] = None  # type: ignore[assignment]


def main() -> None:
    # From the first moment on: as the first process of a container, Python would ignore SIGTERM.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _stop_early)
    from tuner_tui.engines.simulated.arguments import parse
    from tuner_tui.engines.simulated.log import Log
    from tuner_tui.engines.simulated.startup import begin

    args = parse(sys.argv[1:])
    begin(Log(), args)

    import asyncio

    from tuner_tui.engines.simulated.serve import serve

    asyncio.run(serve(args))


def _stop_early(number: int, frame: FrameType | None) -> None:
    """Asked to stop before anything serves."""
    from tuner_tui.engines.simulated.log import Log

    Log().http("Shutting down")
    sys.exit(0)


if __name__ == "__main__":
    main()
