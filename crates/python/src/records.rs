//! Configuration, inputs and outputs as plain dictionaries, for tools and tests.

use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use quantvista_engine::{
    Account, Bar, Config, Engine, EngineError, Event, FeeModel, Figure, Input, Instrument, Limits,
    OrderKind, OrderRequest, Output, Side, Sleeve, SlippageModel, TimeInForce, Venue, decode,
    encode,
};

use crate::raise;

fn get<'py, T>(dict: &Bound<'py, PyDict>, key: &str) -> PyResult<T>
where
    T: FromPyObjectOwned<'py>,
{
    let value = dict
        .get_item(key)?
        .ok_or_else(|| PyKeyError::new_err(key.to_owned()))?;
    value.extract().map_err(Into::into)
}

/// An enumeration's value from its name.
pub fn parse<T>(what: &str, name: &str, from_name: fn(&str) -> Option<T>) -> PyResult<T> {
    from_name(name).ok_or_else(|| PyValueError::new_err(format!("`{what}` does not know {name:?}")))
}

/// The engine's configuration from a dictionary of integers and names.
pub fn config(dict: &Bound<'_, PyDict>) -> PyResult<Config> {
    let instruments: Vec<Bound<'_, PyDict>> = get(dict, "instruments")?;
    let sleeves: Vec<Bound<'_, PyDict>> = get(dict, "sleeves")?;
    let currency: String = get(dict, "currency")?;
    Ok(Config {
        semantics: get(dict, "semantics")?,
        fund: get(dict, "fund")?,
        epoch: get(dict, "epoch")?,
        currency_precision: get(dict, "currency_precision")?,
        instruments: instruments
            .iter()
            .map(instrument)
            .collect::<PyResult<_>>()?,
        sleeves: sleeves
            .iter()
            .map(|s| {
                Ok(Sleeve {
                    id: get(s, "id")?,
                    cash: get(s, "cash")?,
                })
            })
            .collect::<PyResult<_>>()?,
        venue: venue(&get(dict, "venue")?)?,
        limits: limits(&get(dict, "limits")?)?,
        currency,
    })
}

fn instrument(dict: &Bound<'_, PyDict>) -> PyResult<Instrument> {
    Ok(Instrument {
        id: get(dict, "id")?,
        currency: get(dict, "currency")?,
        price_precision: get(dict, "price_precision")?,
        quantity_precision: get(dict, "quantity_precision")?,
        tick_size: get(dict, "tick_size")?,
        lot_size: get(dict, "lot_size")?,
        multiplier: get(dict, "multiplier")?,
        sector: get(dict, "sector")?,
        effective_from: get(dict, "effective_from")?,
        effective_to: get(dict, "effective_to")?,
        close_only: get(dict, "close_only")?,
    })
}

fn venue(dict: &Bound<'_, PyDict>) -> PyResult<Venue> {
    let limit_fill: String = get(dict, "limit_fill")?;
    Ok(Venue {
        id: get(dict, "id")?,
        fee: FeeModel {
            rate: get(dict, "fee_rate")?,
        },
        slippage: SlippageModel {
            rate: get(dict, "slippage")?,
        },
        limit_fill_on_touch: parse("limit_fill", &limit_fill, |name| match name {
            "touch" => Some(true),
            "through" => Some(false),
            _ => None,
        })?,
        participation_max: get(dict, "participation_max")?,
        on_close_cutoff_ns: get(dict, "on_close_cutoff_ns")?,
    })
}

fn limits(dict: &Bound<'_, PyDict>) -> PyResult<Limits> {
    Ok(Limits {
        price_band: get(dict, "price_band")?,
        fat_finger_quantity: get(dict, "fat_finger_quantity")?,
        fat_finger_notional: get(dict, "fat_finger_notional")?,
        position_max: get(dict, "position_max")?,
        weight_max: get(dict, "weight_max")?,
        sector_max: get(dict, "sector_max")?,
        gross_max: get(dict, "gross_max")?,
    })
}

fn input(dict: &Bound<'_, PyDict>) -> PyResult<Input> {
    let kind: String = get(dict, "type")?;
    let ts: i64 = get(dict, "ts")?;
    Ok(Input {
        ts_event: dict
            .get_item("ts_event")?
            .map_or(Ok(ts), |value| value.extract())?,
        ts_received: ts,
        source: get(dict, "source")?,
        sequence: get(dict, "sequence")?,
        event: event(&kind, dict)?,
    })
}

