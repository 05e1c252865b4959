"""Run a fund over its data and say what came out."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from quantvista.backtest._assumptions import features_said, said_of
from quantvista.backtest._markouts import markouts_table
from quantvista.backtest._outcome import Outcome
from quantvista.backtest._output import RunFolder, out_path
from quantvista.backtest._setup import equal_weight_simulation, fingerprint, simulation
from quantvista.backtest._simulation import Simulation
from quantvista.backtest._summary import RunMeta, SleeveMeta, build_summary
from quantvista.backtest.recorded import RunJournal
from quantvista.backtest.recorded._driving import Progress, advance, begin_recording, started
from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import run_tables, text_array
from quantvista.errors import QuantVistaError, RunInterruptedError, printable
from quantvista.fund import Fund, LoadedFund, fund_hash, load_fund, resolved_toml
from quantvista.fund.desk import load_strategies
from quantvista.market import session_dates
from quantvista.strategies import Strategy, plain_params

__all__ = ["Pages", "Progress", "run"]

type Pages = Callable[[Outcome], Mapping[str, str]]
"""Makes further files of the run folder, by name, such as a report."""


def run(
    fund: str | PathLike[str] | Mapping[str, Any] | Fund | LoadedFund,
    *,
    out: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    pages: Pages | None = None,
    journal: str | PathLike[str] | None = None,
) -> Outcome:
    """Run a fund, event by event, through the engine.

    Parameters
    ----------
    fund : path, mapping, Fund or LoadedFund
        What to run.
    out : path, optional
        Folder for the outputs of DESIGN section 7. Without it nothing is written.
    progress : callable, optional
        Called with ``(done, total, text)`` now and then.
    pages : callable, optional
        Called with the outcome of a complete run; what it returns is written before the folder
        says that it is whole.
    journal : path, optional
        New folder for a journal of the run: all that its engine was told and said, and every
        decision, durable and chained, for ``qv replay`` and ``qv explain``.

    Returns
    -------
    Outcome
        Tables and summary. The same fund and data give the same bytes.

    Raises
    ------
    ConfigError, MarketDataError, StrategyError, EngineError, OutputError
        What went wrong; the folder then holds what there was, marked ``failed``.
    RunInterruptedError
        If the user pressed Ctrl-C; the folder then holds what there was, marked ``incomplete``.
    """
    target = None if out is None else out_path(out)  # now: a strategy may change the folder
    written = None if journal is None else out_path(journal)
    loaded = load_fund(fund)
    tell = progress or _silent
    tell(0, 0, "loading")
    strategies = load_strategies(loaded)
    prepared = _Prepared(
        loaded,
        loaded.event_data() if loaded.needs_events else loaded.market_data(),
        resolved_toml(loaded.fund),
        _sleeves(loaded.fund, strategies),
        features_said(strategies),
        fund_hash(loaded),
    )
    ours = simulation(loaded, prepared.data, strategies)
    encrypt = written is not None and loaded.must_encrypt()
    with (
        nullcontext() if target is None else RunFolder(target, loaded.inputs) as folder,
        nullcontext()
        if written is None
        else RunJournal(written, loaded.fund.fund.name, encrypt=encrypt) as kept,
    ):
        outcome, failure = _outcome(prepared, ours, tell, target, kept)
        if folder is not None:
            tell(0, 0, "writing")
            outcome.write(folder, pages(outcome) if pages and failure is None else None)
    if failure is not None:
        raise failure
    return outcome


@dataclass(frozen=True)
class _Prepared:
    """What is known of a run before it begins, and no strategy can change."""

    loaded: LoadedFund
    data: MarketData | EventData
    config: str
    sleeves: Sequence[SleeveMeta]
    features: Sequence[str]
    fund_hash: str

    def fingerprint(self, state_hash: str) -> dict[str, Any]:
        """Identify the run, in a state of its engine."""
        return fingerprint(self.fund_hash, self.data, state_hash)


def _outcome(
    prepared: _Prepared,
    ours: Simulation,
    tell: Progress,
    target: Path | None,
    kept: RunJournal | None,
) -> tuple[Outcome, QuantVistaError | None]:
    """Run to the end, or as far as it goes."""
    fund = prepared.loaded.fund
    status = "complete"
    failure: QuantVistaError | None = None
    if kept is not None:
        begin_recording(ours, kept, started(ours, prepared.config, prepared.fingerprint("")))
    try:
        advance(ours, tell, fund.fund.name, kept)
    except KeyboardInterrupt:
        status = "incomplete"
        failure = RunInterruptedError(
            f"stopped by the user at {_date(ours, fund)}; the rest is missing"
        )
    except QuantVistaError as error:
        status, failure = "failed", error
    if kept is not None:
        kept.end(status, printable(failure or ""))
    tell(0, 0, "summary")
    equal, compared = (None, "") if failure else _equal_weight(fund, prepared.data)
    tables = _tables(ours, prepared.data, equal)
    meta = _meta(prepared, ours, status, printable(failure or ""), compared)
    outcome = Outcome(tables, {}, prepared.config, target, prepared.loaded.inputs)
    # In the order of summary.json, so that a report from memory is that from the folder.
    outcome.summary.update(
        json.loads(json.dumps(build_summary(outcome.frames, meta), sort_keys=True))
    )
    return outcome, failure


def _equal_weight(fund: Fund, data: MarketData | EventData) -> tuple[Simulation | None, str]:
    """Run the comparison; where it cannot be made, say why instead."""
    if not isinstance(data, MarketData):
        return None, "A run with events or corporate actions has no comparison with equal weight."
    try:
        other = equal_weight_simulation(fund, data)
        other.run(other.session.rows)
    except RunInterruptedError:
        raise
    except QuantVistaError as error:
        return None, f"There is no comparison with equal weight: {printable(error)}."
    text = "Equal weight holds the same instruments, on the same dates, at the same costs."
    return other, text


def _tables(
    ours: Simulation, data: MarketData | EventData, equal: Simulation | None
) -> dict[str, pa.Table]:
    tables = run_tables(ours.session, ours.config)
    ts = tables["equity"]["ts"].cast(pa.int64()).to_numpy()
    tables["equity"] = tables["equity"].append_column(
        "benchmark", pl.Series(_scaled_benchmark(ours, data, ts), nan_to_null=True).to_arrow()
    )
    tables["targets"] = _targets(ours)
    tables["comparisons"] = _comparisons(equal)
    tables["markouts"] = markouts_table(data, tables)
    return tables


def _scaled_benchmark(
    ours: Simulation, data: MarketData | EventData, ts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the last benchmark at each time, scaled to start at the fund's cash; NaN without."""
    bars = data if isinstance(data, MarketData) else data.bars
    if bars is None or bars.benchmark is None:
        return np.full(len(ts), np.nan)
    known = bars.benchmark[np.isfinite(bars.benchmark)]
    if not known.size:
        return np.full(len(ts), np.nan)
    cash = sum(sleeve["cash"] for sleeve in ours.config["sleeves"]) / 1e12
    scaled: NDArray[np.float64] = bars.benchmark / known[0] * cash
    row = np.searchsorted(bars.ts, ts, side="right") - 1
    found: NDArray[np.float64] = np.where(row >= 0, scaled[np.maximum(row, 0)], np.nan)
    return found


