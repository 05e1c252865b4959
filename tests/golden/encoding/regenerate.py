"""The golden corpus of encoded records: ``python tests/golden/encoding/regenerate.py`` writes it.

One small fund lives through a few days, in which every kind of input and of output occurs. Each
file holds a record as JSON and its bytes in hexadecimal. Files of an old format version are never
written again: what was once encoded must be decoded for ever.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantvista.engine import FORMAT_VERSION, RawEngine
from support.engine_records import engine_config, to_engine

HERE = Path(__file__).parent
CURRENT = HERE / f"v{FORMAT_VERSION}"

DAY = 86_400 * 10**9
START = 19_723 * DAY
"""2024-01-01."""
MONEY = 10**12

type Record = dict[str, Any]


def _instrument(name: str, sector: str, *, close_only: bool) -> Record:
    return {
        "id": name,
        "price_precision": 2,
        "quantity_precision": 0,
        "tick_size": 1,
        "lot_size": 1,
        "multiplier": 1,
        "sector": sector,
        "effective_from": START,
        "effective_to": None,
        "close_only": close_only,
    }


CONFIG: Record = {
    "semantics": 2,
    "fund": "golden",
    "currency_precision": 2,
    "sleeves": ["one", "two"],
    "cash": [10_000 * MONEY, 20_000 * MONEY],
    "instruments": [
        _instrument("BANK.XSIM", "Financials", close_only=False),
        _instrument("MINE.XSIM", "Materials", close_only=True),
    ],
    "venue": {
        "fee_rate": 100_000,
        "slippage": 200_000,
        "limit_fill": "through",
        "participation_max": None,
        "on_close_cutoff_ns": 600 * 10**9,
    },
    "limits": {
        "price_band": 250_000_000,
        "fat_finger_quantity": 1_000,
        "fat_finger_notional": None,
        "position_max": None,
        "weight_max": 600_000_000,
        "sector_max": None,
        "gross_max": None,
    },
}


@dataclass(frozen=True)
class Entry:
    """One file of the corpus."""

    name: str
    record: Record
    encoded: bytes

    @property
    def text(self) -> str:
        """Content of the file."""
        data = self.encoded.hex()
        lines = [data[start : start + 64] for start in range(0, len(data), 64)]
        return json.dumps(self.record, indent=2) + "\n\n" + "\n".join(lines) + "\n"


def read(path: Path) -> Entry:
    """Read a file of the corpus."""
    record, _, data = path.read_text(encoding="utf-8").partition("\n\n")
    return Entry(path.stem, json.loads(record), bytes.fromhex(data))


def scenario() -> list[tuple[str, Record]]:
    """Inputs in order; each name occurs once in the corpus, unnamed ones only happen."""
    inputs: list[tuple[str, Record]] = []

    def add(day: int, type_: str, name: str = "", **fields: object) -> None:
        record = {
            "type": type_,
            "ts": START + day * DAY,
            "ts_event": START + day * DAY - 1_000,
            "source": 0,
            "sequence": len(inputs),
        }
        inputs.append((name, record | fields))

    def bars(day: int, bank: int, mine: int, *, named: bool = False) -> None:
        ohlc: Record = {"open": bank - 5, "high": bank + 20, "low": bank - 30, "close": bank}
        add(day, "bar", "bar" * named, instrument=0, **ohlc, volume=9_000)
        closes: Record = {"open": None, "high": None, "low": None, "close": mine, "volume": None}
        add(day, "bar", "bar_close_only" * named, instrument=1, **closes)
        add(day, "barrier", "barrier" * named, session_start=True, session_end=True)

    def order(day: int, sleeve: int, side: str, quantity: int, name: str = "", **more: Any) -> None:  # noqa: ANN401
        fields: Record = {
            "instrument": 0,
            "order_type": "market",
            "tif": "day",
            "limit_price": None,
        }
        terms = {"sleeve": sleeve, "side": side, "quantity": quantity}
        add(day, "submit_order", name, **fields | terms | more)

    bars(1, 10_000, 5_000, named=True)
    targets = [(0, 300_000_000), (1, 900_000_000)]  # the second is cut
    add(1, "target_portfolio", "target_portfolio", sleeve=0, targets=targets)
    limit = {"order_type": "limit", "tif": "gtc", "limit_price": 9_900}
    order(1, 1, "buy", 10, "submit_order_limit", **limit)
    bars(2, 10_100, 5_100)
    order(2, 0, "sell", 10, "submit_order")
    order(2, 1, "buy", 10)  # crosses with the sale
    order(2, 1, "buy", 2_000)  # rejected
    add(2, "cancel_order", "cancel_order", order_id=3)
    add(2, "cancel_order", order_id=3)  # nothing left to cancel
    add(2, "activate_semantics", "activate_semantics", number=2)
    bars(3, 10_200, 5_050)
    order(3, 1, "buy", 5, order_type="limit", limit_price=9_000)  # expires
    add(4, "bar_missing", "bar_missing", instrument=1)
    last: Record = {"open": 10_150, "high": 10_180, "low": 10_000, "close": 10_000, "volume": None}
    add(4, "bar", instrument=0, **last)
    add(4, "barrier", session_start=True, session_end=True)
    order(4, 1, "buy", 1, tif="gtc")  # works in the snapshot
    add(5, "instrument_ended", "instrument_ended", instrument=1)
    jump: Record = {"open": 14_000, "high": 14_100, "low": 13_900, "close": 14_000, "volume": None}
    add(5, "bar", instrument=0, **jump)
    add(5, "barrier", session_start=True, session_end=True)  # the jump is beyond the price band
    add(6, "bar", instrument=0, **jump)  # waits in the snapshot for its barrier
    return inputs


def corpus() -> list[Entry]:
    """Every entry in the current format."""
    engine, entries, seen = RawEngine(engine_config(CONFIG)), [], set[str]()
    for name, record in scenario():
        encoded = RawEngine.encode_input(to_engine(record))
        if name:
            entries.append(Entry(f"input_{name}", RawEngine.decode_input(encoded), encoded))
        for output in engine.apply_encoded(encoded):
            decoded = RawEngine.decode_output(output)
            ((type_, body),) = decoded.items()
            named = {"verdict": "outcome", "order_filled": "kind"}.get(type_)
            kind = body[named] if named else ""
            title = f"output_{type_}" + (f"_{kind}" if kind else "")
            if title not in seen:
                seen.add(title)
                entries.append(Entry(title, decoded, output))
    entries.append(Entry("snapshot", state_of(engine), engine.snapshot()))
    return entries


def state_of(engine: RawEngine) -> Record:
    """What a restored engine must know."""
    return {
        "type": "snapshot",
        "state_hash": engine.state_hash(),
        "equity": engine.equity(),
        "cash": [engine.cash(sleeve) for sleeve in range(2)],
        "positions": [
            [engine.position(sleeve, index) for index in range(2)] for sleeve in range(2)
        ],
    }


def main() -> None:
    """Write the files of the current format version."""
    CURRENT.mkdir(exist_ok=True)
    entries = corpus()
    for path in CURRENT.glob("*.txt"):
        path.unlink()
    for entry in entries:
        (CURRENT / f"{entry.name}.txt").write_text(entry.text, encoding="utf-8")
    print(f"wrote {len(entries)} files to {CURRENT.relative_to(HERE.parents[2])}")


if __name__ == "__main__":
    main()
