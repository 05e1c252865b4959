//! Terms of orders as strategies write them, in floats and names, made exact.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use quantvista_engine::{Leg, OrderKind, OrderRequest, Side, TimeInForce, Trail, TriggerSource};

use crate::records::parse;
use crate::session::Session;

/// What a strategy says of an order.
#[derive(Default)]
pub struct Terms<'a> {
    pub side: &'a str,
    pub quantity: f64,
    pub kind: &'a str,
    pub tif: &'a str,
    pub limit_price: Option<f64>,
    pub trigger_price: Option<f64>,
    pub trigger_by: Option<&'a str>,
    pub trail: Option<f64>,
    pub trail_rate: Option<f64>,
    pub expire_at: Option<i64>,
    pub display_quantity: Option<f64>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub leg: Option<&'a str>,
}

/// Units of a decimal number, up to the noise of floats; None if it has more digits than the
/// scale, or is not a number, or too large.
fn exact_units(value: f64, scale: f64) -> Option<i64> {
    let scaled = value * scale;
    let whole = scaled.round_ties_even();
    // Half a billionth of the amount is far above what float arithmetic leaves behind, and far
    // below a tenth of a unit for every amount that money is about.
    let noise = (whole.abs() * 5e-10).clamp(1e-6, 1e-2);
    ((scaled - whole).abs() <= noise && whole.abs() < 9e18).then_some(whole as i64)
}

/// A quantity in units of the instrument.
pub fn quantity_units(
    session: &Session,
    instrument: usize,
    argument: &str,
    value: f64,
) -> PyResult<i64> {
    exact_units(value, session.quantity_scale[instrument]).ok_or_else(|| {
        let id = &session.engine.config().instruments[instrument].id;
        PyValueError::new_err(format!(
            "`{argument}` must have no more digits than {id} has; found {value}"
        ))
    })
}

/// A price in units of the instrument.
pub fn price_units(
    session: &Session,
    instrument: usize,
    argument: &str,
    value: Option<f64>,
) -> PyResult<Option<i64>> {
    let Some(value) = value else { return Ok(None) };
    exact_units(value, session.price_scale[instrument])
        .map(Some)
        .ok_or_else(|| {
            let id = &session.engine.config().instruments[instrument].id;
            PyValueError::new_err(format!(
                "`{argument}` must have no more digits than prices of {id} have \
                 (round it to the tick, up or down as you mean it); found {value}"
            ))
        })
}

/// How far a trailing stop follows: in prices or as a share of the price, not both.
pub fn trail(
    session: &Session,
    instrument: usize,
    amount: Option<f64>,
    rate: Option<f64>,
) -> PyResult<Option<Trail>> {
    match (amount, rate) {
        (None, None) => Ok(None),
        (Some(_), None) => {
            Ok(price_units(session, instrument, "trail", amount)?.map(Trail::Amount))
        }
        (None, Some(rate)) => exact_units(rate, 1e9)
            .map(|units| Some(Trail::Rate(units)))
            .ok_or_else(|| {
                PyValueError::new_err(format!(
                    "`trail_rate` must have at most nine decimals; found {rate}"
                ))
            }),
        (Some(_), Some(_)) => Err(PyValueError::new_err(
            "`trail` must not come with `trail_rate`; found both",
        )),
    }
}

impl Terms<'_> {
    /// The order as the engine takes it.
    pub fn request(
        &self,
        session: &Session,
        sleeve: usize,
        instrument: usize,
    ) -> PyResult<OrderRequest> {
        let whole = quantity_units(session, instrument, "quantity", self.quantity)?;
        let price = |argument, value| price_units(session, instrument, argument, value);
        Ok(OrderRequest {
            limit_price: price("limit_price", self.limit_price)?,
            trigger_price: price("trigger_price", self.trigger_price)?,
            trigger_by: self
                .trigger_by
                .map(|name| parse("trigger_by", name, TriggerSource::from_name))
                .transpose()?,
            trail: trail(session, instrument, self.trail, self.trail_rate)?,
            expire_at: self.expire_at,
            display_quantity: self
                .display_quantity
                .map(|value| quantity_units(session, instrument, "display_quantity", value))
                .transpose()?,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            leg: match self.leg {
                None => Leg::Net,
                Some(name) => parse("leg", name, Leg::from_name)?,
            },
            ..OrderRequest::new(
                sleeve,
                instrument,
                parse("side", self.side, Side::from_name)?,
                whole,
                parse("type", self.kind, OrderKind::from_name)?,
                parse("tif", self.tif, TimeInForce::from_name)?,
            )
        })
    }
}

const KEYS: [&str; 15] = [
    "instrument",
    "side",
    "quantity",
    "type",
    "tif",
    "limit_price",
    "trigger_price",
    "trigger_by",
    "trail",
    "trail_rate",
    "expire_at",
    "display_quantity",
    "post_only",
    "reduce_only",
    "leg",
];

/// A value of a table of terms; None where it is absent.
fn value<'py, T>(table: &Bound<'py, PyDict>, key: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    match table.get_item(key)?.filter(|found| !found.is_none()) {
        None => Ok(None),
        Some(found) => found
            .extract()
            .map(Some)
            .map_err(|error| PyValueError::new_err(format!("`{key}`: {error}"))),
    }
}

/// The order that a table of terms says, with keys as `submit` has arguments.
pub fn request_of(
    session: &Session,
    sleeve: usize,
    table: &Bound<'_, PyDict>,
    index: impl Fn(&Bound<'_, PyString>) -> PyResult<usize>,
) -> PyResult<OrderRequest> {
    for key in table.keys() {
        let key: String = key.extract()?;
        if !KEYS.contains(&key.as_str()) {
            return Err(PyValueError::new_err(format!(
                "`orders` must have keys like the arguments of `submit`; found {key:?}"
            )));
        }
    }
    let needed =
        |key: &str| PyValueError::new_err(format!("`orders` must each have a `{key}`; found none"));
    let name: Bound<'_, PyString> = table
        .get_item("instrument")?
        .ok_or_else(|| needed("instrument"))?
        .cast_into()?;
    let text = |key: &str| value::<String>(table, key);
    let (side, kind, tif) = (text("side")?, text("type")?, text("tif")?);
    let (trigger_by, leg) = (text("trigger_by")?, text("leg")?);
    let terms = Terms {
        side: side.as_deref().ok_or_else(|| needed("side"))?,
        quantity: value(table, "quantity")?.ok_or_else(|| needed("quantity"))?,
        kind: kind.as_deref().unwrap_or("market"),
        tif: tif.as_deref().unwrap_or("day"),
        limit_price: value(table, "limit_price")?,
        trigger_price: value(table, "trigger_price")?,
        trigger_by: trigger_by.as_deref(),
        trail: value(table, "trail")?,
        trail_rate: value(table, "trail_rate")?,
        expire_at: value(table, "expire_at")?,
        display_quantity: value(table, "display_quantity")?,
        post_only: value(table, "post_only")?.unwrap_or(false),
        reduce_only: value(table, "reduce_only")?.unwrap_or(false),
        leg: leg.as_deref(),
    };
    terms.request(session, sleeve, index(&name)?)
}