fn event(kind: &str, dict: &Bound<'_, PyDict>) -> PyResult<Event> {
    Ok(match kind {
        "bar" => {
            let prices = |key| get::<Option<i64>>(dict, key);
            let range = match (prices("open")?, prices("high")?, prices("low")?) {
                (Some(open), Some(high), Some(low)) => Some([open, high, low]),
                (None, None, None) => None,
                _ => {
                    return Err(PyValueError::new_err(
                        "`open`, `high` and `low` go together",
                    ));
                }
            };
            let bar = Bar {
                range,
                close: get(dict, "close")?,
                volume: get(dict, "volume")?,
            };
            Event::Bar {
                instrument: get(dict, "instrument")?,
                bar,
            }
        }
        "bar_missing" => Event::BarMissing {
            instrument: get(dict, "instrument")?,
        },
        "instrument_ended" => Event::InstrumentEnded {
            instrument: get(dict, "instrument")?,
        },
        "barrier" => Event::Barrier {
            session_start: get(dict, "session_start")?,
            session_end: get(dict, "session_end")?,
        },
        "target_portfolio" => Event::TargetPortfolio {
            sleeve: get(dict, "sleeve")?,
            targets: get(dict, "targets")?,
        },
        "submit_order" => {
            let side: String = get(dict, "side")?;
            let kind: String = get(dict, "order_type")?;
            let tif: String = get(dict, "tif")?;
            Event::SubmitOrder(OrderRequest {
                sleeve: get(dict, "sleeve")?,
                instrument: get(dict, "instrument")?,
                side: parse("side", &side, Side::from_name)?,
                quantity: get(dict, "quantity")?,
                kind: parse("order_type", &kind, OrderKind::from_name)?,
                tif: parse("tif", &tif, TimeInForce::from_name)?,
                limit_price: get(dict, "limit_price")?,
            })
        }
        "cancel_order" => Event::CancelOrder {
            order: get(dict, "order_id")?,
        },
        "activate_semantics" => Event::ActivateSemantics {
            number: get(dict, "number")?,
        },
        other => {
            return Err(PyValueError::new_err(format!(
                "`type` does not know {other:?}"
            )));
        }
    })
}

fn input_record<'py>(py: Python<'py>, input: &Input) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("ts", input.ts_received)?;
    dict.set_item("ts_event", input.ts_event)?;
    dict.set_item("source", input.source)?;
    dict.set_item("sequence", input.sequence)?;
    let kind = match &input.event {
        Event::Bar { instrument, bar } => {
            let [open, high, low] = bar.range.map_or([None; 3], |range| range.map(Some));
            dict.set_item("instrument", instrument)?;
            dict.set_item("open", open)?;
            dict.set_item("high", high)?;
            dict.set_item("low", low)?;
            dict.set_item("close", bar.close)?;
            dict.set_item("volume", bar.volume)?;
            "bar"
        }
        Event::BarMissing { instrument } => {
            dict.set_item("instrument", instrument)?;
            "bar_missing"
        }
        Event::InstrumentEnded { instrument } => {
            dict.set_item("instrument", instrument)?;
            "instrument_ended"
        }
        Event::Barrier {
            session_start,
            session_end,
        } => {
            dict.set_item("session_start", session_start)?;
            dict.set_item("session_end", session_end)?;
            "barrier"
        }
        Event::TargetPortfolio { sleeve, targets } => {
            dict.set_item("sleeve", sleeve)?;
            dict.set_item("targets", targets)?;
            "target_portfolio"
        }
        Event::SubmitOrder(request) => {
            dict.set_item("sleeve", request.sleeve)?;
            dict.set_item("instrument", request.instrument)?;
            dict.set_item("side", request.side.name())?;
            dict.set_item("quantity", request.quantity)?;
            dict.set_item("order_type", request.kind.name())?;
            dict.set_item("tif", request.tif.name())?;
            dict.set_item("limit_price", request.limit_price)?;
            "submit_order"
        }
        Event::CancelOrder { order } => {
            dict.set_item("order_id", order)?;
            "cancel_order"
        }
        Event::ActivateSemantics { number } => {
            dict.set_item("number", number)?;
            "activate_semantics"
        }
    };
    dict.set_item("type", kind)?;
    Ok(dict)
}

