//! Configuration, inputs and outputs as plain dictionaries of integers and names, for tools and
//! tests: what serde makes of the engine's types.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use pythonize::{depythonize, pythonize};
use quantvista_engine::{
    Account, Config, Engine, EngineError, Figure, Input, Output, decode, encode,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::raise;

/// An enumeration's value from its name.
pub fn parse<T>(what: &str, name: &str, from_name: fn(&str) -> Option<T>) -> PyResult<T> {
    from_name(name).ok_or_else(|| PyValueError::new_err(format!("`{what}` does not know {name:?}")))
}

/// A value of the engine from a dictionary.
pub fn read<T: DeserializeOwned>(what: &str, value: &Bound<'_, PyAny>) -> PyResult<T> {
    depythonize(value).map_err(|error| PyValueError::new_err(format!("`{what}`: {error}")))
}

/// A value of the engine as a dictionary.
pub fn write<'py, T: Serialize + ?Sized>(
    py: Python<'py>,
    value: &T,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(pythonize(py, value)?)
}

/// The engine's configuration from a dictionary of integers and names.
pub fn config(dict: &Bound<'_, PyDict>) -> PyResult<Config> {
    read("config", dict)
}

/// Name of a limit, whose it is if a sleeve's, what is used, what is allowed, in which unit.
pub type UsedLimit = (&'static str, Option<usize>, i128, i128, &'static str);

/// The limits that are set, with what stands against them.
pub fn limits_in_use(engine: &Engine, ts: i64) -> PyResult<Vec<UsedLimit>> {
    let plain = |figure| match figure {
        Figure::Money(amount) => (amount, "money"),
        Figure::Count(count) => (i128::from(count), "count"),
        _ => unreachable!("limits in use are money or counts"),
    };
    let found = engine.limits_in_use(ts).map_err(|e| raise(&e))?;
    let rows = found.iter().map(|each| {
        let (used, unit) = plain(each.used);
        (each.name, each.sleeve, used, plain(each.limit).0, unit)
    });
    Ok(rows.collect())
}

/// Refuse numbers of sleeves and instruments that the engine does not have.
pub fn check_indices(engine: &Engine, sleeve: usize, instrument: usize) -> PyResult<()> {
    let config = engine.config();
    let found = [
        ("sleeve", sleeve, config.sleeves.len()),
        ("instrument", instrument, config.instruments.len()),
    ];
    match found.into_iter().find(|(_, index, count)| index >= count) {
        Some((what, found, count)) => Err(raise(&EngineError::UnknownIndex { what, count, found })),
        None => Ok(()),
    }
}

/// Refuse numbers of sleeves and currencies that the engine does not have.
pub fn check_currency(engine: &Engine, sleeve: usize, currency: usize) -> PyResult<()> {
    check_indices(engine, sleeve, 0)?;
    let count = engine.config().currencies.len();
    if currency < count {
        return Ok(());
    }
    Err(raise(&EngineError::UnknownIndex {
        what: "currency",
        count,
        found: currency,
    }))
}

/// The engine, one input at a time, in dictionaries of integers and names.
#[pyclass(name = "RawEngine", module = "quantvista._native")]
pub struct RawEngine {
    engine: Engine,
}

#[pymethods]
impl RawEngine {
    #[new]
    fn new(config: &Bound<'_, PyDict>) -> PyResult<Self> {
        let engine = Engine::new(self::config(config)?).map_err(|e| raise(&e))?;
        Ok(Self { engine })
    }

    /// Apply one input; returns what it led to.
    fn apply<'py>(
        &mut self,
        py: Python<'py>,
        record: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let input: Input = read("record", record)?;
        let outputs = self.engine.apply(&input).map_err(|e| raise(&e))?;
        write(py, &outputs)
    }

    /// Apply an encoded input; returns the encoded outputs.
    fn apply_encoded<'py>(
        &mut self,
        py: Python<'py>,
        record: &[u8],
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let input: Input = decode(record).map_err(|e| raise(&e))?;
        let outputs = self.engine.apply(&input).map_err(|e| raise(&e))?;
        Ok(outputs
            .iter()
            .map(|o| PyBytes::new(py, &encode(o)))
            .collect())
    }

    /// Encode an input in the current format version.
    #[staticmethod]
    fn encode_input<'py>(
        py: Python<'py>,
        record: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let input: Input = read("record", record)?;
        Ok(PyBytes::new(py, &encode(&input)))
    }

    /// Decode an input of any format version.
    #[staticmethod]
    fn decode_input<'py>(py: Python<'py>, record: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let decoded: Input = decode(record).map_err(|e| raise(&e))?;
        write(py, &decoded)
    }

    /// Decode an output of any format version.
    #[staticmethod]
    fn decode_output<'py>(py: Python<'py>, record: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let decoded: Output = decode(record).map_err(|e| raise(&e))?;
        write(py, &decoded)
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &encode(&self.engine.snapshot()))
    }

    #[staticmethod]
    fn restore(snapshot: &[u8]) -> PyResult<Self> {
        let decoded = decode(snapshot).map_err(|e| raise(&e))?;
        let engine = Engine::restore(decoded).map_err(|e| raise(&e))?;
        Ok(Self { engine })
    }

    fn state_hash(&self) -> String {
        self.engine.state_hash()
    }

    /// The whole state as a dictionary, to be looked at.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        write(py, &self.engine.snapshot())
    }

    /// Check the books and the running sums against a computation from scratch.
    fn audit(&self) -> PyResult<()> {
        self.engine.audit().map_err(|e| raise(&e))
    }

    #[pyo3(signature = (sleeve, currency = 0))]
    fn cash(&self, sleeve: usize, currency: usize) -> PyResult<i128> {
        check_currency(&self.engine, sleeve, currency)?;
        Ok(self.engine.ledger().cash(sleeve, currency))
    }

    /// Balance of an account by its name; debits are positive.
    #[pyo3(signature = (sleeve, account, currency = 0))]
    fn balance(&self, sleeve: usize, account: &str, currency: usize) -> PyResult<i128> {
        check_currency(&self.engine, sleeve, currency)?;
        let account = parse("account", account, Account::from_name)?;
        Ok(self.engine.ledger().balance(sleeve, currency, account))
    }

    /// What a sleeve holds, long less short.
    fn position(&self, sleeve: usize, instrument: usize) -> PyResult<i64> {
        check_indices(&self.engine, sleeve, instrument)?;
        Ok(self.engine.held(sleeve, instrument))
    }

    fn cost(&self, sleeve: usize, instrument: usize) -> PyResult<i128> {
        check_indices(&self.engine, sleeve, instrument)?;
        Ok(self.engine.ledger().cost(sleeve, instrument))
    }

    fn sleeve_equity(&self, sleeve: usize) -> PyResult<i128> {
        check_indices(&self.engine, sleeve, 0)?;
        self.engine.sleeve_equity(sleeve).map_err(|e| raise(&e))
    }

    fn equity(&self) -> PyResult<i128> {
        self.engine.equity().map_err(|e| raise(&e))
    }
}
