"""``paper.toml``: which venues a server has, and what they are like."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from quantvista.data import DataSpec
from quantvista.data.events import EventSource, FlowTerms, load_events
from quantvista.engine import AccountTerms, FeeTier, Latency, VenueRates
from quantvista.errors import ConfigError
from quantvista.market import Instrument
from quantvista.trading.paper._source import FlowSource, MarketSource, Moving, TapeSource
from quantvista.trading.paper._terms import PaperAccount, VenueTerms

__all__ = ["DEFAULT", "PaperConfig", "VenueConfig", "load_config"]

DEFAULT = """\
version = 1

[[venue]]
id = "paper"
currency = "USDT"
fee_bps = 10
maker_bps = 8

[venue.accounts.main]
USDT = 100000
BTC = 1

[[venue.instrument]]
id = "BTC-USDT.PAPER"
kind = "pair"
base = "BTC"
tick_size = "0.1"
lot_size = "0.00001"
price = 50000
size = 100000

[[venue.instrument]]
id = "ETH-USDT.PAPER"
kind = "pair"
base = "ETH"
tick_size = "0.01"
lot_size = "0.0001"
price = 2500
size = 100000
"""
"""What a server has without a file of its own."""

_MS = 1_000_000


def _exact(value: object) -> object:
    return repr(value) if isinstance(value, float) else value


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("must be a number")
    return value


Number = Annotated[Decimal, BeforeValidator(_exact), AfterValidator(_finite)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InstrumentConfig(_Section):
    """``[[venue.instrument]]``: what is listed, and how it moves in a generated market."""

    id: str
    kind: Literal["equity", "etf", "pair", "spot", "perpetual"] = "spot"
    currency: str | None = None
    base: str = ""
    tick_size: Number = Decimal("0.01")
    lot_size: Number = Decimal(1)
    multiplier: int = 1
    margin_initial: Number | None = None
    margin_maintenance: Number | None = None
    shortable: Number = Decimal(0)
    matching: Literal["quotes", "trades", "l2"] = "quotes"
    price: Number | None = Field(None, gt=0)
    move_rate: float = Field(2.0, gt=0, le=1000)
    limit_rate: float = Field(10.0, gt=0, le=1000)
    market_rate: float = Field(2.0, gt=0, le=1000)
    cancel_rate: float = Field(0.1, ge=0, le=100)
    half_spread: int = Field(1, ge=1, le=1000)
    depth: float = Field(3.0, gt=0, le=1000)
    size: float = Field(10.0, gt=0, le=10**6)

    def declared(self, currency: str) -> dict[str, Any]:
        """Fields of an `Instrument`."""
        return {
            "currency": self.currency or currency,
            "kind": self.kind,
            "base": self.base,
            "tick_size": self.tick_size,
            "lot_size": self.lot_size,
            "price_precision": _decimals(self.tick_size),
            "quantity_precision": _decimals(self.lot_size),
            "multiplier": self.multiplier,
            "margin_initial": self.margin_initial,
            "margin_maintenance": self.margin_maintenance,
            "shortable": self.shortable,
            "matching": self.matching,
        }

    def moving(self) -> Moving:
        """How it moves."""
        if self.price is None:
            raise ConfigError(
                f"`price` must be there in a generated market; found none for instrument "
                f"'{self.id}'"
            )
        if self.matching == "trades":
            raise ConfigError(
                f"`matching` must be quotes or l2 in a generated market; found trades for "
                f"instrument '{self.id}'"
            )
        terms = FlowTerms(
            self.limit_rate,
            self.market_rate,
            self.cancel_rate,
            self.half_spread,
            self.depth,
            self.size,
        )
        return Moving(int(self.price / self.tick_size), self.move_rate, terms)


class FileConfig(_Section):
    """``[[venue.market.file]]``: a recording, as ``[[data.events]]`` of a fund file names it."""

    source: str
    format: str | None = None
    instrument: str | None = None
    columns: dict[str, str] = {}
    use: tuple[str, ...] = ("levels", "trades")
    set_aside: tuple[str, ...] = ()


class MarketConfig(_Section):
    """``[venue.market]``: recorded files at some pace; without files it is generated."""

    file: tuple[FileConfig, ...] = ()
    speed: float = Field(1.0, gt=0, le=100_000)
    repeat: bool = True
    round_prices: bool = False


class LatencyConfig(_Section):
    """``[venue.latency]``: until a command reaches the venue."""

    submit_ms: float = Field(0, ge=0, le=60_000)
    amend_ms: float = Field(0, ge=0, le=60_000)
    cancel_ms: float = Field(0, ge=0, le=60_000)
    jitter_ms: float = Field(0, ge=0, le=60_000)


class VenueConfig(_Section):
    """``[[venue]]``: one venue."""

    id: Slug
    currency: str = "USDT"
    account: Literal["cash", "margin"] = "cash"
    fee_bps: Number = Field(Decimal(0), ge=0, lt=10_000)
    maker_bps: Number | None = Field(None, gt=-10_000, lt=10_000)
    slippage_bps: Number = Field(Decimal(0), ge=0, lt=10_000)
    participation_max: Number | None = Field(None, gt=0, le=1)
    limit_fill: Literal["through", "touch"] = "through"
    latency: LatencyConfig = LatencyConfig()
    orders_per_second: int | None = Field(None, ge=1, le=1_000_000)
    requests_per_second: int | None = Field(None, ge=1, le=1_000_000)
    window_s: float = Field(5.0, gt=0, le=60)
    seed: int = Field(1, ge=0, lt=2**32)
    digits: dict[str, int] = {}
    prices: dict[str, Number] = {}
    accounts: dict[Slug, dict[str, Number]] = Field(min_length=1)
    instrument: tuple[InstrumentConfig, ...] = ()
    market: MarketConfig = MarketConfig()

    def build(self, base: Path) -> tuple[VenueTerms, MarketSource]:
        """Make the venue's terms and its market; paths start from ``base``."""
        declared = {each.id: each.declared(self.currency) for each in self.instrument}
        instruments: tuple[Instrument, ...]
        source: MarketSource
        if self.market.file:
            instruments, source = self._recorded(base, declared)
        else:
            made = (Instrument(name, **terms) for name, terms in declared.items())
            instruments = tuple(sorted(made, key=lambda each: each.id))
            moving = {each.id: each.moving() for each in self.instrument}
            source = FlowSource(instruments, moving, self.seed)
        terms = VenueTerms(
            self.id,
            self.currency,
            instruments,
            tuple(PaperAccount(name, tuple(of.items())) for name, of in self.accounts.items()),
            self._rates(),
            AccountTerms(kind=self.account),
            self.digits,
            self.prices,
            self.seed,
            self.orders_per_second,
            self.requests_per_second,
            int(self.window_s * 1e9),
        )
        return terms, source

    def _recorded(
        self, base: Path, declared: dict[str, dict[str, Any]]
    ) -> tuple[tuple[Instrument, ...], MarketSource]:
        files = tuple(
            EventSource(
                each.source,
                each.format,
                each.instrument,
                columns=each.columns,
                use=each.use,
                set_aside=each.set_aside,
            )
            for each in self.market.file
        )
        spec = DataSpec(
            events=files,
            declared=declared,
            currencies=self.digits,
            round_prices=self.market.round_prices,
        )
        data = load_events(
            spec, base=base, calendar="24/7", currency=self.currency, time_zone="UTC"
        )
        source = TapeSource(data.tape, speed=self.market.speed, repeat=self.market.repeat)
        return data.instruments, source

    def _rates(self) -> VenueRates:
        taker = _e9(self.fee_bps)
        maker = taker if self.maker_bps is None else _e9(self.maker_bps)
        wait = self.latency
        share = self.participation_max
        return VenueRates(
            id=self.id,
            slippage=_e9(self.slippage_bps),
            limit_fill=self.limit_fill,
            participation_max=None if share is None else int(share.scaleb(9)),
            tiers=(FeeTier(0, maker, taker),),
            latency=Latency(
                int(wait.submit_ms * _MS),
                int(wait.amend_ms * _MS),
                int(wait.cancel_ms * _MS),
                int(wait.jitter_ms * _MS),
            ),
        )


