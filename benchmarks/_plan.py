"""The works, who does them, and how much each gets to do."""

from dataclasses import dataclass

__all__ = ["WORKS", "Contender", "Work"]


@dataclass(frozen=True)
class Contender:
    """One system at one work.

    Parameters
    ----------
    system : str
        Name in the table; "quantvista" is ours and runs in our environment.
    script : str
        Program beside this file.
    size, quick_size : int
        What the program is given; the second is for a smoke test.
    note : str
        What differs from ours, or what the number means.
    lengths : tuple of int
        Sizes at which it is run once more, to see whether its memory grows.
    """

    system: str
    script: str
    size: int
    quick_size: int
    note: str
    lengths: tuple[int, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether it runs in our environment."""
        return self.system == "quantvista"


@dataclass(frozen=True)
class Work:
    """A work: ours first, then the peers.

    Parameters
    ----------
    name, title, unit : str
        In bench.json, in the table, and of the rate.
    contenders : tuple of Contender
        Run in turn, again and again.
    target : float or None
        Rate that ours is meant to reach.
    p99_target_ns : int or None
        What ninety-nine of a hundred are meant to stay below.
    whole_process : bool
        Whether the time is that of the whole process, its start and imports included.
    recorded : bool
        Whether it replays the recording beside the checkout, and is skipped without it.
    """

    name: str
    title: str
    unit: str
    contenders: tuple[Contender, ...]
    target: float | None = None
    p99_target_ns: int | None = None
    whole_process: bool = False
    recorded: bool = False


_NAUTILUS_ORDERS = Contender(
    "nautilus_trader", "nautilus_orders.py", 6, 1, "buys only, at which it is faster"
)
_BT = Contender("bt", "bt_demo.py", 1, 1, "float weights; no limits, records, outputs or report")
_COMPUTE = Contender("quantvista", "ours_demo.py", 1, 1, "limits, exact books, outputs, report")
_COMMAND = Contender("quantvista", "ours_command.py", 1, 1, "qv run --demo")

WORKS = (
    Work(
        "bars",
        "Engine, OHLC bars, 500 instruments, an order resting in each",
        "bars/s",
        (
            Contender("quantvista", "ours_bars.py", 50_000, 200, "every bar marked"),
            Contender("nautilus_trader", "nautilus_bars.py", 400, 4, "no bar subscriptions"),
        ),
        target=10e6,
    ),
    Work(
        "orders_kept",
        "The same orders, every one kept for tables, as the peer keeps its own",
        "orders/s",
        (
            Contender("quantvista", "ours_orders_kept.py", 3_000, 10, "four a bar, all kept"),
            _NAUTILUS_ORDERS,
        ),
        target=3e6,
    ),
    Work(
        "orders",
        "Orders in to fills out, 500 instruments, all limits on",
        "orders/s",
        (
            Contender("quantvista", "ours_orders.py", 3_000, 10, "four a bar, outputs not kept"),
            _NAUTILUS_ORDERS,
        ),
        target=3e6,
    ),
    Work(
        "quotes",
        "Engine alone, quotes of 500 instruments, orders resting in 10 % of them",
        "quotes/s",
        (Contender("quantvista", "ours_quotes.py", 20_000_000, 20_000, "margin account"),),
        target=25e6,
    ),
    Work(
        "resting",
        "Engine alone, order in to fill out at a quote, 100,000 others resting",
        "orders/s",
        (Contender("quantvista", "ours_resting.py", 2_000_000, 2_000, "margin account"),),
        target=3e6,
        p99_target_ns=2_000,
    ),
    Work(
        "gate",
        "Engine alone, 26 checks of an order that the last one refuses",
        "checks/s",
        (Contender("quantvista", "ours_gate.py", 2_000_000, 2_000, "no fills, 500 instruments"),),
        target=15e6,
    ),
    Work(
        "gate_var",
        "Engine alone, the same with value at risk over 1,000 scenarios",
        "orders/s",
        (Contender("quantvista", "ours_gate_var.py", 100_000, 200, "accepted, in flight"),),
        target=100e3,
    ),
    Work(
        "gate_var_refused",
        "Engine alone, orders that value at risk over 1,000 scenarios refuses",
        "orders/s",
        (Contender("quantvista", "ours_gate_var_refused.py", 100_000, 200, "nothing in flight"),),
        target=100e3,
    ),
    Work(
        "levels",
        "Engine alone, changes of levels of an L2 book",
        "levels/s",
        (Contender("quantvista", "ours_levels.py", 20_000_000, 20_000, "generated"),),
    ),
    Work(
        "l2",
        "Recorded L2 book with trades and quotes, orders resting, loop after loop",
        "events/s",
        (
            Contender("quantvista", "ours_l2.py", 4, 1, "blocks from memory", (1, 8, 33, 131)),
            Contender("hftbacktest", "hftbacktest_l2.py", 4, 1, "files of events", (1, 8, 33, 131)),
            Contender(
                "nautilus_trader", "nautilus_l2.py", 4, 1, "streamed, events not timed", (1, 8, 33)
            ),
        ),
        recorded=True,
    ),
    Work(
        "l2_maker",
        "The same recording, our market maker in Python quoting at each message",
        "events/s",
        (Contender("quantvista", "ours_l2_maker.py", 2, 1, "quotes, amends, fills"),),
        recorded=True,
    ),
    Work(
        "features",
        "52 features of 500 instruments, rows given at once",
        "values/s",
        (
            Contender("quantvista", "ours_features.py", 2_520, 300, "one call, two threads"),
            Contender("ta-lib", "talib_features.py", 2_520, 300, "a call a series, one thread"),
            Contender("polars-talib", "polars_talib_features.py", 2_520, 300, "one query"),
        ),
        target=52 * 500 * 2_520 / 0.25,
    ),
    Work(
        "features_stream",
        "The same features, row by row, with the bits of the whole run",
        "values/s",
        (Contender("quantvista", "ours_features_stream.py", 2_520, 300, "a call a row"),),
    ),
    Work(
        "import_csv",
        "A CSV file of bars into checked rows with three coordinates",
        "rows/s",
        (
            Contender("quantvista", "ours_import_csv.py", 2_000_000, 5_000, "bad rows set aside"),
            Contender("polars", "polars_import_csv.py", 2_000_000, 5_000, "reads, checks nothing"),
        ),
    ),
    Work(
        "import_parquet",
        "The same from Parquet",
        "rows/s",
        (
            Contender("quantvista", "ours_import_parquet.py", 2_000_000, 5_000, ""),
            Contender("polars", "polars_import_parquet.py", 2_000_000, 5_000, "reads only"),
        ),
    ),
    Work(
        "asof",
        "Bars beside a series of each of 500 instruments, as it was known",
        "bars/s",
        (
            Contender(
                "quantvista", "ours_asof.py", 2_000_000, 100_000, "by period and publication"
            ),
            Contender("polars", "polars_asof.py", 2_000_000, 100_000, "by publication alone"),
        ),
    ),
    Work(
        "minute_bars",
        "Bars of a minute from 100 million generated trades, given in pieces of a million",
        "ticks/s",
        (
            Contender("quantvista", "ours_minute_bars.py", 100_000_000, 200_000, "one thread"),
            Contender("polars", "polars_minute_bars.py", 100_000_000, 200_000, "pieces joined"),
        ),
    ),
    Work(
        "volume_bars",
        "Bars of 50,000 units from the same trades",
        "ticks/s",
        (Contender("quantvista", "ours_volume_bars.py", 100_000_000, 200_000, "one thread"),),
    ),
    Work(
        "decode",
        "Recorded messages of Binance from JSON to columns, one thread",
        "messages/s",
        (
            Contender("quantvista", "ours_decode.py", 4, 1, "every field checked"),
            Contender("msgspec", "msgspec_decode.py", 2, 1, "typed messages"),
        ),
        target=1e6,
        recorded=True,
    ),
    Work(
        "callbacks",
        "Python event strategy, three reads, an order per ten events",
        "callbacks/s",
        (
            Contender("quantvista", "ours_callbacks.py", 4_000, 20, ""),
            Contender("nautilus_trader", "nautilus_callbacks.py", 30, 4, ""),
        ),
        target=1e6,
    ),
    Work(
        "journal",
        "Journal, records of 120 bytes, a durable batch at every 10,000th",
        "records/s",
        (
            Contender("quantvista", "ours_journal.py", 10_000_000, 20_000, "the crate alone"),
            Contender(
                "write + fdatasync", "file_journal.py", 2_000_000, 20_000, "the bytes, no sums"
            ),
            Contender("sqlite", "sqlite_journal.py", 500_000, 20_000, "WAL, synchronous = FULL"),
        ),
        target=2e6,
    ),
    Work(
        "journal_encrypted",
        "The same, encrypted with AES-256-GCM",
        "records/s",
        (
            Contender("quantvista", "ours_journal_encrypted.py", 10_000_000, 20_000, "and read"),
            Contender("in the clear", "ours_journal.py", 10_000_000, 20_000, "the work above"),
        ),
    ),
    Work(
        "journal_python",
        "The same from Python, a call a record",
        "records/s",
        (Contender("quantvista", "ours_journal_python.py", 2_000_000, 20_000, ""),),
    ),
    Work(
        "journal_read",
        "A day's journal of ten million records opened and read from Python",
        "records/s",
        (
            Contender(
                "quantvista", "ours_journal_read.py", 10_000_000, 20_000, "every byte checked"
            ),
            Contender("sqlite", "sqlite_journal_read.py", 1_000_000, 20_000, "nothing checked"),
        ),
        target=1e6,
    ),
    Work(
        "node",
        "From a quote in the node's queue to its order on the wire, the journal durable",
        "orders/s",
        (
            Contender(
                "quantvista", "ours_node.py", 1_000, 50, "one at a time; p99 beside the commit"
            ),
        ),
        p99_target_ns=1_000_000,
    ),
    Work(
        "node_recovery",
        "A killed node: records behind its last snapshot, done again and compared",
        "records/s",
        (
            Contender(
                "quantvista", "ours_node_recovery.py", 100_000, 5_000, "an order at 100 quotes"
            ),
        ),
        target=1e6,
    ),
    Work(
        "node_day",
        "A killed node with a day of ten million records: a new process until it trades",
        "records/s",
        (Contender("quantvista", "ours_node_day.py", 10_000_000, 30_000, "snapshots as usual"),),
        target=1e6,
    ),
    Work(
        "restore",
        "A fund with a million records out of its backup, proved, until it trades",
        "records/s",
        (Contender("quantvista", "ours_restore.py", 1_000_000, 30_000, "all inputs done again"),),
        # A day of ten million in five minutes.
        target=10e6 / 300,
    ),
    Work(
        "demo", "Demo fund, compute: 20 stocks, 32 years, two sleeves", "cells/s", (_COMPUTE, _BT)
    ),
    Work(
        "command",
        "qv run --demo, whole process with imports",
        "cells/s",
        (_COMMAND, _BT),
        whole_process=True,
    ),
)
