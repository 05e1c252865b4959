//! The rows of a run as columns of bytes: 64-bit integers, and 128-bit ones for decimals.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use quantvista_engine::{
    Config, Figure, FillKind, Leg, Liquidity, MONEY_DIGITS, Order, OrderKind, OrderStatus, Origin,
    Outcome, PostingKind, Reason, Recorder, Rule, Side, TimeInForce, Trail,
};

/// No value, in a column of 128-bit integers.
const ABSENT: i128 = i128::MIN;
/// No value, in a column of 64-bit integers.
const NONE: i64 = -1;

struct Columns<'py> {
    py: Python<'py>,
    dict: Bound<'py, PyDict>,
}

impl<'py> Columns<'py> {
    fn new(py: Python<'py>) -> Self {
        Self {
            py,
            dict: PyDict::new(py),
        }
    }

    fn narrow(&self, name: &str, values: impl Iterator<Item = i64>) -> PyResult<()> {
        let bytes: Vec<u8> = values.flat_map(i64::to_le_bytes).collect();
        self.dict.set_item(name, PyBytes::new(self.py, &bytes))
    }

    fn text<'a>(&self, name: &str, values: impl Iterator<Item = Option<&'a str>>) -> PyResult<()> {
        self.dict.set_item(name, values.collect::<Vec<_>>())
    }

    fn wide(&self, name: &str, values: impl Iterator<Item = i128>) -> PyResult<()> {
        let bytes: Vec<u8> = values.flat_map(i128::to_le_bytes).collect();
        self.dict.set_item(name, PyBytes::new(self.py, &bytes))
    }
}

/// Digits of prices and quantities before a corporate action made them finer or coarser.
pub struct Epoch {
    /// From then on others count.
    pub until: i64,
    pub last_order: u64,
    /// Orders that were not finished by then.
    pub working: Vec<u64>,
    pub digits: Vec<(u8, u8)>,
}

/// Powers that bring prices and quantities of each instrument to money digits.
struct Scales<'a> {
    epochs: &'a [Epoch],
    now: Vec<(u8, u8)>,
}

fn power(digits: u8) -> i128 {
    10_i128.pow(u32::from(MONEY_DIGITS - digits))
}

/// Digits of prices and quantities by instrument.
pub fn digits(config: &Config) -> Vec<(u8, u8)> {
    config
        .instruments
        .iter()
        .map(|i| (i.price_precision, i.quantity_precision))
        .collect()
}

impl<'a> Scales<'a> {
    fn new(config: &Config, epochs: &'a [Epoch]) -> Self {
        Self {
            epochs,
            now: digits(config),
        }
    }

    fn at(&self, ts: i64, instrument: usize) -> (u8, u8) {
        self.epochs
            .iter()
            .find(|epoch| ts < epoch.until)
            .map_or(self.now[instrument], |epoch| epoch.digits[instrument])
    }

    fn price(&self, ts: i64, instrument: usize, units: i64) -> i128 {
        i128::from(units) * power(self.at(ts, instrument).0)
    }

    fn quantity(&self, ts: i64, instrument: usize, units: i64) -> i128 {
        i128::from(units) * power(self.at(ts, instrument).1)
    }

    /// Digits in which an order ended, or now stands.
    fn of_order(&self, order: &Order) -> (u8, u8) {
        self.epochs
            .iter()
            .find(|epoch| order.id <= epoch.last_order && !epoch.working.contains(&order.id))
            .map_or(self.now[order.instrument], |epoch| {
                epoch.digits[order.instrument]
            })
    }

    fn figure(&self, ts: i64, instrument: usize, figure: Figure) -> i128 {
        match figure {
            Figure::Price(price) => self.price(ts, instrument, price),
            Figure::Quantity(quantity) => self.quantity(ts, instrument, quantity),
            other => plain_figure(other),
        }
    }
}

