"""Every command's name, options and help."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from tuner_tui import __version__
from tuner_tui.task.paths import with_home


class _Folder(click.Path):
    """A folder; a shell leaves the `~` of `--runs-dir=~/runs` to the program."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Path:
        folder = with_home(os.fsdecode(super().convert(value, param, context)))
        if str(folder).startswith("~"):
            self.fail(f"{folder.parts[0]} is no user of this machine; write the folder in full", param, context)
        return folder


_TASK = click.argument("task", type=click.Path(path_type=Path))
_RUN = click.argument("run", metavar="RUN")
_RUNS_DIR = click.option(
    "--runs-dir",
    type=_Folder(path_type=Path, file_okay=False),
    help="Where run folders are kept.  [default: the user's data folder, tuner-tui/runs]",
)
_MODELS_DIR = click.option(
    "--models-dir",
    type=_Folder(path_type=Path, file_okay=False),
    help="Where a bare model name is looked for.  [default: $TUNER_TUI_MODELS_DIR, ~/models]",
)
_MOUSE = click.option("--mouse/--no-mouse", default=True, help="Whether the mouse is the screen's or the terminal's.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Standard output is results.json and nothing else.")


class _Commands(click.Group):
    """Turns the errors a user can mend into one sentence and exit code 2. A word that is no command but looks like a
    task file opens the screen with it."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        first = args[0] if args else ""
        if self.get_command(context, first) is None and (
            Path(first).is_file() or first.endswith((".yaml", ".yml", ".json"))
        ):
            return "open", self.get_command(context, "open"), args
        return super().resolve_command(context, args)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            # The reader of our output went away (`tuner-tui runs | head`): nobody is left to tell.
            sys.stderr.close()
            sys.exit(141)
        except Exception as error:
            # Only now: neither help nor the screen's first paint waits for where these come from.
            from tuner_tui.runs.folder import RunNotFound
            from tuner_tui.runs.journal import JournalUnreadable
            from tuner_tui.task.problem import BadInput

            if isinstance(error, BadInput):
                click.echo(str(error), err=True)
            elif isinstance(error, RunNotFound | JournalUnreadable):
                click.echo(f"tuner-tui: {error}", err=True)
            elif isinstance(error, OSError) and error.filename:
                click.echo(f"tuner-tui: {error.strerror}: {error.filename}", err=True)
            else:
                raise
        sys.exit(2)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example:  tuner-tui task.yaml   ·   tuner-tui demo   ·   tuner-tui run task.yaml --json | jq .verdict",
)
@click.version_option(__version__, prog_name="tuner-tui")
@_RUNS_DIR
@_MODELS_DIR
@_MOUSE
@click.pass_context
def main(context: click.Context, runs_dir: Path | None, models_dir: Path | None, mouse: bool) -> None:
    """Find the launch flags that make an LLM inference engine fastest for your traffic.

    Without a command the screen opens; with a task file (`tuner-tui task.yaml`), on that task.
    """
    if context.invoked_subcommand is None:
        from tuner_tui.cli.screen import show_screen

        sys.exit(show_screen(runs_dir=runs_dir, models_dir=models_dir, mouse=mouse))
    # What stands before a command holds for it, where it takes that and does not say otherwise itself.
    given = {"runs_dir": runs_dir, "models_dir": models_dir, "mouse": mouse}
    known = {name: value for name, value in given.items() if value is not None}
    context.default_map = dict.fromkeys(main.commands, known)


@main.command("open", hidden=True)
@_TASK
@_RUNS_DIR
@_MODELS_DIR
@_MOUSE
def open_(task: Path, runs_dir: Path | None, models_dir: Path | None, mouse: bool) -> None:
    """Open the screen on TASK."""
    from tuner_tui.cli.screen import show_screen

    sys.exit(show_screen(task=task, runs_dir=runs_dir, models_dir=models_dir, mouse=mouse))


@main.command(epilog="Example:  tuner-tui attach   ·   tuner-tui attach 2026-11-24T00-34")
@click.argument("run", metavar="[RUN]", default="latest")
@_RUNS_DIR
@_MOUSE
def attach(run: str, runs_dir: Path | None, mouse: bool) -> None:
    """Show a run on the screen, live or over. RUN is a path, a name, the beginning of one, or `latest`."""
    from tuner_tui.cli.screen import show_screen

    sys.exit(show_screen(run=run, runs_dir=runs_dir, mouse=mouse))


@main.command(epilog="Example:  tuner-tui replay latest --speed 10")
@_RUN
@click.option(
    "--speed", type=click.FloatRange(min=0.1, max=1000), default=10.0, show_default=True, help="Times as fast."
)
@_RUNS_DIR
@_MOUSE
def replay(run: str, speed: float, runs_dir: Path | None, mouse: bool) -> None:
    """Play a run back on the screen as it went."""
    from tuner_tui.cli.screen import show_screen

    sys.exit(show_screen(run=run, replay_speed=speed, runs_dir=runs_dir, mouse=mouse))


@main.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Example:  tuner-tui serve --port 8787   ·   tuner-tui serve attach",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8787, show_default=True, help="Port on 127.0.0.1.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(port: int, arguments: tuple[str, ...]) -> None:
    """Show the screen in a browser, on 127.0.0.1 only. ARGUMENTS are those of tuner-tui itself."""
    from tuner_tui.cli.serve import serve_screen

    sys.exit(serve_screen(port, arguments))


@main.command(epilog="Example:  tuner-tui plan sample_tasks/vllm-throughput.yaml")
@_TASK
@_MODELS_DIR
def plan(task: Path, models_dir: Path | None) -> None:
    """Show what TASK would launch, and change nothing.

    Prints the configurations, what is excluded and why, the GPUs needed, each container's exact command and an
    estimate of the time. Needs no Docker, no GPU and no network.
    """
    from tuner_tui.cli.plan import show_plan

    show_plan(task, models_dir)


@main.command(epilog="Example:  tuner-tui run task.yaml --json | jq -r .verdict.sentence")
@_TASK
@_RUNS_DIR
@_MODELS_DIR
@_JSON
def run(task: Path, runs_dir: Path | None, models_dir: Path | None, as_json: bool) -> None:
    """Measure every configuration of TASK and name the best.

    Progress goes to standard error. Exit code 0: there is a leader. 1: there is none. 2: bad input. 130 or 143:
    interrupted (once: what is under way is given up in order; twice: at once). Closing the terminal only detaches:
    the run goes on, `tuner-tui runs` shows it.
    """
    from tuner_tui.cli.run import run_task

    sys.exit(run_task(task, runs_dir, models_dir, as_json=as_json))


@main.command(epilog="Example:  tuner-tui demo")
@_RUNS_DIR
@_JSON
def demo(runs_dir: Path | None, as_json: bool) -> None:
    """Tune a simulated engine: the whole job in under a minute, without Docker, GPU or model."""
    from tuner_tui.cli.run import run_task
    from tuner_tui.task.samples import sample

    sys.exit(run_task(sample("demo"), runs_dir, None, as_json=as_json))


@main.command("try", epilog="Example:  tuner-tui try task.yaml --set mem-fraction-static=0.85 --set tp-size=2")
@_TASK
@click.option("--set", "settings", metavar="FLAG=VALUE", multiple=True, help="Set or change a flag; may be repeated.")
@_RUNS_DIR
@_MODELS_DIR
def try_(task: Path, settings: tuple[str, ...], runs_dir: Path | None, models_dir: Path | None) -> None:
    """Launch one configuration of TASK, print its URL, keep it up until Ctrl-C.

    Without --set the task's first configuration is taken.
    """
    from tuner_tui.cli.try_ import try_task

    sys.exit(try_task(task, settings, runs_dir, models_dir))


@main.command(epilog="Example:  tuner-tui runs")
@_RUNS_DIR
def runs(runs_dir: Path | None) -> None:
    """List the runs, newest first."""
    from tuner_tui.cli.runs import show_runs

    show_runs(runs_dir)


@main.command(epilog="Example:  tuner-tui stop latest")
@_RUN
@_RUNS_DIR
def stop(run: str, runs_dir: Path | None) -> None:
    """End a run in order; `resume` goes on later. RUN is a path, a name, the beginning of one, or `latest`."""
    from tuner_tui.cli.runs import stop_run

    sys.exit(stop_run(run, runs_dir))


@main.command(epilog="Example:  tuner-tui resume latest")
@_RUN
@_RUNS_DIR
@_JSON
def resume(run: str, runs_dir: Path | None, as_json: bool) -> None:
    """Go on with a run that was stopped or died; what was finished is not measured again."""
    from tuner_tui.cli.run import resume_run

    sys.exit(resume_run(run, runs_dir, as_json=as_json))


@main.command(epilog="Example:  tuner-tui confirm latest --launches 2")
@_RUN
@click.option(
    "--launches", type=click.IntRange(1, 50), help="Launches more of each leader.  [default: as many as help]"
)
@_RUNS_DIR
@_JSON
def confirm(run: str, launches: int | None, runs_dir: Path | None, as_json: bool) -> None:
    """Launch the leaders of a run again, to tell them apart or to be sure of the best."""
    from tuner_tui.cli.confirm import confirm_run

    sys.exit(confirm_run(run, launches, runs_dir, as_json=as_json))


@main.command(epilog="Example:  tuner-tui export latest --format compose -o compose.yaml")
@_RUN
@click.option(
    "--format",
    "name",
    type=click.Choice(["md", "csv", "json", "command", "compose", "k8s"]),
    help="A page, a table, everything; or what starts the winner.  [default: by FILE's ending, else md]",
)
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True),
    help="Where to write it; - is standard output.  [default: the run's folder]",
)  # fmt: skip
@click.option("--experiment", type=int, metavar="N", help="Start configuration #N instead of the winner.")
@_RUNS_DIR
def export(run: str, name: str | None, output: Path | None, experiment: int | None, runs_dir: Path | None) -> None:
    """Write a run's report, its figures, or what starts its winner, and print the path.

    md: a page for a colleague. csv: a row for each launch and level. json: everything. command: the launch command.
    compose: a Docker Compose file. k8s: a Kubernetes manifest.
    """
    from tuner_tui.cli.export import export_run

    sys.exit(export_run(run, name, output, experiment, runs_dir))


@main.command(epilog="Example:  tuner-tui clean")
def clean() -> None:
    """Remove containers and processes that dead runs left behind, never those of a live one."""
    from tuner_tui.cli.clean import clean_up

    sys.exit(clean_up())


@main.command(epilog="Example:  tuner-tui setup genai-bench   ·   tuner-tui setup genai-bench --python python3.12")
@click.argument("tool", type=click.Choice(["genai-bench"]))
@click.option(
    "--python", metavar="PATH", help="A Python that TOOL runs on: 3.10 to 3.12.  [default: one that is found]"
)
def setup(tool: str, python: str | None) -> None:
    """Install TOOL in an environment of its own, for `benchmark: {tool: genai-bench}`.

    Needs the package index; about 1.3 GB under the user's data folder. Where TOOL is on PATH already, that one is used
    and nothing needs to be installed. A second call finds it complete and does nothing.
    """
    from tuner_tui.cli.setup import setup_genai_bench

    sys.exit(setup_genai_bench(python))


@main.command(
    "import",
    epilog="Example:  tuner-tui import experiments/h100-chunk-2048 experiments/h100-chunk-8192   ·   "
    "tuner-tui import results.json --task task.json",
)
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--task", "task_file", type=click.Path(path_type=Path, dir_okay=False), help="The task file they were made from."
)
@click.option(
    "--engine", type=click.Choice(["sglang", "vllm"]), help="Whose results they are, if the files do not tell."
)
@click.option(
    "--objective",
    type=click.Choice(["minimize_latency", "maximize_throughput", "minimize_ttft", "minimize_tpot"]),
    help="What is best.  [default: the task's, or minimize_latency]",
)
@_RUNS_DIR
@_JSON
def import_(
    paths: tuple[Path, ...],
    task_file: Path | None,
    engine: Any,
    objective: str | None,
    runs_dir: Path | None,
    as_json: bool,
) -> None:
    """Judge results measured elsewhere: make a run of them.

    PATH is an experiment folder of genai-bench (or a folder of such; each one is a configuration), or a results file
    of the autotuner whose task files open here. Nothing is launched. Exit code 0: there is a leader. 1: there is none.
    2: the files cannot be read.
    """
    from tuner_tui.cli.import_ import import_results

    code = import_results(
        paths, task_file=task_file, engine=engine, objective=objective, runs_dir=runs_dir, as_json=as_json
    )
    sys.exit(code)


@main.command(
    epilog="Example:  tuner-tui bench http://127.0.0.1:30000 --traffic 'D(100,100)' --concurrency 1 --concurrency 4"
    "   ·   tuner-tui bench URL --find-max rate --limit ttft.p99=500ms"
)
@click.argument("url")
@click.option("--traffic", multiple=True, default=("D(100,100)",), show_default=True, help="Scenario; may be repeated.")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    multiple=True,
    help="Requests in flight; may be repeated.  [default: 1, 4]",
)
@click.option(
    "--request-rate",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    help="Requests a second, instead of --concurrency; may be repeated.",
)
@click.option(
    "--arrivals",
    type=click.Choice(["constant", "poisson"]),
    default="constant",
    show_default=True,
    help="How the requests of a rate follow each other.",
)
@click.option(
    "--max-in-flight", type=click.IntRange(min=1), default=1024, show_default=True, help="Bound on a rate's requests."
)
@click.option("--max-requests", type=click.IntRange(min=1), default=50, show_default=True, help="Requests a level.")
@click.option("--max-time", metavar="DURATION", help="Longest time of a level, such as 30s or 2m.")
@click.option(
    "--limit", "limits", metavar="NAME=DURATION", multiple=True, help="To be kept, e.g. ttft.p99=500ms; repeatable."
)
@click.option(
    "--find-max",
    "find",
    type=click.Choice(["concurrency", "rate"]),
    help="Find the most that keeps the limits.",
)
@click.option(
    "--start", type=click.FloatRange(min=0, min_open=True), help="Where --find-max begins.  [default: one at a time]"
)
@click.option("--most", type=click.FloatRange(min=1), help="The most that --find-max tries.  [default: 256]")
@click.option("--model", help="Name of the model.  [default: the first that the server names]")
@click.option(
    "--endpoint", type=click.Choice(["completions", "chat"]), default="completions", show_default=True, help="API."
)
@click.option("--text-prompts", is_flag=True, help="Texts instead of token ids, for servers that take no ids.")
@click.option(
    "--dataset",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Prompts of --traffic dataset: JSON lines, ShareGPT, or .txt.",
)
@click.option(
    "--request", "request_json", metavar="JSON", help="Passed on in every request, e.g. '{\"temperature\": 0}'."
)
@click.option("--api-key-variable", metavar="NAME", help="Environment variable that holds the API key.")
@click.option(
    "--ca-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Certificates to trust for https."
)
@click.option("--insecure", is_flag=True, help="Take any certificate.")
@click.option("--cpus", metavar="LIST", help="CPUs the generator runs on, e.g. 1 or 2-5.")
@click.option("--records", type=click.Path(path_type=Path, dir_okay=False), help="Keep the raw request records here.")
@click.option("--json", "as_json", is_flag=True, help="Standard output is JSON and nothing else.")
def bench(**options: Any) -> None:
    """Measure any OpenAI-compatible server at URL with the same traffic and metrics as a run.

    URL is with or without /v1; where that is not the place, an endpoint's, such as https://host/openai/completions.
    """
    from tuner_tui.cli.bench import bench_url

    sys.exit(bench_url(**options))


@main.command(epilog="Example:  docker logs CONTAINER 2>&1 | tuner-tui inspect -")
@click.argument("log", metavar="LOG|-")
@click.option("--engine", type=click.Choice(["sglang", "vllm", "simulated"]), help="Whose log it is, if not evident.")
@click.option("--json", "as_json", is_flag=True, help="Standard output is JSON and nothing else (docs/engines.md).")
def inspect(log: str, engine: Any, as_json: bool) -> None:
    """Say what an engine's LOG says: the start, memory, throughput, and what went wrong."""
    from tuner_tui.cli.inspect import inspect_log

    sys.exit(inspect_log(log, engine, as_json=as_json))


@main.command(epilog="Example:  tuner-tui flags sglang mem-fraction-static   ·   tuner-tui flags vllm cache")
@click.argument("engine", type=click.Choice(["sglang", "vllm", "simulated"]))
@click.argument("word", required=False)
@click.option("--from-image", is_flag=True, help="Ask the engine's own image (it must be here) for its --help.")
@click.option("--image", metavar="IMAGE", help="The image to ask, instead of the engine's usual one.")
@click.option(
    "--task",
    type=click.Path(path_type=Path),
    help="Ask where this task would start the engine: its image, mounts, environment and command.",
)
def flags(engine: str, word: str | None, from_image: bool, image: str | None, task: Path | None) -> None:
    """Show ENGINE's launch flags: one by its name, those that WORD fits, or all that are explained."""
    from tuner_tui.cli.flags import show_flags

    sys.exit(show_flags(engine, word, from_image=from_image, image=image, task=task))
