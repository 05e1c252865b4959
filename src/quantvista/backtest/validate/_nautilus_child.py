"""Runs sessions through NautilusTrader; started in its environment, never imported by ours.

The first argument names a JSON file, a list of sessions as ``given`` in ``_nautilus.py`` writes
them; without it they come by standard input, one a line. For each one a line of JSON goes to
standard output as soon as it is done. Nothing here imports QuantVista: the environment that this
runs in does not have it.
"""

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import nautilus_trader
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.data import (
    Bar,
    BarType,
    BookOrder,
    OrderBookDelta,
    OrderBookDeltas,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    ContingencyType,
    OmsType,
    OrderSide,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    OrderListId,
    Symbol,
    TradeId,
    Venue,
)
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair, Equity
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.model.orders import (
    LimitIfTouchedOrder,
    LimitOrder,
    MarketIfTouchedOrder,
    MarketOrder,
    OrderList,
    StopLimitOrder,
    StopMarketOrder,
    TrailingStopMarketOrder,
)
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
MORE = 128  # flag of a book row: more rows of the same message follow
AMPLE = 1_000_000_000  # whole units: the size of prints whose size must never matter
CLASSES = {
    "market": MarketOrder,
    "limit": LimitOrder,
    "stop": StopMarketOrder,
    "stop_limit": StopLimitOrder,
    "market_if_touched": MarketIfTouchedOrder,
    "limit_if_touched": LimitIfTouchedOrder,
    "trailing_stop": TrailingStopMarketOrder,
}
LIFETIMES = {
    "gtc": TimeInForce.GTC,
    "day": TimeInForce.DAY,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "gtd": TimeInForce.GTD,
}


