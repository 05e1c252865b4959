"""Run a fund over its data and say what came out."""

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from quantvista.backtest._outcome import Outcome
from quantvista.backtest._output import RunFolder
from quantvista.backtest._setup import (
    equal_weight_simulation,
    fingerprint,
    load_strategies,
    simulation,
)
from quantvista.backtest._simulation import Simulation
from quantvista.backtest._summary import RunMeta, SleeveMeta, build_summary
from quantvista.data import MarketData
from quantvista.engine import run_tables, text_array
from quantvista.errors import QuantVistaError, RunInterruptedError
from quantvista.fund import Fund, LoadedFund, load_fund, resolved_toml

__all__ = ["Progress", "run"]

type Progress = Callable[[int, int, str], None]
"""Called with rows done, rows in all, and what is being done."""

_STEPS = 50


def run(
    fund: str | PathLike[str] | Mapping[str, Any] | Fund | LoadedFund,
    *,
    out: str | PathLike[str] | None = None,
    progress: Progress | None = None,
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
    loaded = load_fund(fund)
    tell = progress or _silent
    tell(0, 0, "loading")
    strategies = load_strategies(loaded)
    data = loaded.market_data()
    ours = simulation(loaded, data, strategies)
    folder = None if out is None else RunFolder(Path(out))
    status = "complete"
    failure: QuantVistaError | None = None
    try:
        _advance(ours, tell, loaded.fund.fund.name)
    except KeyboardInterrupt:
        status = "incomplete"
        failure = RunInterruptedError(f"stopped by the user at {_date(ours)}; the rest is missing")
    except QuantVistaError as error:
        status, failure = "failed", error
    tell(0, 0, "summary")
    equal = None if failure else _equal_weight(loaded.fund, data)
    tables = _tables(ours, data, equal)
    outcome = Outcome(tables, {}, resolved_toml(loaded.fund), folder.path if folder else None)
    meta = _meta(loaded, data, ours, status, str(failure or ""))
    outcome.summary.update(build_summary(outcome.frames, meta))
    if folder is not None:
        outcome.write(folder)
    if failure is not None:
        raise failure
    return outcome


def _advance(simulation: Simulation, tell: Progress, text: str) -> None:
    rows = simulation.session.rows
    step = max(1, rows // _STEPS)
    while simulation.session.row < rows:
        tell(simulation.session.row, rows, text)
        simulation.run(simulation.session.row + step)
    tell(rows, rows, text)


def _equal_weight(fund: Fund, data: MarketData) -> Simulation:
    other = equal_weight_simulation(fund, data)
    other.run(other.session.rows)
    return other


def _tables(ours: Simulation, data: MarketData, equal: Simulation | None) -> dict[str, pa.Table]:
    tables = run_tables(ours.session, ours.config)
    rows = tables["equity"].num_rows
    tables["equity"] = tables["equity"].append_column(
        "benchmark", pl.Series(_scaled_benchmark(ours, data)[:rows], nan_to_null=True).to_arrow()
    )
    tables["targets"] = _targets(ours)
    tables["comparisons"] = _comparisons(equal)
    return tables


def _scaled_benchmark(ours: Simulation, data: MarketData) -> NDArray[np.float64]:
    """Return the benchmark, scaled to start at the fund's cash; NaN without one."""
    if data.benchmark is None:
        return np.full(len(data.ts), np.nan)
    known = data.benchmark[np.isfinite(data.benchmark)]
    if not known.size:
        return np.full(len(data.ts), np.nan)
    cash = sum(sleeve["cash"] for sleeve in ours.config["sleeves"]) / 1e12
    scaled: NDArray[np.float64] = data.benchmark / known[0] * cash
    return scaled


def _targets(ours: Simulation) -> pa.Table:
    ids, sleeves = ours.data.ids, [sleeve["id"] for sleeve in ours.config["sleeves"]]
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


def _meta(
    loaded: LoadedFund, data: MarketData, ours: Simulation, status: str, error: str
) -> RunMeta:
    fund = loaded.fund
    return RunMeta(
        fund=fund.fund.name,
        currency=fund.fund.currency,
        cash=fund.fund.cash,
        sleeves=[
            SleeveMeta(
                sleeve.id,
                _strategy_name(sleeve.strategy),
                float(sleeve.share),
                ours.strategies[sleeve.id].params.model_dump(mode="json"),
            )
            for sleeve in sorted(fund.sleeve, key=lambda each: each.id)
        ],
        status=status,
        error=error,
        source=data.source,
        time_zone=fund.fund.time_zone,
        calendar=fund.fund.calendar,
        benchmark=data.benchmark_id,
        missing_bars=ours.session.missed_bars,
        sectors={each.id: each.sector for each in data.instruments},
        multipliers={each.id: each.multiplier for each in data.instruments},
        biases=[(bias.name, bias.text) for bias in data.biases],
        assumptions=[*data.assumptions, *_assumptions(fund, data)],
        fingerprint=fingerprint(loaded, data, ours.session.state_hash()),
    )


def _strategy_name(strategy: Any) -> str:  # noqa: ANN401 - text, a class or an instance
    if isinstance(strategy, str):
        return strategy
    return strategy.__name__ if isinstance(strategy, type) else type(strategy).__name__


def _assumptions(fund: Fund, data: MarketData) -> list[str]:
    venue = fund.venue[0]
    when = "next close" if data.open is None else "next open"
    texts = [
        f"A decision after one close is filled at the {when}, {venue.slippage_bps} bp worse, "
        f"for a fee of {venue.fee_bps} bp rounded up to the cent.",
        f"A market order is held back where the price has moved by more than "
        f"{fund.risk.price_band:%} since the decision.",
        "Opposite orders of two sleeves cross at the close without costs.",
        "Cash earns no interest. Sleeves keep their own profits; their shares drift.",
        "Equal weight holds the same instruments, on the same dates, at the same costs.",
    ]
    if venue.participation_max is None:
        texts.append("Our orders are filled whole, whatever the volume, and do not move prices.")
    return texts


def _date(simulation: Simulation) -> str:
    now = simulation.session.now
    return "the start" if now < 0 else str(np.datetime64(now, "ns").astype("M8[D]"))


def _silent(_done: int, _total: int, _text: str) -> None:
    return
