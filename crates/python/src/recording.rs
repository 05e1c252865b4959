//! Columns of recordings as `NumPy` arrays.

use numpy::{Element, IntoPyArray};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use quantvista_kernels::{Recording, decode_binance as decode};

/// Set an array of a dict.
fn set<T: Element>(into: &Bound<'_, PyDict>, name: &str, values: Vec<T>) -> PyResult<()> {
    into.set_item(name, values.into_pyarray(into.py()))
}

/// Read a recording of Binance's combined streams; prices and sizes in units of `10^-precision`.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "the binding hands the bytes over"
)]
pub fn decode_binance(
    py: Python<'_>,
    content: PyBackedBytes,
    precision: u32,
) -> PyResult<Bound<'_, PyDict>> {
    let found = py
        .detach(|| decode(&content, precision))
        .map_err(|error| crate::features::raise(&error))?;
    let Recording {
        quotes: q,
        trades: t,
        books: b,
        symbol,
        others,
    } = found;
    let quotes = PyDict::new(py);
    set(&quotes, "row", q.row)?;
    set(&quotes, "received", q.received)?;
    set(&quotes, "bid", q.bid)?;
    set(&quotes, "bid_size", q.bid_size)?;
    set(&quotes, "ask", q.ask)?;
    set(&quotes, "ask_size", q.ask_size)?;
    let trades = PyDict::new(py);
    set(&trades, "row", t.row)?;
    set(&trades, "received", t.received)?;
    set(&trades, "event", t.event)?;
    set(&trades, "price", t.price)?;
    set(&trades, "size", t.size)?;
    set(&trades, "buyer_made", t.buyer_made)?;
    set(&trades, "aggregate", t.aggregate)?;
    let books = PyDict::new(py);
    set(&books, "row", b.row)?;
    set(&books, "received", b.received)?;
    set(&books, "event", b.event)?;
    set(&books, "snapshot", b.snapshot)?;
    set(&books, "first", b.first)?;
    set(&books, "last", b.last)?;
    set(&books, "bids", b.bids)?;
    set(&books, "asks", b.asks)?;
    set(&books, "price", b.price)?;
    set(&books, "size", b.size)?;
    let result = PyDict::new(py);
    result.set_item("quotes", quotes)?;
    result.set_item("trades", trades)?;
    result.set_item("books", books)?;
    result.set_item("symbol", symbol)?;
    result.set_item("others", others)?;
    Ok(result)
}
