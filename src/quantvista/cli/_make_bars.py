"""What ``qv data bars`` does."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from quantvista.cli._bars import named_columns
from quantvista.cli._lake import instant, open_lake, shown
from quantvista.cli._print import number, print_json, say, table
from quantvista.cli._progress import progress_bar
from quantvista.cli._quality import spare, write_tables
from quantvista.cli._stopped import told_if_stopped
from quantvista.data.bars import (
    Aggregated,
    BarBuilder,
    BarCounts,
    BarOptions,
    BarSpec,
    collected,
    kind_in_lake,
    lake_rows,
)
from quantvista.data.importing import ImportOptions, feed_rows
from quantvista.data.lake import Dataset
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["Wanted", "make_bars"]

_LAKE = "lake:"
_SHOWN = 3  # reasons of rejected rows

type Advance = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says about bars, and about the rows that they are made of.

    Parameters
    ----------
    every : tuple of str
        Lengths of time bars.
    kinds, sizes : tuple of str, tuple of float
        Kinds of other bars, and what ends each.
    until : str or None
        ISO time up to which the rows are complete.
    partial : bool
        Give bars that did not end.
    rows, instrument : str or None
        What the rows are, and whose.
    columns : tuple of str
        ``OURS=THEIRS``.
    """

    every: tuple[str, ...]
    kinds: tuple[str, ...]
    sizes: tuple[float, ...]
    until: str | None
    partial: bool
    rows: str | None
    instrument: str | None
    columns: tuple[str, ...]

    def specs(self) -> list[BarSpec]:
        """Kinds of bars, checked."""
        if len(self.kinds) != len(self.sizes):
            raise ConfigError(
                f"`--size` must come once for each --kind; found {len(self.sizes)} and "
                f"{len(self.kinds)}"
            )
        found = [BarSpec("time", each) for each in self.every]
        for kind, size in zip(self.kinds, self.sizes, strict=True):
            if kind == "time":
                raise ConfigError("`--kind` must not be time; found it: --every 5m says how long")
            found.append(BarSpec(kind, size))
        if not found:
            raise ConfigError(
                "`--every` or `--kind` must say what ends a bar; found neither: --every 5m, or "
                "--kind volume --size 100000"
            )
        return found


class _Maker:
    """Takes rows of one kind, whatever else a source holds."""

    def __init__(self, specs: list[BarSpec], options: BarOptions, rows: str | None) -> None:
        self._specs, self._options, self._rows = specs, options, rows
        self.builder: BarBuilder | None = None
        self.parts: list[dict[str, pl.DataFrame]] = []
        self.others: set[str] = set()

    def receive(self, kind: str, frame: pl.DataFrame) -> None:
        """Take rows, if they are of the kind that bars are made of."""
        if kind not in ("trades", "quotes", "bars", "quote_bars") or self._rows not in (None, kind):
            self.others.add(kind)
            return
        self._rows = kind
        if self.builder is None:
            self.builder = BarBuilder(self._specs, self._options, rows=kind)
        try:
            self.parts.append(self.builder.add(frame))
        except MarketDataError as error:
            if "must not go back" in str(error):
                said = re.sub(r"\d{19}", lambda ts: shown(int(ts[0])), str(error))
                raise MarketDataError(
                    f"{said}: sort the rows, or leave it out (--late drop)"
                ) from None
            raise


def make_bars(
    source: str,
    output: str | None,
    wanted: Wanted,
    options: BarOptions,
    *,
    lake: Path | None,
    as_json: bool,
) -> None:
    """Make bars, write them, and say what came of it."""
    specs = wanted.specs()
    until = None if wanted.until is None else instant(wanted.until, "--until")
    paths = _targets(output, specs)
    spare([source], "--output", list(paths.values()))
    dataset = None
    if output is not None and output.startswith(_LAKE):
        dataset = open_lake(lake).dataset(output.removeprefix(_LAKE))
    maker = _Maker(specs, options, wanted.rows)
    with told_if_stopped(list(paths.values()), dataset):
        with progress_bar(enabled=not as_json) as advance:
            words, rejected = _read(source, maker, wanted, lake, advance)
        made = _made(maker, source, wanted, until, rejected)
        written = _write(made, paths, source, dataset)
    if as_json:
        print_json(_facts(source, words, made, rejected, written))
    else:
        _show(made, rejected, written)


def _made(
    maker: _Maker, source: str, wanted: Wanted, until: int | None, rejected: pl.DataFrame
) -> Aggregated:
    """End the bars; refuse that there are none."""
    if maker.builder is None or not maker.builder.counts.rows:
        found = ", ".join(sorted(maker.others)) or "no row that can be used"
        if rejected.height:
            row, reason = rejected.select("row", "reason").row(0)
            raise MarketDataError(f"{source}: {found}: {reason} in row {row}, and so on")
        raise MarketDataError(
            f"{source}: must hold trades, quotes or bars; found {found}: --rows says what it is"
        )
    made = collected(maker.builder, maker.parts, until=until, partial=wanted.partial)
    if all(frame.is_empty() for frame in made.bars.values()):
        raise MarketDataError(
            f"{source}: must end at least one bar; found none in {made.counts.rows:,} rows: "
            "--partial gives bars that did not end"
        )
    return made