class Market:
    """An instrument of a session, in both systems' words."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.price_digits: int = entry["price_precision"]
        self.quantity_digits: int = entry["quantity_precision"]
        self.id = InstrumentId(Symbol(entry["symbol"]), VENUE)
        self.base = entry["base"]
        self.bar_type = BarType.from_str(f"{self.id}-1-MINUTE-LAST-EXTERNAL")
        common = {
            "instrument_id": self.id,
            "raw_symbol": self.id.symbol,
            "price_precision": self.price_digits,
            "price_increment": self.price(entry["tick_size"]),
            "maker_fee": Decimal(entry["maker_fee"]),
            "taker_fee": Decimal(entry["taker_fee"]),
            "ts_event": 0,
            "ts_init": 0,
        }
        quote = Currency.from_str(entry["quote"])
        if entry["kind"] == "equity":
            lot = self.quantity(entry["lot_size"])
            self.instrument = Equity(currency=quote, lot_size=lot, **common)
            return
        common |= {
            "base_currency": Currency.from_str(self.base),
            "quote_currency": quote,
            "size_precision": self.quantity_digits,
            "size_increment": self.quantity(entry["lot_size"]),
        }
        if entry["kind"] == "perpetual":
            self.instrument = CryptoPerpetual(settlement_currency=quote, is_inverse=False, **common)
        else:
            self.instrument = CurrencyPair(**common)

    def price(self, units: int) -> Price:
        """Make a price of units of the last digit."""
        return Price(Decimal(units).scaleb(-self.price_digits), self.price_digits)

    def quantity(self, units: int) -> Quantity:
        """Make a quantity of units of the last digit."""
        return Quantity(Decimal(units).scaleb(-self.quantity_digits), self.quantity_digits)

    def units(self, value: Price | Quantity) -> int:
        """Read the units of a price or a quantity."""
        return int(value.as_decimal().scaleb(value.precision))


class Sender(Strategy):
    """Sends the given orders at their times and writes down what came of them."""

    def setup(self, session: dict[str, Any], markets: list[Market]) -> None:
        """Take the session; called once before the run."""
        self.session = session
        self.markets = markets
        self.sent: dict[int, Any] = {}
        self.fills: list[list[Any]] = []
        self.ends: dict[int, list[Any]] = {}
        self.marks: list[dict[str, Any]] = []

    def on_start(self) -> None:
        """Set a timer for every command and every look at the account."""
        for index, command in enumerate(self.session["commands"]):
            self._at(f"{index:06d}", command["ts"], self._doer(command))
        for index, mark in enumerate(self.session["marks"]):
            self._at(f"mark{index}", mark["ts"], self._looker(mark))

    def _at(self, name: str, ts: int, call: Callable[[Any], None]) -> None:
        self.clock.set_time_alert_ns(name, ts, call)

    def _doer(self, command: dict[str, Any]) -> Callable[[Any], None]:
        def do(_event: object) -> None:
            match command["do"]:
                case "submit":
                    self.submit_order(self._order(command["order"]))
                case "group":
                    self._group(command)
                case "cancel":
                    self._cancel(command["id"])
                case "amend":
                    self._amend(command)

        return do

    def _cancel(self, number: int) -> None:
        order = self.sent[number]
        if not order.is_closed:
            self.cancel_order(order)

    def _amend(self, command: dict[str, Any]) -> None:
        order = self.sent[command["id"]]
        market = self.markets[command["instrument"]]
        if order.is_closed:
            return
        quantity, limit, trigger = command["quantity"], command["limit"], command["trigger"]
        self.modify_order(
            order,
            None if quantity is None else market.quantity(quantity),
            None if limit is None else market.price(limit),
            None if trigger is None else market.price(trigger),
        )

    def _group(self, command: dict[str, Any]) -> None:
        """Send a bracket (entry, then linked exits) or a linked pair as one list."""
        orders = command["orders"]
        list_id = OrderListId(f"L-{orders[0]['id']}")
        ids = [self._client_id(each) for each in orders]
        exits = ids[1:] if command["kind"] == "bracket" else ids
        made = []
        for place, each in enumerate(orders):
            links: dict[str, Any] = {"order_list_id": list_id}
            if command["kind"] == "bracket" and place == 0:
                links |= {"contingency_type": ContingencyType.OTO, "linked_order_ids": exits}
            else:
                others = [other for other in exits if other != ids[place]]
                links |= {"contingency_type": ContingencyType.OUO, "linked_order_ids": others}
                if command["kind"] == "bracket":
                    links["parent_order_id"] = ids[0]
            made.append(self._order(each, links))
        self.submit_order_list(OrderList(list_id, made))

    def _client_id(self, entry: dict[str, Any]) -> ClientOrderId:
        return ClientOrderId(f"O-{entry['id']}")

    def _order(self, entry: dict[str, Any], links: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - one class of many
        market = self.markets[entry["instrument"]]
        kind = entry["type"]
        values: dict[str, Any] = {
            "trader_id": self.trader_id,
            "strategy_id": self.id,
            "instrument_id": market.id,
            "client_order_id": self._client_id(entry),
            "order_side": OrderSide.BUY if entry["side"] == "buy" else OrderSide.SELL,
            "quantity": market.quantity(entry["quantity"]),
            "init_id": UUID4(),
            "ts_init": self.clock.timestamp_ns(),
            "time_in_force": LIFETIMES[entry["tif"]],
            "reduce_only": entry["reduce_only"],
            **(links or {}),
        }
        if kind != "market" and entry["tif"] == "gtd":
            values["expire_time_ns"] = entry["expires"]
        if entry["limit"] is not None:
            values["price"] = market.price(entry["limit"])
            values["post_only"] = entry["post_only"]
        if kind not in ("market", "limit"):
            values["trigger_type"] = TriggerType.DEFAULT
            trigger = entry["trigger"]
            values["trigger_price"] = None if trigger is None else market.price(trigger)
        if kind == "trailing_stop":
            if entry["trail_unit"] == "price":
                offset = Decimal(entry["trail"]).scaleb(-market.price_digits)
                unit = TrailingOffsetType.PRICE
            else:
                offset, unit = Decimal(entry["trail"]), TrailingOffsetType.BASIS_POINTS
            values |= {"trailing_offset": offset, "trailing_offset_type": unit}
        order = CLASSES[kind](**values)
        self.sent[entry["id"]] = order
        return order

    def _looker(self, mark: dict[str, Any]) -> Callable[[Any], None]:
        def look(_event: object) -> None:
            account = self.cache.account_for_venue(VENUE)
            held = []
            for market, price in zip(self.markets, mark["prices"], strict=True):
                quantity, gain = Decimal(0), Decimal(0)
                for position in self.cache.positions_open(instrument_id=market.id):
                    quantity += position.signed_decimal_qty()
                    gain += position.unrealized_pnl(market.price(price)).as_decimal()
                held.append([str(quantity), str(gain)])
            balances = {
                str(currency): str(money.as_decimal())
                for currency, money in account.balances_total().items()
            }
            self.marks.append({"ts": mark["ts"], "balances": balances, "positions": held})

        return look

    def on_order_filled(self, event: Any) -> None:  # noqa: ANN401 - the package ships no types
        """Write a fill down."""
        number = int(event.client_order_id.value[2:])
        market = next(each for each in self.markets if each.id == event.instrument_id)
        self.fills.append(
            [
                event.ts_event,
                number,
                "buy" if event.order_side == OrderSide.BUY else "sell",
                market.units(event.last_qty),
                market.units(event.last_px),
                str(event.commission.as_decimal()),
                "maker" if event.liquidity_side.name == "MAKER" else "taker",
            ]
        )

    def on_order_event(self, event: Any) -> None:  # noqa: ANN401 - the package ships no types
        """Write down how an order ended, other than by fills, and refused amendments."""
        names = {
            "OrderRejected": "rejected",
            "OrderDenied": "rejected",
            "OrderCanceled": "cancelled",
            "OrderExpired": "expired",
        }
        name = names.get(type(event).__name__)
        if name is not None:
            number = int(event.client_order_id.value[2:])
            self.ends[number] = [event.ts_event, name, getattr(event, "reason", "")]


def rows(session: dict[str, Any], markets: list[Market]) -> list[Any]:
    """Turn the session's tape into NautilusTrader's data."""
    made: list[Any] = []
    pending: list[OrderBookDelta] = []
    for number, (ts, kind, flag, index, a, b, c, d, e) in enumerate(session["tape"]):
        market = markets[index]
        if kind == "quote":
            prices, sizes = (market.price(a), market.price(c)), (b, d)
            made.append(QuoteTick(market.id, *prices, *map(market.quantity, sizes), ts, ts))
        elif kind == "trade":
            side = (AggressorSide.NO_AGGRESSOR, AggressorSide.BUYER, AggressorSide.SELLER)[flag]
            size = market.quantity(b)
            trade_id = TradeId(str(number))
            made.append(TradeTick(market.id, market.price(a), size, side, trade_id, ts, ts))
        elif kind in ("level", "clear"):
            pending.append(_delta(market, kind, flag, a, b, ts))
            if not flag & MORE:
                made.append(OrderBookDeltas(market.id, pending))
                pending = []
        elif kind == "bar":
            opened = ts - session["bar_ns"] + session["open_delay_ns"]
            ample = market.quantity(AMPLE * 10**market.quantity_digits)
            price = market.price(a)
            made.append(QuoteTick(market.id, price, price, ample, ample, opened, opened))
            ohlc = map(market.price, (a, b, c, d))
            made.append(Bar(market.bar_type, *ohlc, market.quantity(e), ts, ts))
    return made


def _delta(market: Market, kind: str, flag: int, a: int, b: int, ts: int) -> OrderBookDelta:
    last = 0 if flag & MORE else 128  # their F_LAST
    if kind == "clear":
        return OrderBookDelta(market.id, BookAction.CLEAR, None, last, 0, ts, ts)
    side = OrderSide.SELL if flag & 1 else OrderSide.BUY
    action = BookAction.UPDATE if b else BookAction.DELETE
    order = BookOrder(side, market.price(a), market.quantity(b), 0)
    return OrderBookDelta(market.id, action, order, last, 0, ts, ts)


def run(session: dict[str, Any]) -> dict[str, Any]:
    """Run one session."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id="VALIDATE-001",
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(
                max_order_submit_rate="1000000/00:00:01",
                max_order_modify_rate="1000000/00:00:01",
            ),
            run_analysis=False,
        )
    )
    markets = [Market(entry) for entry in session["instruments"]]
    account, models = session["account"], session["models"]
    margin = account["kind"] == "margin"
    balances = [Money(Decimal(text), Currency.from_str(name)) for name, text in account["cash"]]
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN if margin else AccountType.CASH,
        base_currency=balances[0].currency if account["single_currency"] else None,
        starting_balances=balances,
        default_leverage=Decimal(account["leverage"]) if margin else None,
        fill_model=FillModel(
            prob_fill_on_limit=1.0 if models["limit_fill"] == "touch" else 0.0,
            prob_slippage=0.0,
            random_seed=1,
        ),
        book_type=BookType.L2_MBP if session["kind"] == "books" else BookType.L1_MBP,
        reject_stop_orders=models["reject_stop_orders"],
        liquidity_consumption=models["liquidity_consumption"],
        queue_position=models["queue_position"],
        bar_adaptive_high_low_ordering=models["adaptive_path"],
    )
    for market in markets:
        engine.add_instrument(market.instrument)
    engine.add_data(rows(session, markets), validate=False)
    sender = Sender()
    sender.setup(session, markets)
    engine.add_strategy(sender)
    engine.run(start=session["start"], end=session["end"])
    stopped = len(sender.marks) < len(session["marks"])
    orders = {number: order.status_string() for number, order in sender.sent.items()}
    result = {
        "seed": session["seed"],
        "version": nautilus_trader.__version__,
        "fills": sender.fills,
        "ends": sender.ends,
        "orders": orders,
        "marks": sender.marks,
        "stopped": stopped,
    }
    engine.dispose()
    return result


def main() -> None:
    """Run the sessions of a file, or one for each line of standard input."""
    if len(sys.argv) > 1:
        sessions = json.loads(Path(sys.argv[1]).read_text())
    else:
        sessions = map(json.loads, sys.stdin)
    for session in sessions:
        sys.stdout.write(json.dumps(run(session)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
