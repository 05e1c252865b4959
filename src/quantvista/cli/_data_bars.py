"""``qv data bars``."""

from typing import Annotated

import typer

from quantvista.cli._complete import bar_kinds, bar_sources, one_of
from quantvista.cli._data import LakeFolder, data_app
from quantvista.cli._failure import guarded
from quantvista.cli._options import Json

__all__ = ["bars"]

_Many = list[str] | None  # Typer does not look through a type statement


@data_app.command(
    epilog="Examples: qv data bars ticks.parquet --every 5m --every 1h --output bars.parquet    "
    "qv data bars lake:ticks --kind volume --size 100000 --output lake:bars    "
    "qv data bars minutes.csv --every 1d --calendar XNYS -o 'bars-{bar}.csv'"
)
@guarded
def bars(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Trades, quotes or bars: a file, a folder, or lake:NAME.",
            autocompletion=bar_sources,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", help="lake:NAME, .csv or .parquet.", autocompletion=bar_sources
        ),
    ] = None,
    every: Annotated[
        _Many,
        typer.Option("--every", "-e", metavar="LENGTH", help="5m, 1h, 1d, 1mo; repeat it."),
    ] = None,
    kind: Annotated[
        _Many,
        typer.Option(
            "--kind",
            "-k",
            help="tick, volume, dollar, tick_imbalance, ...; repeat it with --size.",
            autocompletion=bar_kinds,
        ),
    ] = None,
    size: Annotated[
        list[float] | None,
        typer.Option("--size", "-s", metavar="NUMBER", help="What ends a bar, for each --kind."),
    ] = None,
    calendar: Annotated[
        str | None, typer.Option("--calendar", help="Whose sessions no bar leaves: XNYS.")
    ] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", help="In which a day begins.")] = "UTC",
    anchor: Annotated[
        str | None,
        typer.Option(
            "--anchor",
            help="From where steps count: session, day.",
            autocompletion=one_of("session", "day"),
        ),
    ] = None,
    outside: Annotated[
        str,
        typer.Option(
            "--outside",
            help="Rows outside the sessions: drop, keep.",
            autocompletion=one_of("drop", "keep"),
        ),
    ] = "drop",
    late: Annotated[
        str,
        typer.Option(
            "--late",
            help="Rows that come too late: refuse, drop.",
            autocompletion=one_of("refuse", "drop"),
        ),
    ] = "refuse",
    missing: Annotated[
        str,
        typer.Option(
            "--missing",
            help="Rows without a price or size: refuse, drop.",
            autocompletion=one_of("refuse", "drop"),
        ),
    ] = "refuse",
    fill: Annotated[
        bool, typer.Option("--fill", help="Make bars of empty windows: the last close, volume 0.")
    ] = False,
    sides: Annotated[
        str | None,
        typer.Option(
            "--sides",
            help="Who took: given, tick_rule.",
            autocompletion=one_of("given", "tick_rule"),
        ),
    ] = None,
    price: Annotated[
        str,
        typer.Option(
            "--price", help="Of quotes: mid, bid, ask.", autocompletion=one_of("mid", "bid", "ask")
        ),
    ] = "mid",
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Up to when the rows are complete: ISO."),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Give the bars too that did not end.")
    ] = False,
    rows: Annotated[
        str | None,
        typer.Option(
            "--rows",
            help="What the rows are: trades, quotes, bars.",
            autocompletion=one_of("trades", "quotes", "bars", "quote_bars"),
        ),
    ] = None,
    instrument: Annotated[
        str | None, typer.Option("--instrument", help="Whose rows: SYMBOL.VENUE.")
    ] = None,
    column: Annotated[
        _Many, typer.Option("--column", "-c", metavar="OURS=THEIRS", help="A column; repeat it.")
    ] = None,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Make bars of ticks or of shorter bars: several kinds in one pass.

    A bar is stamped with its end, and is given once that is known: the last one only with --until
    or --partial. Without --output the bars are counted, and nothing is written.
    """
    from quantvista.cli._make_bars import Wanted, make_bars
    from quantvista.data.bars import BarOptions

    options = BarOptions(
        calendar=calendar,
        time_zone=time_zone,
        anchor=anchor,
        outside=outside,
        late=late,
        missing=missing,
        fill=fill,
        sides=sides,
        price=price,
    )
    wanted = Wanted(
        every=tuple(every or ()),
        kinds=tuple(kind or ()),
        sizes=tuple(size or ()),
        until=until,
        partial=partial,
        rows=rows,
        instrument=instrument,
        columns=tuple(column or ()),
    )
    make_bars(source, output, wanted, options, lake=lake, as_json=json)
