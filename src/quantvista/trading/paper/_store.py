"""Where a venue keeps what it has acknowledged."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from quantvista.durable import sync_folder
from quantvista.keyring import Ring
from quantvista.trading.paper._database import damaged, is_damage, open_database

__all__ = ["Batch", "MemoryStore", "SQLiteStore", "Store"]


@dataclass(slots=True)
class Batch:
    """What becomes durable together, or not at all.

    ``reports`` are (account, number, trade id or None, text); ``orders`` (account, client id) to
    text; ``clients`` the terms by (account, client id), each written once; ``snapshot`` replaces
    all records so far, those of this batch included.
    """

    records: list[bytes] = field(default_factory=list)
    reports: list[tuple[int, int, str | None, str]] = field(default_factory=list)
    orders: dict[tuple[int, str], str] = field(default_factory=dict)
    clients: dict[tuple[int, str], str] = field(default_factory=dict)
    busted: list[tuple[int, str]] = field(default_factory=list)
    snapshot: bytes | None = None

    def __bool__(self) -> bool:
        return bool(self.records) or self.snapshot is not None


class Store(Protocol):
    """A durable place; questions see what was committed and nothing else."""

    def load(self) -> tuple[bytes | None, list[bytes]]:
        """Read the last snapshot and the records since."""
        ...

    def commit(self, batch: Batch) -> None:
        """Make a batch durable; an exception means that nobody knows, and that all must stop."""
        ...

    def terms(self, account: int, client: str) -> str | None:
        """Find the terms that a client id was used for."""
        ...

    def order(self, account: int, client: str) -> str | None:
        """Find an order."""
        ...

    def reports(self, account: int, after: int, limit: int) -> list[tuple[int, str]]:
        """Read reports after a number."""
        ...

    def fills(self, account: int, after: int, limit: int) -> list[tuple[int, str]]:
        """Read fills after a report's number."""
        ...

    def fill(self, account: int, trade_id: str) -> str | None:
        """Find a fill."""
        ...

    def is_busted(self, account: int, trade_id: str) -> bool:
        """Say whether a fill was undone."""
        ...

    def last(self, account: int) -> int:
        """Say the number of the last report."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class MemoryStore:
    """A store that is durable as long as the object lives, for simulations and tests."""

    def __init__(self) -> None:
        self._snapshot: bytes | None = None
        self._records: list[bytes] = []
        self._reports: dict[int, list[tuple[str | None, str]]] = {}
        self._orders: dict[tuple[int, str], str] = {}
        self._clients: dict[tuple[int, str], str] = {}
        self._trades: dict[tuple[int, str], str] = {}
        self._busted: set[tuple[int, str]] = set()

    def load(self) -> tuple[bytes | None, list[bytes]]:
        """Read the last snapshot and the records since."""
        return self._snapshot, list(self._records)

    def commit(self, batch: Batch) -> None:
        """Make a batch durable."""
        self._records += batch.records
        for account, number, trade_id, text in batch.reports:
            of = self._reports.setdefault(account, [])
            assert number == len(of) + 1, "reports must be numbered without gaps"
            of.append((trade_id, text))
            if trade_id is not None:
                self._trades[account, trade_id] = text
        self._orders |= batch.orders
        self._clients |= batch.clients
        self._busted |= set(batch.busted)
        if batch.snapshot is not None:
            self._snapshot = batch.snapshot
            self._records.clear()

    def terms(self, account: int, client: str) -> str | None:
        """Find the terms that a client id was used for."""
        return self._clients.get((account, client))

    def order(self, account: int, client: str) -> str | None:
        """Find an order."""
        return self._orders.get((account, client))

    def reports(self, account: int, after: int, limit: int) -> list[tuple[int, str]]:
        """Read reports after a number."""
        found = self._reports.get(account, [])[after : after + limit]
        return [(after + place, text) for place, (_, text) in enumerate(found, 1)]

    def fills(self, account: int, after: int, limit: int) -> list[tuple[int, str]]:
        """Read fills after a report's number."""
        return list(self._fills(account, after))[:limit]

    def _fills(self, account: int, after: int) -> Iterator[tuple[int, str]]:
        rows = self._reports.get(account, [])
        for number in range(after + 1, len(rows) + 1):
            trade_id, text = rows[number - 1]
            if trade_id is not None:
                yield number, text

    def fill(self, account: int, trade_id: str) -> str | None:
        """Find a fill."""
        return self._trades.get((account, trade_id))

    def is_busted(self, account: int, trade_id: str) -> bool:
        """Say whether a fill was undone."""
        return (account, trade_id) in self._busted

    def last(self, account: int) -> int:
        """Say the number of the last report."""
        return len(self._reports.get(account, []))

    def close(self) -> None:
        """Keep everything."""

    def copy(self) -> "MemoryStore":
        """Make another one that has what this has now, as a backup does."""
        found = MemoryStore()
        found._snapshot, found._records = self._snapshot, list(self._records)
        found._reports = {account: list(each) for account, each in self._reports.items()}
        found._orders, found._clients = dict(self._orders), dict(self._clients)
        found._trades, found._busted = dict(self._trades), set(self._busted)
        return found


_SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshot (one INTEGER PRIMARY KEY CHECK (one = 1), state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS reports (
  account INTEGER NOT NULL, number INTEGER NOT NULL, trade_id TEXT, report TEXT NOT NULL,
  PRIMARY KEY (account, number)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS trades ON reports (account, trade_id)
  WHERE trade_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS fills ON reports (account, number) WHERE trade_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS orders (
  account INTEGER NOT NULL, client TEXT NOT NULL, terms TEXT, state TEXT,
  PRIMARY KEY (account, client)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS busted (
  account INTEGER NOT NULL, trade_id TEXT NOT NULL, PRIMARY KEY (account, trade_id)) WITHOUT ROWID;
"""


class SQLiteStore:
    """A store in one file, synced at each commit.

    Parameters
    ----------
    path : pathlib.Path
        The file; made with its folder if it is not there. One process may have it at a time.
    ring : Ring or None
        Keys, if it is encrypted: the newest encrypts, also what had an older one.

    Raises
    ------
    ConfigError
        If it is empty or damaged, no key fits, it is in the clear and must not be, or SQLCipher is
        not installed.
    """

    def __init__(self, path: Path, ring: Ring | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path, ring)
        self._path, self._db = path, open_database(path, ring)
        self._undamaged(self._begin)

    def _begin(self) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "locking_mode=EXCLUSIVE"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._db.executescript(_SCHEMA)

    def load(self) -> tuple[bytes | None, list[bytes]]:
        """Read the last snapshot and the records since.

        Raises
        ------
        ConfigError
            If it is damaged.
        """
        return self._undamaged(self._load)

    def _load(self) -> tuple[bytes | None, list[bytes]]:
        found = self._db.execute("SELECT state FROM snapshot").fetchone()
        rows = self._db.execute("SELECT record FROM records ORDER BY number").fetchall()
        return (found[0] if found else None), [row[0] for row in rows]

    def _undamaged[T](self, read: Callable[[], T]) -> T:
        try:
            return read()
        except self._db.DatabaseError as error:
            if is_damage(self._db, error):
                raise damaged(self._path, error) from None
            raise

    def commit(self, batch: Batch) -> None:
        """Make a batch durable."""
        run, many = self._db.execute, self._db.executemany
        run("BEGIN IMMEDIATE")
        many("INSERT INTO records (record) VALUES (?)", [(record,) for record in batch.records])
        many("INSERT INTO reports VALUES (?, ?, ?, ?)", batch.reports)
        many(
            "INSERT INTO orders (account, client, terms) VALUES (?, ?, ?)",
            [(*key, terms) for key, terms in batch.clients.items()],
        )
        many(
            "INSERT INTO orders (account, client, state) VALUES (?, ?, ?) "
            "ON CONFLICT (account, client) DO UPDATE SET state = excluded.state",
            [(*key, state) for key, state in batch.orders.items()],
        )
        many("INSERT INTO busted VALUES (?, ?)", batch.busted)
        if batch.snapshot is not None:
            run("INSERT OR REPLACE INTO snapshot VALUES (1, ?)", (batch.snapshot,))
            run("DELETE FROM records")
        run("COMMIT")

    def terms(self, account: int, client: str) -> str | None:
        """Find the terms that a client id was used for."""
        return self._one(
            "SELECT terms FROM orders WHERE account = ? AND client = ?", account, client
        )

    def order(self, account: int, client: str) -> str | None:
        """Find an order."""
        return self._one(
            "SELECT state FROM orders WHERE account = ? AND client = ?", account, client
        )

    def reports(self, account: int, after: int, limit: int) -> list[tuple[int, str]]:
        """Read reports after a number."""
        sql = "SELECT number, report FROM reports WHERE account = ? AND number > ? "
        return self._db.execute(sql + "ORDER BY number LIMIT ?", (account, after, limit)).fetchall()

    def fills(self, account: int, after: int, limit: int) -> list[tuple[int, str]]:
        """Read fills after a report's number."""
        sql = (
            "SELECT number, report FROM reports WHERE account = ? AND number > ? "
            "AND trade_id IS NOT NULL ORDER BY number LIMIT ?"
        )
        return self._db.execute(sql, (account, after, limit)).fetchall()

    def fill(self, account: int, trade_id: str) -> str | None:
        """Find a fill."""
        sql = "SELECT report FROM reports WHERE account = ? AND trade_id = ?"
        return self._one(sql, account, trade_id)

    def is_busted(self, account: int, trade_id: str) -> bool:
        """Say whether a fill was undone."""
        sql = "SELECT trade_id FROM busted WHERE account = ? AND trade_id = ?"
        return self._one(sql, account, trade_id) is not None

    def last(self, account: int) -> int:
        """Say the number of the last report."""
        sql = "SELECT max(number) FROM reports WHERE account = ?"
        found = self._db.execute(sql, (account,)).fetchone()
        return int(found[0] or 0)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _one(self, sql: str, account: int, key: str) -> str | None:
        found = self._db.execute(sql, (account, key)).fetchone()
        return found[0] if found else None


def _make(path: Path, ring: Ring | None) -> None:
    """Make one that has its tables by the time it has its name, so that none is ever empty."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with closing(open_database(beside, ring)) as db:
        db.execute("PRAGMA synchronous=FULL").fetchall()
        db.executescript(_SCHEMA)
    beside.replace(path)
    sync_folder(path.parent)