/// A figure that needs no instrument to be understood.
fn plain_figure(figure: Figure) -> i128 {
    match figure {
        Figure::None | Figure::Price(_) | Figure::Quantity(_) => ABSENT,
        Figure::Money(amount) => amount,
        Figure::Rate(rate) => i128::from(rate) * 1_000,
        Figure::Count(count) => i128::from(count) * 10_i128.pow(u32::from(MONEY_DIGITS)),
        Figure::Duration(nanoseconds) => i128::from(nanoseconds) * 1_000,
    }
}

fn index(value: usize) -> i64 {
    i64::try_from(value).expect("an index fits")
}

fn id(value: u64) -> i64 {
    i64::try_from(value).expect("an id fits")
}

/// Position of a value among all values of its kind, which is its code in a column.
fn code<T: PartialEq>(all: &[T], value: &T) -> i64 {
    all.iter()
        .position(|other| other == value)
        .map_or(NONE, index)
}

/// The code of a value that may not be there.
fn optional<T: PartialEq>(all: &[T], value: Option<&T>) -> i64 {
    value.map_or(NONE, |value| code(all, value))
}

/// Text that may be empty for none.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// All tables of a recording: name of the table -> name of the column -> bytes, or a list of text.
pub fn tables<'py>(
    py: Python<'py>,
    config: &Config,
    recorder: &Recorder,
    epochs: &[Epoch],
) -> PyResult<Bound<'py, PyDict>> {
    let scales = Scales::new(config, epochs);
    let dict = PyDict::new(py);
    dict.set_item("orders", orders(py, &scales, recorder)?)?;
    dict.set_item("fills", fills(py, &scales, recorder)?)?;
    dict.set_item("verdicts", verdicts(py, &scales, recorder)?)?;
    dict.set_item("sleeves", sleeves(py, recorder)?)?;
    dict.set_item("positions", positions(py, &scales, recorder)?)?;
    dict.set_item("balances", balances(py, recorder)?)?;
    dict.set_item("postings", postings(py, recorder)?)?;
    dict.set_item("states", states(py, recorder)?)?;
    dict.set_item("actions", actions(py, &scales, recorder)?)?;
    Ok(dict)
}

fn orders<'py>(
    py: Python<'py>,
    scales: &Scales<'_>,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = || recorder.orders().map(|row| row.order);
    c.narrow("ts", rows().map(|r| r.ts))?;
    c.narrow("order_id", rows().map(|r| id(r.id)))?;
    c.narrow("instrument", rows().map(|r| index(r.instrument)))?;
    c.narrow("sleeve", rows().map(|r| index(r.sleeve)))?;
    c.narrow("side", rows().map(|r| code(Side::ALL, &r.side)))?;
    let price = |order: &Order, price: Option<i64>| {
        price.map_or(ABSENT, |p| i128::from(p) * power(scales.of_order(order).0))
    };
    let quantity = |order: &Order, quantity: Option<i64>| {
        quantity.map_or(ABSENT, |q| i128::from(q) * power(scales.of_order(order).1))
    };
    c.wide("quantity", rows().map(|r| quantity(&r, Some(r.quantity))))?;
    c.wide("filled", rows().map(|r| quantity(&r, Some(r.filled))))?;
    c.narrow("type", rows().map(|r| code(OrderKind::ALL, &r.kind)))?;
    c.narrow("tif", rows().map(|r| code(TimeInForce::ALL, &r.tif)))?;
    c.wide("limit_price", rows().map(|r| price(&r, r.limit_price)))?;
    c.narrow("status", rows().map(|r| code(OrderStatus::ALL, &r.status)))?;
    let ends = || recorder.orders();
    c.narrow(
        "reason",
        ends().map(|r| optional(Reason::ALL, r.reason.as_ref())),
    )?;
    c.narrow(
        "rejected_by",
        ends().map(|r| optional(Rule::ALL, r.rejected_by.as_ref())),
    )?;
    c.wide("trigger_price", rows().map(|r| price(&r, r.trigger_price)))?;
    c.wide(
        "trail",
        rows().map(|r| match r.trail {
            Some(Trail::Amount(amount)) => price(&r, Some(amount)),
            _ => ABSENT,
        }),
    )?;
    c.wide(
        "trail_rate",
        rows().map(|r| match r.trail {
            Some(Trail::Rate(rate)) => plain_figure(Figure::Rate(rate)),
            _ => ABSENT,
        }),
    )?;
    c.narrow("expire_at", rows().map(|r| r.expire_at.unwrap_or(i64::MIN)))?;
    c.wide(
        "display_quantity",
        rows().map(|r| quantity(&r, r.display_quantity)),
    )?;
    c.narrow("post_only", rows().map(|r| i64::from(r.post_only)))?;
    c.narrow("reduce_only", rows().map(|r| i64::from(r.reduce_only)))?;
    c.narrow("leg", rows().map(|r| code(Leg::ALL, &r.leg)))?;
    c.narrow("origin", rows().map(|r| code(Origin::ALL, &r.origin)))?;
    c.narrow("parent", rows().map(|r| r.parent.map_or(NONE, id)))?;
    c.narrow("group", rows().map(|r| r.group.map_or(NONE, id)))?;
    Ok(c.dict)
}