class PaperConfig(_Section):
    """A server: its address, where it keeps everything, and its venues."""

    version: Literal[1] = 1
    folder: str = "paper"
    host: str = "127.0.0.1"
    port: int = Field(8710, ge=0, le=65_535)
    encrypted: bool = False
    key_ring: str | None = Field(None, min_length=1)
    venue: tuple[VenueConfig, ...] = Field(min_length=1)


def load_config(path: Path | None) -> tuple[PaperConfig, Path]:
    """Read a configuration.

    Parameters
    ----------
    path : pathlib.Path or None
        The file; None for the built-in one.

    Returns
    -------
    (PaperConfig, pathlib.Path)
        And the folder from which its paths start.

    Raises
    ------
    ConfigError
        If it is not there, or not as it must be.
    """
    name = "paper.toml" if path is None else str(path)
    try:
        text = DEFAULT if path is None else path.read_text("utf-8")
        config = PaperConfig.model_validate(tomllib.loads(text))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"`config` must be a readable file; found {reason}: {name}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: not valid TOML: {error}") from None
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(name, error))) from None
    ids = [each.id for each in config.venue]
    if len(set(ids)) < len(ids):
        raise ConfigError(f"{name}: `venue.id` must differ; found {', '.join(ids)}")
    return config, Path() if path is None else path.absolute().parent


def _explain(name: str, error: ValidationError) -> list[str]:
    lines = []
    for each in error.errors(include_url=False):
        where = ".".join(str(part) for part in each["loc"])
        if each["type"] == "extra_forbidden":
            lines.append(f"{name}: `{where}` is not known")
        else:
            rule = each["msg"].removeprefix("Value error, ")
            lines.append(f"{name}: `{where}`: {rule}; found {str(each['input'])[:60]!r}")
    return lines


def _e9(bps: Decimal) -> int:
    return int(bps.scaleb(5))


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