fn output<'py>(py: Python<'py>, output: &Output) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let kind = match output {
        Output::OrderAccepted(order) => {
            order_record(&dict, order)?;
            "order_accepted"
        }
        Output::OrderRejected { order, rule } => {
            order_record(&dict, order)?;
            dict.set_item("rule", rule.name())?;
            "order_rejected"
        }
        Output::OrderFilled(fill) => {
            dict.set_item("ts", fill.ts)?;
            dict.set_item("fill_id", fill.id)?;
            dict.set_item("order_id", fill.order)?;
            dict.set_item("instrument", fill.instrument)?;
            dict.set_item("sleeve", fill.sleeve)?;
            dict.set_item("side", fill.side.name())?;
            dict.set_item("quantity", fill.quantity)?;
            dict.set_item("price", fill.price)?;
            dict.set_item("fee", fill.fee)?;
            dict.set_item("slippage", fill.slippage)?;
            dict.set_item("kind", fill.kind.name())?;
            "order_filled"
        }
        Output::OrderCancelled { ts, order, reason } => {
            dict.set_item("ts", ts)?;
            dict.set_item("order_id", order)?;
            dict.set_item("reason", reason.name())?;
            "order_cancelled"
        }
        Output::OrderExpired { ts, order, reason } => {
            dict.set_item("ts", ts)?;
            dict.set_item("order_id", order)?;
            dict.set_item("reason", reason.name())?;
            "order_expired"
        }
        Output::CancelRejected { ts, order } => {
            dict.set_item("ts", ts)?;
            dict.set_item("order_id", order)?;
            "cancel_rejected"
        }
        Output::Verdict(verdict) => {
            dict.set_item("ts", verdict.ts)?;
            dict.set_item("order_id", verdict.order)?;
            dict.set_item("rule", verdict.rule.name())?;
            dict.set_item("figure", figure(verdict.figure))?;
            dict.set_item("limit", figure(verdict.limit))?;
            dict.set_item("outcome", verdict.outcome.name())?;
            "verdict"
        }
        Output::BarMissed { ts, instrument } => {
            dict.set_item("ts", ts)?;
            dict.set_item("instrument", instrument)?;
            "bar_missed"
        }
        Output::InstrumentSettled {
            ts,
            instrument,
            price,
        } => {
            dict.set_item("ts", ts)?;
            dict.set_item("instrument", instrument)?;
            dict.set_item("price", price)?;
            "instrument_settled"
        }
        Output::SemanticsActivated { ts, number } => {
            dict.set_item("ts", ts)?;
            dict.set_item("number", number)?;
            "semantics_activated"
        }
    };
    dict.set_item("type", kind)?;
    Ok(dict)
}

fn order_record(dict: &Bound<'_, PyDict>, order: &quantvista_engine::Order) -> PyResult<()> {
    dict.set_item("ts", order.ts)?;
    dict.set_item("order_id", order.id)?;
    dict.set_item("sleeve", order.sleeve)?;
    dict.set_item("instrument", order.instrument)?;
    dict.set_item("side", order.side.name())?;
    dict.set_item("quantity", order.quantity)?;
    dict.set_item("order_type", order.kind.name())?;
    dict.set_item("tif", order.tif.name())?;
    dict.set_item("limit_price", order.limit_price)?;
    dict.set_item("from_target", order.from_target)
}

fn figure(figure: Figure) -> Option<i128> {
    match figure {
        Figure::None => None,
        Figure::Money(amount) => Some(amount),
        Figure::Price(units) | Figure::Quantity(units) => Some(i128::from(units)),
    }
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
        record: &Bound<'py, PyDict>,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let outputs = self.engine.apply(&input(record)?).map_err(|e| raise(&e))?;
        outputs.iter().map(|o| output(py, o)).collect()
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
        record: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &encode(&input(record)?)))
    }

    /// Decode an input of any format version.
    #[staticmethod]
    fn decode_input<'py>(py: Python<'py>, record: &[u8]) -> PyResult<Bound<'py, PyDict>> {
        let decoded: Input = decode(record).map_err(|e| raise(&e))?;
        input_record(py, &decoded)
    }

    /// Decode an output of any format version.
    #[staticmethod]
    fn decode_output<'py>(py: Python<'py>, record: &[u8]) -> PyResult<Bound<'py, PyDict>> {
        let decoded: Output = decode(record).map_err(|e| raise(&e))?;
        output(py, &decoded)
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

    /// Check the books and the running sums against a computation from scratch.
    fn audit(&self) -> PyResult<()> {
        self.engine.audit().map_err(|e| raise(&e))
    }

    fn cash(&self, sleeve: usize) -> PyResult<i128> {
        check_indices(&self.engine, sleeve, 0)?;
        Ok(self.engine.ledger().cash(sleeve))
    }

    fn fees(&self, sleeve: usize) -> PyResult<i128> {
        check_indices(&self.engine, sleeve, 0)?;
        Ok(self.engine.ledger().balance(sleeve, Account::Fees))
    }

    fn realised(&self, sleeve: usize) -> PyResult<i128> {
        check_indices(&self.engine, sleeve, 0)?;
        Ok(self.engine.ledger().balance(sleeve, Account::Realised))
    }

    fn position(&self, sleeve: usize, instrument: usize) -> PyResult<i64> {
        check_indices(&self.engine, sleeve, instrument)?;
        Ok(self.engine.ledger().quantity(sleeve, instrument))
    }

    fn cost(&self, sleeve: usize, instrument: usize) -> PyResult<i128> {
        check_indices(&self.engine, sleeve, instrument)?;
        let account = Account::Position(instrument);
        Ok(self.engine.ledger().balance(sleeve, account))
    }

    fn sleeve_equity(&self, sleeve: usize) -> PyResult<i128> {
        check_indices(&self.engine, sleeve, 0)?;
        self.engine.sleeve_equity(sleeve).map_err(|e| raise(&e))
    }

    fn equity(&self) -> PyResult<i128> {
        self.engine.equity().map_err(|e| raise(&e))
    }
}