fn fills<'py>(
    py: Python<'py>,
    scales: &Scales<'_>,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = || recorder.fills();
    c.narrow("ts", rows().map(|r| r.ts))?;
    c.narrow("fill_id", rows().map(|r| id(r.id)))?;
    c.narrow("order_id", rows().map(|r| r.order.map_or(NONE, id)))?;
    c.narrow("instrument", rows().map(|r| index(r.instrument)))?;
    c.narrow("sleeve", rows().map(|r| index(r.sleeve)))?;
    c.narrow("leg", rows().map(|r| index(r.leg)))?;
    c.narrow("side", rows().map(|r| code(Side::ALL, &r.side)))?;
    c.wide(
        "quantity",
        rows().map(|r| scales.quantity(r.ts, r.instrument, r.quantity)),
    )?;
    c.wide(
        "price",
        rows().map(|r| scales.price(r.ts, r.instrument, r.price)),
    )?;
    c.wide("fee", rows().map(|r| r.fee))?;
    c.wide("slippage", rows().map(|r| r.slippage))?;
    c.narrow("kind", rows().map(|r| code(FillKind::ALL, &r.kind)))?;
    c.narrow(
        "liquidity",
        rows().map(|r| code(Liquidity::ALL, &r.liquidity)),
    )?;
    Ok(c.dict)
}

fn verdicts<'py>(
    py: Python<'py>,
    scales: &Scales<'_>,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = recorder.verdicts();
    let verdicts = || rows.iter().map(|row| &row.verdict);
    c.narrow("ts", verdicts().map(|r| r.ts))?;
    c.narrow("order_id", verdicts().map(|r| id(r.order)))?;
    c.narrow("rule", verdicts().map(|r| code(Rule::ALL, &r.rule)))?;
    c.wide(
        "figure",
        rows.iter()
            .map(|r| scales.figure(r.verdict.ts, r.instrument, r.verdict.figure)),
    )?;
    c.wide(
        "limit",
        rows.iter()
            .map(|r| scales.figure(r.verdict.ts, r.instrument, r.verdict.limit)),
    )?;
    c.narrow(
        "outcome",
        verdicts().map(|r| code(Outcome::ALL, &r.outcome)),
    )?;
    Ok(c.dict)
}

fn sleeves<'py>(py: Python<'py>, recorder: &Recorder) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = &recorder.sleeves;
    c.narrow("ts", rows.iter().map(|r| r.ts))?;
    c.narrow("sleeve", rows.iter().map(|r| index(r.sleeve)))?;
    c.wide("equity", rows.iter().map(|r| r.equity))?;
    c.wide("cash", rows.iter().map(|r| r.cash))?;
    c.wide("gross", rows.iter().map(|r| r.worth.gross))?;
    c.wide("net", rows.iter().map(|r| r.worth.net))?;
    Ok(c.dict)
}

