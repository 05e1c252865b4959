//! The state as a value: taken, put back, checked and hashed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::encoding;
use crate::engine::{Engine, Listing};
use crate::error::EngineError;
use crate::exposure::{Exposure, fees_of};
use crate::gate::Guard;
use crate::input::Key;
use crate::ledger::Ledger;
use crate::models::fees::Turnover;
use crate::models::impact::Felt;
use crate::numbers::Result;
use crate::order::Order;
use crate::remote::Remote;
use crate::transit::Message;
use crate::venue::floor::{Floor, PitState};

/// The whole state of an engine; what its hash is taken of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    config: Config,
    ledger: Ledger,
    rates: Vec<Option<i128>>,
    instruments: Vec<Listing>,
    orders: Vec<Order>,
    turnover: Vec<Turnover>,
    fees_paid: BTreeMap<u64, i128>,
    felt: Vec<Felt>,
    guard: Guard,
    pits: Vec<PitState>,
    transit: Vec<Message>,
    last_order: u64,
    last_fill: u64,
    last_key: Option<Key>,
    waiting_since: Option<i64>,
    failed: Option<String>,
    #[serde(default, skip_serializing_if = "Remote::is_empty")]
    remote: Remote,
}

impl Engine {
    /// The state as a value.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            config: self.config.clone(),
            ledger: self.ledger.clone(),
            rates: self.exposure.rates.clone(),
            instruments: self.instruments.clone(),
            orders: self.book.working(),
            turnover: self.turnover.clone(),
            fees_paid: self.fees_paid.clone(),
            felt: self.felt.clone(),
            guard: self.guard.clone(),
            pits: self
                .floor
                .states(|slot| self.book.get(slot).map_or(0, |order| order.id)),
            transit: self.transit.messages(),
            last_order: self.last_order,
            last_fill: self.last_fill,
            last_key: self.last_key,
            waiting_since: self.waiting_since,
            failed: self.failed.clone(),
            remote: self.remote.clone(),
        }
    }

    /// The engine that a snapshot was taken of.
    ///
    /// # Errors
    ///
    /// [`EngineError`] if the snapshot contradicts itself.
    pub fn restore(snapshot: Snapshot) -> Result<Self> {
        let mut engine = Self::new(snapshot.config)?;
        engine.ledger = snapshot.ledger;
        engine.instruments = snapshot.instruments;
        engine.exposure.rates = snapshot.rates;
        engine.turnover = snapshot.turnover;
        engine.fees_paid = snapshot.fees_paid;
        engine.felt = snapshot.felt;
        engine.guard = snapshot.guard;
        engine.last_order = snapshot.last_order;
        engine.last_fill = snapshot.last_fill;
        engine.last_key = snapshot.last_key;
        engine.waiting_since = snapshot.waiting_since;
        engine.failed = snapshot.failed;
        engine.remote = snapshot.remote;
        engine.check_restored(&snapshot.orders)?;
        for order in snapshot.orders {
            let hold = engine.hold_of(&order)?;
            engine.book.insert(&order, hold);
        }
        engine.exposure = engine.exposure_from_scratch()?;
        for instrument in 0..engine.instruments.len() {
            engine.rewatch(instrument);
        }
        engine.restore_floor(&snapshot.pits)?;
        for message in snapshot.transit {
            engine.transit.send(message);
        }
        engine.ledger.verify()?;
        Ok(engine)
    }

    /// Put the markets back, and our orders to their seats in them.
    fn restore_floor(&mut self, pits: &[PitState]) -> Result<()> {
        let fail = || EngineError::Decode("a market of the snapshot is not sound".to_owned());
        self.floor = Floor::restore(&self.config, pits).ok_or_else(fail)?;
        for (instrument, pit) in pits.iter().enumerate() {
            let mut last = 0;
            for seat in pit.seats() {
                let slot = self.book.find(seat.order).ok_or_else(fail)?;
                let order = self.book.get(slot).ok_or_else(fail)?;
                if order.instrument != instrument || seat.rank <= last || seat.ahead < 0 {
                    return Err(fail());
                }
                last = seat.rank;
                self.floor.restore_seat(slot, order, seat);
            }
            if last > self.floor.pits[instrument].desk.ranks {
                return Err(fail());
            }
        }
        Ok(())
    }

    fn check_restored(&self, orders: &[Order]) -> Result<()> {
        let fail = |text: &str| Err(EngineError::Decode(text.to_owned()));
        let count = self.config.instruments.len();
        if self.instruments.len() != count
            || self.exposure.rates.len() != self.config.currencies.len()
            || !self.ledger.fits(&self.config)
            || !self.guard.fits(&self.config)
            || self.felt.len() != count
            || self.turnover.len() != self.config.venues.len()
            || (self.turnover.iter().zip(&self.config.venues))
                .any(|(turnover, venue)| !turnover.fits(&venue.fee))
        {
            return fail("the snapshot's tables do not fit its configuration");
        }
        let mut last = 0;
        for order in orders {
            let sound = order.id > last
                && order.id <= self.last_order
                && order.instrument < count
                && order.sleeve < self.config.sleeves.len()
                && order.filled >= 0
                && (order.filled < order.quantity
                    || (order.parent.is_some() && order.filled == order.quantity))
                && self.instruments[order.instrument].mark.is_some();
            if !sound {
                return fail("a working order of the snapshot is not sound");
            }
            last = order.id;
        }
        Ok(())
    }

    pub(crate) fn exposure_from_scratch(&self) -> Result<Exposure> {
        let mut exposure = Exposure::new(&self.config);
        exposure.rates.clone_from(&self.exposure.rates);
        for (instrument, listed) in self.config.instruments.iter().enumerate() {
            let tier = self.turnover[listed.venue].tier;
            exposure.set_fees(instrument, &fees_of(&self.config, instrument, tier));
        }
        for (instrument, listing) in self.instruments.iter().enumerate() {
            let Some(mark) = listing.mark else { continue };
            for sleeve in 0..self.config.sleeves.len() {
                for leg in 0..self.ledger.legs() {
                    let held = self.ledger.position(sleeve, instrument, leg);
                    let (quantity, cost) = (held.quantity, held.cost);
                    exposure.position_changed(sleeve, instrument, leg, quantity, cost, mark)?;
                }
            }
        }
        for order in self.book.working() {
            let mark = self.mark(order.instrument).unwrap_or(0);
            let hold = exposure.hold_of(&self.config, &order, self.has_paid(order.id))?;
            exposure.in_flight_changed(&order, hold, mark, 1)?;
        }
        Ok(exposure)
    }

    /// Check the books and the running sums against a computation from scratch.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unbalanced`] if they do not agree.
    pub fn audit(&self) -> Result<()> {
        self.ledger.verify()?;
        if self.exposure_from_scratch()? == self.exposure {
            Ok(())
        } else {
            Err(EngineError::Unbalanced {
                event: "running exposures",
                sum: 0,
            })
        }
    }

    /// BLAKE3 of the encoded snapshot, in hexadecimal.
    #[must_use]
    pub fn state_hash(&self) -> String {
        blake3::hash(&encoding::encode(&self.snapshot()))
            .to_hex()
            .to_string()
    }
}
