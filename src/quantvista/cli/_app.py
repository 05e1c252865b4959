"""Commands of ``qv`` and their options."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli import _data_bars as _data_bars
from quantvista.cli import _data_quality as _data_quality
from quantvista.cli import _data_universe as _data_universe
from quantvista.cli._backup_app import backup_app, restore_app
from quantvista.cli._complete import data_kinds, funds, runs, systems, templates
from quantvista.cli._data import data_app
from quantvista.cli._examples import examples_apart
from quantvista.cli._failure import guarded, set_debug
from quantvista.cli._features_app import features_app
from quantvista.cli._fund_app import fund_app
from quantvista.cli._guard_app import guard_app
from quantvista.cli._journal_app import journal_app
from quantvista.cli._keys_app import keys_app
from quantvista.cli._options import Json
from quantvista.cli._paper_app import paper_app

__all__ = ["app"]

app = typer.Typer(
    help="QuantVista: one fund file, proven over its history and traded on paper.",
    epilog="Start with: qv run --demo    then: qv init my-fund && cd my-fund && qv run",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
app.add_typer(fund_app)  # without a name: its commands stand beside those here
app.add_typer(guard_app)
app.add_typer(restore_app)
app.add_typer(backup_app, name="backup")
app.add_typer(data_app, name="data")
app.add_typer(features_app, name="features")
app.add_typer(journal_app, name="journal")
app.add_typer(keys_app, name="keys")
app.add_typer(paper_app, name="paper")


@app.callback()
def _qv(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="QV_DEBUG", help="Show tracebacks of errors.")
    ] = False,
    key_ring: Annotated[
        Path | None,
        typer.Option(
            "--key-ring",
            metavar="FILE",
            help="Keys of what is encrypted, of qv keys make; $QV_KEY_RING names it, too.",
        ),
    ] = None,
) -> None:
    set_debug(debug)
    if key_ring is not None:
        # So that the processes which a command starts have it, too.
        os.environ["QV_KEY_RING"] = str(key_ring.expanduser().absolute())


@app.command(epilog="Examples: qv init my-fund    qv init mine --template strategy")
@guarded
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to.")] = Path(),
    template: Annotated[
        str,
        typer.Option(
            "--template", "-t", help="One of those named above.", autocompletion=templates
        ),
    ] = "demo",
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write a fund file to start from.

    demo: two sleeves on the built-in sample. csv: your own prices. strategy, event and grid: a
    strategy of your own in mine.py. market_maker, arbitrage and triangle: shipped strategies on a
    generated market.
    paper: a fund of coins, and a paper venue for it.
    """
    from quantvista.cli._print import next_steps, say
    from quantvista.fund import write_template

    for path in write_template(template, folder, force=force):
        say(f"wrote {path}")
    steps = [] if folder == Path() else [f"cd {folder}"]
    live = ["qv up fund.toml"] if template == "paper" else []
    next_steps([*steps, "qv run fund.toml", *live])


@app.command(epilog="Examples: qv run --demo    qv run fund.toml --out out/first    qv run --json")
@guarded
def run(
    fund: Annotated[
        Path | None,
        typer.Argument(help="Fund file; fund.toml by default.", autocompletion=funds),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="<path>",
            help="Run folder; out/NAME by default.",
            autocompletion=runs,
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Run the built-in demo fund.")] = False,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the verdict.")] = False,
    journal: Annotated[
        str | None,
        typer.Option("--journal", metavar="<path>", help="New folder to record the run in."),
    ] = None,
) -> None:
    """Run a fund over its history, event by event, and write its report.

    With --journal all that went into the engine and came out of it, and every decision, is kept
    in a chained journal, for qv replay and qv explain.
    """
    from quantvista.cli._run import run_fund

    run_fund(fund, out=out, demo=demo, as_json=json, quiet=quiet, journal=journal)