fn positions<'py>(
    py: Python<'py>,
    scales: &Scales<'_>,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = &recorder.positions;
    c.narrow("ts", rows.iter().map(|r| r.ts))?;
    c.narrow("instrument", rows.iter().map(|r| index(r.instrument)))?;
    c.narrow("sleeve", rows.iter().map(|r| index(r.sleeve)))?;
    c.narrow("leg", rows.iter().map(|r| index(r.leg)))?;
    c.wide(
        "quantity",
        rows.iter()
            .map(|r| scales.quantity(r.ts, r.instrument, r.quantity)),
    )?;
    c.wide(
        "mark_price",
        rows.iter()
            .map(|r| scales.price(r.ts, r.instrument, r.mark)),
    )?;
    c.wide("value", rows.iter().map(|r| r.value))?;
    c.wide("cost", rows.iter().map(|r| r.cost))?;
    Ok(c.dict)
}

fn balances<'py>(py: Python<'py>, recorder: &Recorder) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = &recorder.balances;
    c.narrow("ts", rows.iter().map(|r| r.ts))?;
    c.narrow("sleeve", rows.iter().map(|r| index(r.sleeve)))?;
    c.narrow("currency", rows.iter().map(|r| index(r.currency)))?;
    c.wide("settled", rows.iter().map(|r| r.settled))?;
    c.wide("unsettled", rows.iter().map(|r| r.unsettled))?;
    c.wide("value", rows.iter().map(|r| r.value))?;
    Ok(c.dict)
}

fn postings<'py>(py: Python<'py>, recorder: &Recorder) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = &recorder.postings;
    c.narrow("ts", rows.iter().map(|r| r.ts))?;
    c.narrow("sleeve", rows.iter().map(|r| index(r.sleeve)))?;
    c.narrow("currency", rows.iter().map(|r| index(r.currency)))?;
    c.narrow("kind", rows.iter().map(|r| code(PostingKind::ALL, &r.kind)))?;
    c.narrow(
        "instrument",
        rows.iter().map(|r| r.instrument.map_or(NONE, index)),
    )?;
    c.wide("amount", rows.iter().map(|r| r.amount))?;
    c.wide("equity", rows.iter().map(|r| r.equity.unwrap_or(ABSENT)))?;
    Ok(c.dict)
}

fn states<'py>(py: Python<'py>, recorder: &Recorder) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = &recorder.states;
    c.narrow("ts", rows.iter().map(|r| r.ts))?;
    c.text("event", rows.iter().map(|r| Some(r.event)))?;
    c.narrow("sleeve", rows.iter().map(|r| r.sleeve.map_or(NONE, index)))?;
    c.text("state", rows.iter().map(|r| some(&r.state)))?;
    c.text("cause", rows.iter().map(|r| some(r.cause)))?;
    c.narrow(
        "rule",
        rows.iter().map(|r| optional(Rule::ALL, r.rule.as_ref())),
    )?;
    c.wide("figure", rows.iter().map(|r| plain_figure(r.figure)))?;
    c.wide("limit", rows.iter().map(|r| plain_figure(r.limit)))?;
    Ok(c.dict)
}

fn actions<'py>(
    py: Python<'py>,
    scales: &Scales<'_>,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = &recorder.actions;
    c.narrow("ts", rows.iter().map(|r| r.ts))?;
    c.narrow("instrument", rows.iter().map(|r| index(r.instrument)))?;
    c.text("action", rows.iter().map(|r| Some(r.action.as_str())))?;
    c.text("symbol", rows.iter().map(|r| r.symbol.as_deref()))?;
    c.wide(
        "price",
        rows.iter().map(|r| {
            r.price
                .map_or(ABSENT, |price| scales.price(r.ts, r.instrument, price))
        }),
    )?;
    Ok(c.dict)
}