def _read(
    source: str, maker: _Maker, wanted: Wanted, lake: Path | None, advance: Advance
) -> tuple[list[tuple[str, str]], pl.DataFrame]:
    """Feed rows of a source to a maker; words about it, and what was rejected."""
    if source.startswith(_LAKE):
        name = source.removeprefix(_LAKE)
        snapshot = open_lake(lake).open(name).at()
        kind = kind_in_lake(snapshot, wanted.rows)
        names = None if wanted.instrument is None else [wanted.instrument]
        for frame, done, total in lake_rows(snapshot, kind, names):
            maker.receive(kind, frame)
            advance(done, total, f"{name}: {done:,} rows")
        return [("dataset", f"{name}: {kind}")], pl.DataFrame()
    use = ("quotes",) if wanted.rows == "quotes" else ("trades",)
    said = ImportOptions(
        kind=wanted.rows,
        instrument=wanted.instrument,
        columns=named_columns(wanted.columns),
        use=use,
    )
    fed = feed_rows(Path(source), maker.receive, said, progress=advance)
    words = [pair for each in fed.understood[:1] for pair in each.words()]
    if len(fed.understood) > 1:
        words.append(("files", f"and {len(fed.understood) - 1} more"))
    return words, fed.rejected


def _targets(output: str | None, specs: list[BarSpec]) -> dict[str, Path]:
    """Files for each kind of bar; empty for the lake and for nothing."""
    if output is None or output.startswith(_LAKE):
        return {}
    paths = {spec.name: Path(output.replace("{bar}", spec.name)) for spec in specs}
    for path in paths.values():
        if path.suffix not in (".csv", ".parquet"):
            raise ConfigError(
                f"`--output` must end in .csv or .parquet, or be lake:NAME; found {path}"
            )
    return paths


def _write(
    made: Aggregated, paths: Mapping[str, Path], source: str, dataset: Dataset | None
) -> list[str]:
    if dataset is not None:
        from quantvista.data.bars import store_bars

        output = f"{_LAKE}{dataset.name}"
        own = source == output
        return [f"{output}, {kind}" for kind in store_bars(dataset, made.bars, source, own=own)]
    if not paths:
        return []
    if len(set(paths.values())) == len(paths):
        write_tables({path: made.bars[name] for name, path in paths.items()})
    else:  # one file for all of them, which a column tells apart
        frames = [
            frame.with_columns(pl.lit(name).alias("bar")) for name, frame in made.bars.items()
        ]
        write_tables({next(iter(paths.values())): pl.concat(frames)})
    return [str(path) for path in dict.fromkeys(paths.values())]


def _facts(
    source: str,
    words: list[tuple[str, str]],
    made: Aggregated,
    rejected: pl.DataFrame,
    written: list[str],
) -> dict[str, Any]:
    counts = made.counts
    return {
        "source": source,
        "read": [list(pair) for pair in words],
        "rows": counts.rows,
        "late": counts.late,
        "missing": counts.missing,
        "outside": counts.outside,
        "rejected": rejected.height,
        "bars": {
            name: {
                "bars": frame.height,
                "first": shown(frame["ts_event"][0]) if frame.height else None,
                "last": shown(frame["ts_event"][-1]) if frame.height else None,
                "columns": frame.columns,
            }
            for name, frame in made.bars.items()
        },
        "written": written,
    }


def _show(made: Aggregated, rejected: pl.DataFrame, written: list[str]) -> None:
    counts = made.counts
    used = counts.rows - counts.late - counts.missing - counts.outside
    say(f"{counts.rows:,} rows, {used:,} of them in bars.")
    for line in _left_out(counts):
        say(line)
    for reason in (
        rejected["reason"].unique(maintain_order=True)[:_SHOWN] if rejected.height else ()
    ):
        count = rejected.filter(pl.col("reason") == reason).height
        say(f"{count:,} more cannot be used: {reason}.")
    say("")
    table(
        ("bar", "bars", "first", "last"),
        (
            (
                name,
                number(frame.height, 0),
                _second(frame, 0),
                _second(frame, -1),
            )
            for name, frame in made.bars.items()
        ),
    )
    for path in written:
        say(f"wrote {path}")


def _second(frame: pl.DataFrame, row: int) -> str:
    return shown(frame["ts_event"][row] // 10**9 * 10**9) if frame.height else ""


def _left_out(counts: BarCounts) -> list[str]:
    texts = {
        "outside the sessions": counts.outside,
        "before an earlier row": counts.late,
        "without a price or a size": counts.missing,
    }
    return [f"{count:,} left out: {text}." for text, count in texts.items() if count]