@app.command(
    epilog="Examples: qv replay out/journal    qv replay out/journal --fund fund.toml --json"
)
@guarded
def replay(
    folder: Annotated[
        Path,
        typer.Argument(metavar="JOURNAL", help="Of qv run --journal, or state/journal of a fund."),
    ],
    fund: Annotated[
        Path | None,
        typer.Option(
            "--fund", help="Go through its data and strategies again, too.", autocompletion=funds
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Do a recorded run again and say where it parts from its journal, if it does.

    The engine gets the recorded inputs, and must say and end the same, byte for byte (R1). With
    --fund the data, features and strategies are gone through again as well (R2). Ends with 1 at
    a difference.
    """
    from quantvista.cli._recorded import replay_run

    replay_run(folder, fund=fund, as_json=json)


@app.command(epilog="Example: qv explain out/journal 17")
@guarded
def explain(
    folder: Annotated[
        Path,
        typer.Argument(metavar="JOURNAL", help="Of qv run --journal, or state/journal of a fund."),
    ],
    order: Annotated[str, typer.Argument(help="Its number, or its order_id in orders.parquet.")],
    json: Json = False,
) -> None:
    """Show why there is an order: the data, the decision, the target, the verdicts, the fills."""
    from quantvista.cli._recorded import explain_order

    explain_order(folder, order, as_json=json)


@app.command(epilog="Example: qv report out/demo --open")
@guarded
def report(
    run_dir: Annotated[Path, typer.Argument(help="Run folder.", autocompletion=runs)],
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Write the report of a run again."""
    from quantvista.cli._print import say
    from quantvista.cli._runs import read_summary
    from quantvista.reporting import write_report

    read_summary(run_dir)  # says clearly what is wrong with the folder, if anything
    path = write_report(run_dir)
    say(f"wrote {path}")
    if open_it:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())


@app.command(epilog="Example: qv compare out/demo out/mine")
@guarded
def compare(
    run_dirs: Annotated[list[Path], typer.Argument(help="Run folders.", autocompletion=runs)],
    json: Json = False,
) -> None:
    """Compare the metrics of runs side by side."""
    from quantvista.cli._compare import compare_runs

    compare_runs(run_dirs, as_json=json)


@app.command(
    epilog="Examples: qv check fund.toml    qv check mine.py:signal --input bars.csv    "
    "qv check 'rsi(close, 14)' --input bars.csv --json"
)
@guarded
def check(
    target: Annotated[
        str,
        typer.Argument(help="A fund file, FILE.py:FUNCTION, or a feature.", autocompletion=funds),
    ] = "fund.toml",
    source: Annotated[
        str | None,
        typer.Option("--input", "-i", help="Bars for a feature: a file, or lake:NAME."),
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option(
            "--series",
            "-s",
            metavar="NAME=FILE",
            help="Slow data with ts_event and known_at; repeat it.",
        ),
    ] = None,
    universe: Annotated[
        Path | None, typer.Option("--universe", help="Members: instrument, start, end, known_at.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", "-c", metavar="OURS=THEIRS", help="A column; repeat it."),
    ] = None,
    lake: Annotated[Path | None, typer.Option("--lake", metavar="<path>", help="The lake.")] = None,
    cuts: Annotated[int, typer.Option("--cuts", min=1, help="How many futures to try.")] = 4,
    seed: Annotated[int, typer.Option("--seed", help="Of what is tried.")] = 0,
    json: Json = False,
) -> None:
    """Prove that a strategy or feature does not see the future.

    It is run again with everything after some time altered; what it said before must stay the
    same. Ends with 4 if it does not.
    """
    from quantvista.cli._check import check_target

    check_target(
        target,
        source=source,
        series=series or [],
        universe=universe,
        columns=column or [],
        lake=lake,
        cut_count=cuts,
        seed=seed,
        as_json=json,
    )


@app.command(epilog="Example: qv validate --against nautilus --kind bars --sessions 50")
@guarded
def validate(
    against: Annotated[
        str, typer.Option("--against", help="The other system: nautilus.", autocompletion=systems)
    ],
    sessions: Annotated[
        int, typer.Option("--sessions", "-n", help="How many random sessions.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the first one.")] = 1,
    kind: Annotated[
        str,
        typer.Option(
            "--kind", help="bars, quotes, trades, books or all.", autocompletion=data_kinds
        ),
    ] = "all",
    json: Json = False,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python", metavar="<path>", help="Interpreter that has it; see make nautilus."
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="<path>", help="Folder for sessions and results."),
    ] = None,
) -> None:
    """Compare the engine with another system, fill by fill.

    The same market and the same orders go through both. Ends with 1 if a difference has no
    explanation among those of docs/validation.md.
    """
    from quantvista.cli._validate import validate_engine

    validate_engine(
        against=against,
        sessions=sessions,
        seed=seed,
        kind=kind,
        as_json=json,
        python=python,
        keep=keep,
    )


@app.command(epilog="Example: qv schema --out fund.schema.json")
@guarded
def schema(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File; standard output by default.")
    ] = None,
) -> None:
    """Print the JSON Schema of fund files, for editors."""
    from quantvista.cli._print import say, write_text
    from quantvista.fund import json_schema

    if out is None:
        sys.stdout.write(json_schema())
        return
    write_text(out, json_schema())
    say(f"wrote {out}")


@app.command(epilog="Example: qv doctor --json")
@guarded
def doctor(json: Json = False) -> None:
    """Check that everything a run needs is here; ends with 1 if not."""
    from quantvista.cli._doctor import examine, show

    checks = examine()
    show(checks, as_json=json)
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(1)


@app.command()
@guarded
def version(json: Json = False) -> None:
    """Print the version."""
    import platform

    from quantvista import __version__

    if json:
        from quantvista.cli._print import print_json

        print_json({"quantvista": __version__, "python": platform.python_version()})
    else:
        sys.stdout.write(f"quantvista {__version__} (Python {platform.python_version()})\n")


examples_apart(app)  # at last, when all commands are there
