"""From a fund file to a validated fund."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from quantvista.data import LAKE, MarketData, has_lake_actions, lake_folder, load
from quantvista.data.events import EventData, load_events
from quantvista.errors import ConfigError
from quantvista.fund._model import Fund
from quantvista.fund._problems import explain
from quantvista.keyring import use_ring

__all__ = ["LoadedFund", "load_fund"]

_DATE = re.compile(r"\s*([\w-]+)\s*=\s*(\d+[-/.]\d+[-/.]\d+)\s*(?:#.*)?$")
_SIZE_MAX = 1 << 20  # a fund file is a page of text


@dataclass(frozen=True, slots=True)
class LoadedFund:
    """A fund, and where it came from.

    Parameters
    ----------
    fund : Fund
        Validated.
    base : pathlib.Path
        Folder that relative paths in it start from.
    path : pathlib.Path or None
        The file, if there is one.
    """

    fund: Fund
    base: Path
    path: Path | None = None

    def must_encrypt(self) -> bool:
        """Say whether its journals must be encrypted, and name its key ring if none is named.

        Returns
        -------
        bool
            As ``[storage]`` has it.
        """
        self.name_ring()
        return self.fund.storage is not None and self.fund.storage.encrypted

    def name_ring(self) -> None:
        """Name the key ring of ``[storage]``, if there is one and none is named: lakes need it."""
        storage = self.fund.storage
        if storage is not None and storage.key_ring is not None:
            use_ring(self.base / Path(storage.key_ring).expanduser())

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files and folders that a run of this fund reads."""
        found = [] if self.path is None else [self.path]
        data = self.fund.data
        named = [data.source, data.actions_file, data.universe, *data.factors.values()]
        named += [each.source for each in data.events]
        for source in named:
            if source is not None and source.startswith(LAKE):
                found.append(lake_folder(source, self.base))
            elif source is not None and not source.startswith(("sample:", "generated:")):
                found.append(self.base / Path(source).expanduser())
        for sleeve in self.fund.sleeve:
            file = sleeve.strategy.rpartition(":")[0] if isinstance(sleeve.strategy, str) else ""
            if file:
                found.append(self.base / file)
        return tuple(found)

    @property
    def needs_events(self) -> bool:
        """Whether a run needs more than bars, such as the corporate actions of its dataset."""
        self.name_ring()
        source = self.fund.data.source or ""
        return self.fund.needs_events or has_lake_actions(source, self.base)

    def market_data(self) -> MarketData:
        """Load the prices that the fund names.

        Raises
        ------
        MarketDataError
            If they are missing, malformed or contradict themselves.
        ConfigError
            If the fund asks for something that they do not have.
        """
        self.name_ring()
        return load(
            self.fund.data_spec(),
            base=self.base,
            calendar=self.fund.fund.calendar,
            currency=self.fund.fund.currency,
            sectors_required=self.fund.risk.sector_max is not None,
        )

    def event_data(self) -> EventData:
        """Load the prices, events and corporate actions that the fund names.

        Raises
        ------
        MarketDataError
            If they are missing, malformed or contradict themselves.
        ConfigError
            If the fund asks for something that they do not have.
        """
        self.name_ring()
        fund = self.fund
        return load_events(
            fund.data_spec(),
            base=self.base,
            calendar=fund.fund.calendar,
            currency=fund.fund.currency,
            time_zone=fund.fund.time_zone,
            sectors_required=fund.risk.sector_max is not None,
        )


def load_fund(
    source: str | PathLike[str] | Mapping[str, Any] | Fund | LoadedFund,
    *,
    base: str | PathLike[str] | None = None,
) -> LoadedFund:
    """Read and validate a fund.

    Parameters
    ----------
    source : path, mapping, Fund or LoadedFund
        A TOML file, or in Python what such a file holds.
    base : path, optional
        Folder that relative paths in it start from; default: the file's, else the working one.

    Returns
    -------
    LoadedFund
        The fund with its folder.

    Raises
    ------
    ConfigError
        If it cannot be read or is not valid; one line for every problem.
    """
    if isinstance(source, LoadedFund):
        return source
    folder = Path(base).absolute() if base is not None else Path.cwd()
    if isinstance(source, Fund):
        return LoadedFund(source, folder)
    if isinstance(source, Mapping):
        return LoadedFund(_validate(dict(source), "", ""), folder)
    if not isinstance(source, str | PathLike):
        kind = type(source).__name__
        raise ConfigError(f"`fund` must be a path, a mapping or a Fund; found {kind}")
    path = Path(source)
    text = _read(path)
    try:
        # Decimals stay as written; a float would turn 0.1 into something else.
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
        line, reason = (f":{found[2]}", found[1]) if found else ("", str(error))
        if found and (date := _DATE.match(text.splitlines()[int(found[2]) - 1])):
            rule = "must be an ISO date such as 2024-01-31"
            raise ConfigError(f"{path}{line}: `{date[1]}` {rule}; found {date[2]}") from None
        raise ConfigError(f"{path}{line}: not valid TOML: {reason}") from None
    except (RecursionError, ArithmeticError):
        raise ConfigError(f"{path}: not a fund file: it is nested too deeply") from None
    except ValueError as error:  # such as a whole number of thousands of digits
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    folder = folder if base is not None else path.absolute().parent
    return LoadedFund(_validate(content, str(path), text), folder, path.absolute())


def _validate(content: Mapping[str, Any], where: str, text: str) -> Fund:
    try:
        return Fund.model_validate(content)
    except ValidationError as error:
        raise ConfigError(explain(error, where, text)) from None


def _read(path: Path) -> str:
    if "\0" in str(path):
        raise ConfigError(f"`fund` must be a path; found {str(path)!r}")
    try:
        if path.is_dir():
            inside = path / "fund.toml"
            hint = f"; did you mean {inside}?" if inside.is_file() else ""
            raise ConfigError(f"`fund` must be a file; found the folder {path}{hint}")
        if not path.exists():
            raise ConfigError(f"`fund` must exist; found no file {path}{_similar(path)}")
        with path.open("rb") as file:
            content = file.read(_SIZE_MAX + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"`fund` must be readable; found {reason}: {path}") from None
    if len(content) > _SIZE_MAX:
        raise ConfigError(f"`fund` must be a TOML file below 1 MB; found more: {path}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"found byte 0x{content[error.start]:02x}"
        raise ConfigError(f"{path}:{line}: must be UTF-8 text; {found}") from None


def _similar(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.glob("*.toml")]
    except OSError:
        names = []
    close = difflib.get_close_matches(path.name, names, n=1)
    if close:
        return f"; did you mean {path.parent / close[0]}?"
    return "; `qv init` makes one"
