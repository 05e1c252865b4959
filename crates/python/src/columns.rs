//! The rows of a run as columns of bytes: 64-bit integers, and 128-bit ones for decimals.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use quantvista_engine::{
    Config, Figure, FillKind, MONEY_DIGITS, OrderKind, OrderStatus, Outcome, Reason, Recorder,
    Rule, Side, TimeInForce,
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

    fn wide(&self, name: &str, values: impl Iterator<Item = i128>) -> PyResult<()> {
        let bytes: Vec<u8> = values.flat_map(i128::to_le_bytes).collect();
        self.dict.set_item(name, PyBytes::new(self.py, &bytes))
    }
}

/// Powers that bring prices and quantities of each instrument to money digits.
struct Scales {
    price: Vec<i128>,
    quantity: Vec<i128>,
}

impl Scales {
    fn new(config: &Config) -> Self {
        let power = |digits: u8| 10_i128.pow(u32::from(MONEY_DIGITS - digits));
        Self {
            price: config
                .instruments
                .iter()
                .map(|i| power(i.price_precision))
                .collect(),
            quantity: config
                .instruments
                .iter()
                .map(|i| power(i.quantity_precision))
                .collect(),
        }
    }

    fn figure(&self, instrument: usize, figure: Figure) -> i128 {
        match figure {
            Figure::None => ABSENT,
            Figure::Money(amount) => amount,
            Figure::Price(price) => i128::from(price) * self.price[instrument],
            Figure::Quantity(quantity) => i128::from(quantity) * self.quantity[instrument],
            Figure::Rate(rate) => i128::from(rate) * 1_000,
            Figure::Count(count) => i128::from(count) * 10_i128.pow(u32::from(MONEY_DIGITS)),
            Figure::Duration(nanoseconds) => i128::from(nanoseconds) * 1_000,
        }
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

/// All tables of a recording: name of the table -> name of the column -> bytes.
pub fn tables<'py>(
    py: Python<'py>,
    config: &Config,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let scales = Scales::new(config);
    let dict = PyDict::new(py);
    dict.set_item("orders", orders(py, &scales, recorder)?)?;
    dict.set_item("fills", fills(py, &scales, recorder)?)?;
    dict.set_item("verdicts", verdicts(py, &scales, recorder)?)?;
    dict.set_item("sleeves", sleeves(py, recorder)?)?;
    dict.set_item("positions", positions(py, &scales, recorder)?)?;
    Ok(dict)
}

fn orders<'py>(
    py: Python<'py>,
    scales: &Scales,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = || recorder.orders();
    c.narrow("ts", rows().map(|r| r.order.ts))?;
    c.narrow("order_id", rows().map(|r| id(r.order.id)))?;
    c.narrow("instrument", rows().map(|r| index(r.order.instrument)))?;
    c.narrow("sleeve", rows().map(|r| index(r.order.sleeve)))?;
    c.narrow("side", rows().map(|r| code(Side::ALL, &r.order.side)))?;
    let scale = |instrument: usize| scales.quantity[instrument];
    c.wide(
        "quantity",
        rows().map(|r| i128::from(r.order.quantity) * scale(r.order.instrument)),
    )?;
    c.wide(
        "filled",
        rows().map(|r| i128::from(r.order.filled) * scale(r.order.instrument)),
    )?;
    c.narrow("type", rows().map(|r| code(OrderKind::ALL, &r.order.kind)))?;
    c.narrow("tif", rows().map(|r| code(TimeInForce::ALL, &r.order.tif)))?;
    c.wide(
        "limit_price",
        rows().map(|r| {
            r.order
                .limit_price
                .map_or(ABSENT, |p| i128::from(p) * scales.price[r.order.instrument])
        }),
    )?;
    c.narrow(
        "status",
        rows().map(|r| code(OrderStatus::ALL, &r.order.status)),
    )?;
    c.narrow(
        "reason",
        rows().map(|r| r.reason.map_or(NONE, |v| code(Reason::ALL, &v))),
    )?;
    c.narrow(
        "rejected_by",
        rows().map(|r| r.rejected_by.map_or(NONE, |v| code(Rule::ALL, &v))),
    )?;
    Ok(c.dict)
}

fn fills<'py>(
    py: Python<'py>,
    scales: &Scales,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = || recorder.fills();
    c.narrow("ts", rows().map(|r| r.ts))?;
    c.narrow("fill_id", rows().map(|r| id(r.id)))?;
    c.narrow("order_id", rows().map(|r| r.order.map_or(NONE, id)))?;
    c.narrow("instrument", rows().map(|r| index(r.instrument)))?;
    c.narrow("sleeve", rows().map(|r| index(r.sleeve)))?;
    c.narrow("side", rows().map(|r| code(Side::ALL, &r.side)))?;
    c.wide(
        "quantity",
        rows().map(|r| i128::from(r.quantity) * scales.quantity[r.instrument]),
    )?;
    c.wide(
        "price",
        rows().map(|r| i128::from(r.price) * scales.price[r.instrument]),
    )?;
    c.wide("fee", rows().map(|r| r.fee))?;
    c.wide("slippage", rows().map(|r| r.slippage))?;
    c.narrow("kind", rows().map(|r| code(FillKind::ALL, &r.kind)))?;
    Ok(c.dict)
}

fn verdicts<'py>(
    py: Python<'py>,
    scales: &Scales,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = recorder.verdicts();
    c.narrow("ts", rows.iter().map(|r| r.verdict.ts))?;
    c.narrow("order_id", rows.iter().map(|r| id(r.verdict.order)))?;
    c.narrow(
        "rule",
        rows.iter().map(|r| code(Rule::ALL, &r.verdict.rule)),
    )?;
    c.wide(
        "figure",
        rows.iter()
            .map(|r| scales.figure(r.instrument, r.verdict.figure)),
    )?;
    c.wide(
        "limit",
        rows.iter()
            .map(|r| scales.figure(r.instrument, r.verdict.limit)),
    )?;
    c.narrow(
        "outcome",
        rows.iter().map(|r| code(Outcome::ALL, &r.verdict.outcome)),
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
    Ok(c.dict)
}

fn positions<'py>(
    py: Python<'py>,
    scales: &Scales,
    recorder: &Recorder,
) -> PyResult<Bound<'py, PyDict>> {
    let c = Columns::new(py);
    let rows = &recorder.positions;
    c.narrow("ts", rows.iter().map(|r| r.ts))?;
    c.narrow("instrument", rows.iter().map(|r| index(r.instrument)))?;
    c.narrow("sleeve", rows.iter().map(|r| index(r.sleeve)))?;
    c.wide(
        "quantity",
        rows.iter()
            .map(|r| i128::from(r.quantity) * scales.quantity[r.instrument]),
    )?;
    c.wide(
        "mark_price",
        rows.iter()
            .map(|r| i128::from(r.mark) * scales.price[r.instrument]),
    )?;
    c.wide("value", rows.iter().map(|r| r.value))?;
    c.wide("cost", rows.iter().map(|r| r.cost))?;
    Ok(c.dict)
}