def _targets(ours: Simulation) -> pa.Table:
    bars = ours.data if isinstance(ours.data, MarketData) else ours.data.bars
    ids = () if bars is None else bars.ids
    sleeves = [sleeve["id"] for sleeve in ours.config["sleeves"]]
    n = len(ids)
    weights = [row.weight_e9 for row in ours.targets]
    ts = np.repeat(np.array([row.ts for row in ours.targets], dtype=np.int64), n)
    names = [name for row in ours.targets for name in [sleeves[row.sleeve]] * n]
    e9 = np.concatenate(weights) if weights else np.empty(0, np.int64)
    return pa.table(
        {
            "ts": pl.Series(ts).to_arrow().cast(pa.timestamp("ns", tz="UTC")),
            "instrument": text_array(list(ids) * len(weights)),
            "sleeve": text_array(names),
            "weight_e9": pl.Series(e9).to_arrow(),
        }
    )


def _comparisons(equal: Simulation | None) -> pa.Table:
    schema = pa.schema(
        [("ts", pa.timestamp("ns", tz="UTC")), ("name", pa.string()), ("equity", pa.float64())]
    )
    if equal is None:
        return schema.empty_table()
    equity = run_tables(equal.session, equal.config)["equity"]
    names = text_array(["equal_weight"] * equity.num_rows)
    level = equity["equity"].cast(pa.float64())
    return pa.table({"ts": equity["ts"], "name": names, "equity": level}, schema=schema)


def _sleeves(fund: Fund, strategies: Mapping[str, Strategy]) -> list[SleeveMeta]:
    return [
        SleeveMeta(
            sleeve.id,
            _strategy_name(sleeve.strategy),
            float(sleeve.share),
            plain_params(strategies[sleeve.id].params, _strategy_name(sleeve.strategy)),
        )
        for sleeve in sorted(fund.sleeve, key=lambda each: each.id)
    ]


def _meta(prepared: _Prepared, ours: Simulation, status: str, error: str, compared: str) -> RunMeta:
    fund, data = prepared.loaded.fund, prepared.data
    bars = data if isinstance(data, MarketData) else data.bars
    assumptions = [*data.assumptions, *said_of(fund, data), *prepared.features]
    return RunMeta(
        fund=fund.fund.name,
        currency=fund.fund.currency,
        cash=fund.fund.cash,
        sleeves=prepared.sleeves,
        status=status,
        error=error,
        source=data.source,
        time_zone=fund.fund.time_zone,
        calendar=fund.fund.calendar,
        benchmark=None if bars is None else bars.benchmark_id,
        missing_bars=ours.session.missed_bars,
        sectors={each.id: each.sector for each in data.instruments},
        multipliers={each.id: each.multiplier for each in data.instruments},
        rates=_rates(ours),
        bases={each.id: each.base for each in data.instruments if each.settlement == "exchange"},
        biases=[(bias.name, bias.text) for bias in data.biases],
        assumptions=[*assumptions, compared] if compared else assumptions,
        fingerprint=prepared.fingerprint(ours.session.state_hash()),
    )


def _rates(ours: Simulation) -> dict[str, Decimal]:
    """Return what other currencies are worth at the end; what is not known is worth nothing."""
    codes = [each["code"] for each in ours.config["currencies"]]
    rates = ours.session.rates()
    return {
        code: Decimal(rate or 0).scaleb(-12)
        for code, rate in zip(codes[1:], rates[1:], strict=True)
    }


def _strategy_name(strategy: Any) -> str:  # noqa: ANN401 - text, a class or an instance
    if isinstance(strategy, str):
        return strategy
    return strategy.__name__ if isinstance(strategy, type) else type(strategy).__name__


def _date(simulation: Simulation, fund: Fund) -> str:
    now = simulation.session.now
    if now < 0:
        return "the start"
    return str(session_dates(np.array([now]), fund.fund.calendar, fund.fund.time_zone)[0])


def _silent(_done: int, _total: int, _text: str) -> None:
    return
