//! The state machine: one input in, what it led to out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::config::Config;
use crate::error::EngineError;
use crate::exposure::Exposure;
use crate::gate::{Caps, Enforced, Guard, Losses};
use crate::input::{Bar, Event, Input, Key};
use crate::ledger::Ledger;
use crate::ledger::Trade;
use crate::market::DataKind;
use crate::matching;
use crate::models::fees::Turnover;
use crate::models::impact::Felt;
use crate::numbers::Result;
use crate::order::{Order, OrderStatus, Reason};
use crate::orders::{Watch, advance};
use crate::output::{Fill, FillKind, Output};
use crate::remote::Remote;
use crate::transit::{Errand, Transit};
use crate::venue::floor::Floor;

/// The newest behaviour that this build knows.
pub const SEMANTICS_SUPPORTED: u16 = 2;

/// A fund's engine. See the crate's documentation.
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) ledger: Ledger,
    pub(crate) instruments: Vec<Listing>,
    pub(crate) book: Book,
    pub(crate) last_order: u64,
    pub(crate) last_fill: u64,
    pub(crate) last_key: Option<Key>,
    /// Time of the bars that wait for a barrier.
    pub(crate) waiting_since: Option<i64>,
    pub(crate) failed: Option<String>,
    pub(crate) exposure: Exposure,
    /// Per venue: what we traded there.
    pub(crate) turnover: Vec<Turnover>,
    /// Fees so far of working orders, where the venue has a minimum.
    pub(crate) fees_paid: BTreeMap<u64, i128>,
    /// Per instrument: our own volume that still moves its price.
    pub(crate) felt: Vec<Felt>,
    /// What stands at the venues, and our orders there.
    pub(crate) floor: Floor,
    /// Commands that are not there yet.
    pub(crate) transit: Transit,
    /// What is remembered of the venues outside.
    pub(crate) remote: Remote,
    /// What the gate remembers.
    pub(crate) guard: Guard,
    /// Of the gate and of matching; none of it is state.
    pub(crate) caps: Caps,
    pub(crate) enforced: Enforced,
    pub(crate) losses: Losses,
    pub(crate) matching: matching::Session,
    /// Id and slot of the orders that were released, enlarged or amended within this input and
    /// have not acted yet; it is empty between inputs.
    pub(crate) activated: Vec<(u64, usize)>,
    /// Per instrument: the triggers that wait for market events.
    pub(crate) watches: Vec<Watch>,
    /// Memory of the search for triggers that are met.
    pub(crate) met_ids: Vec<u64>,
}

/// What is known of an instrument.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listing {
    pub(crate) mark: Option<i64>,
    pub(crate) ended: bool,
    pub(crate) missed: u64,
    pub(crate) waiting: Option<Bar>,
    /// When the mark was last confirmed.
    pub(crate) priced_at: i64,
    /// The symbol that it bears, where that has changed.
    pub(crate) symbol: Option<String>,
}

impl Engine {
    /// An engine whose sleeves have received their cash and nothing else has happened.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] or [`EngineError::UnsupportedSemantics`] if it cannot be set up so.
    pub fn new(config: Config) -> Result<Self> {
        config.validate()?;
        check_semantics(config.semantics)?;
        let ledger = Ledger::open(&config)?;
        let instruments = vec![Listing::default(); config.instruments.len()];
        let exposure = Exposure::new(&config);
        let equities = (0..config.sleeves.len())
            .map(|sleeve| exposure.sleeve_equity(&ledger, sleeve))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            exposure,
            guard: Guard::new(&config, &equities),
            losses: Losses::new(&config),
            floor: Floor::new(&config),
            transit: Transit::default(),
            remote: Remote::default(),
            turnover: vec![Turnover::default(); config.venues.len()],
            fees_paid: BTreeMap::new(),
            felt: vec![Felt::default(); instruments.len()],
            watches: instruments.iter().map(|_| Watch::default()).collect(),
            book: Book::new(instruments.len()),
            enforced: Enforced::new(&config),
            config,
            ledger,
            instruments,
            last_order: 0,
            last_fill: 0,
            last_key: None,
            waiting_since: None,
            failed: None,
            caps: Caps::default(),
            matching: matching::Session::default(),
            activated: Vec::new(),
            met_ids: Vec::new(),
        })
    }

    /// Apply one input and return what it led to.
    ///
    /// # Errors
    ///
    /// An [`EngineError`]; the state is then as before, or for good unusable if it was fatal.
    pub fn apply(&mut self, input: &Input) -> Result<Vec<Output>> {
        let mut out = Vec::new();
        self.apply_into(input, &mut out)?;
        Ok(out)
    }

    /// [`Engine::apply`] into a buffer that the caller reuses.
    ///
    /// # Errors
    ///
    /// As for [`Engine::apply`].
    pub fn apply_into(&mut self, input: &Input, out: &mut Vec<Output>) -> Result<()> {
        if let Some(cause) = &self.failed {
            return Err(EngineError::Failed(cause.clone()));
        }
        let key = input.key();
        // Nearly always the time alone tells.
        if let Some(last) = &self.last_key
            && last.ts_received >= key.ts_received
            && *last >= key
        {
            return Err(EngineError::OutOfOrder {
                last: last.to_string(),
                found: key.to_string(),
            });
        }
        if self.floor.incomplete > 0 || self.waiting_since.is_some() {
            self.check_waiting(&key)?;
        }
        match self.take_in(key.ts_received, input, out) {
            Ok(()) => {
                self.last_key = Some(key);
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    #[cold]
    fn fail(&mut self, error: EngineError) -> EngineError {
        if error.is_fatal() {
            self.failed = Some(error.to_string());
        }
        error
    }

    #[inline(always)]
    fn take_in(&mut self, ts: i64, input: &Input, out: &mut Vec<Output>) -> Result<()> {
        let event = &input.event;
        self.check(ts, event)?;
        self.settle_due(ts, out)?;
        self.before_decision(ts, event, out)?;
        // What comes most often takes the shortest way.
        match event {
            Event::Quote { instrument, quote } => self.receive_quote(ts, *instrument, quote, out),
            Event::SubmitOrder(request) => self.place(ts, request, out),
            _ => self.dispatch(input, out),
        }?;
        self.act(ts, out)?;
        self.after_input(ts, event, out)
    }

    fn dispatch(&mut self, input: &Input, out: &mut Vec<Output>) -> Result<()> {
        let ts = input.ts_received;
        match &input.event {
            Event::Bar { instrument, bar } => self.receive_bar(ts, *instrument, bar),
            Event::BarMissing { instrument } => {
                self.miss_bar(ts, *instrument, out);
                Ok(())
            }
            Event::Barrier {
                session_start,
                session_end,
            } => {
                self.match_barrier(ts, *session_start, *session_end, out)?;
                if self.waiting_since.take().is_some() {
                    for listing in &mut self.instruments {
                        listing.waiting = None;
                    }
                }
                self.check_all_margins(ts, out)
            }
            Event::InstrumentEnded { instrument, price } => {
                self.end_instrument(ts, *instrument, *price, out)?;
                self.check_all_margins(ts, out)
            }
            Event::TargetPortfolio { sleeve, targets } => {
                self.apply_targets(ts, *sleeve, targets, out)
            }
            Event::SubmitOrder(request) => self.place(ts, request, out),
            Event::CancelOrder { order } => self.command_order(ts, *order, Errand::Cancel, out),
            Event::ActivateSemantics { number } => {
                self.config.semantics = *number;
                out.push(Output::SemanticsActivated {
                    ts,
                    number: *number,
                });
                Ok(())
            }
            Event::CurrencyRate { currency, rate } => {
                self.set_rate(*currency, *rate)?;
                self.check_all_margins(ts, out)
            }
            Event::InterestRates { .. } | Event::ShortTerms { .. } => {
                self.set_terms(&input.event);
                Ok(())
            }
            Event::Operator(command) => self.command(ts, command, out),
            Event::Report(report) => self.receive_report(ts, report, out),
            Event::RiskFigure(figure) => {
                self.receive_figure(figure);
                Ok(())
            }
            Event::Scenarios(scenarios) => {
                self.receive_scenarios(scenarios);
                Ok(())
            }
            Event::CashFlow {
                sleeve,
                currency,
                amount,
            } => self.move_cash(ts, *sleeve, *currency, *amount, out),
            Event::Action(action) => {
                self.apply_action(ts, action, out)?;
                self.check_all_margins(ts, out)
            }
            Event::DayEnded { trading } => {
                self.end_day(ts, *trading, out)?;
                self.end_day_of_venues()?;
                self.check_all_margins(ts, out)
            }
            Event::Funding { instrument, rate } => self.pay_funding(ts, *instrument, *rate, out),
            Event::Status { instrument, status } => {
                self.receive_status(ts, *instrument, *status, out)
            }
            Event::Quote { instrument, quote } => self.receive_quote(ts, *instrument, quote, out),
            Event::Trade { instrument, trade } => self.receive_trade(ts, *instrument, trade, out),
            Event::BookLevel { instrument, level } => {
                self.receive_level(ts, *instrument, level, out)
            }
            Event::BookCleared { instrument, more } => self.clear_book(ts, *instrument, *more, out),
            Event::BookOrder { instrument, order } => {
                self.receive_book_order(ts, *instrument, order, out)
            }
            Event::Auction {
                instrument,
                auction,
            } => self.hold_auction(ts, *instrument, auction, out),
            Event::SubmitList { orders, link } => self.place_list(ts, orders, *link, out),
            Event::AmendOrder(amendment) => {
                let errand = Errand::Amend(*amendment);
                self.command_order(ts, amendment.order, errand, out)
            }
            Event::ReplaceOrder { order, request } => {
                self.command_order(ts, *order, Errand::Replace(*request), out)
            }
        }
    }

    pub(crate) fn check_index(what: &'static str, found: usize, count: usize) -> Result<()> {
        if found < count {
            Ok(())
        } else {
            Err(EngineError::UnknownIndex { what, count, found })
        }
    }

    fn receive_bar(&mut self, ts: i64, instrument: usize, bar: &Bar) -> Result<()> {
        if self.config.instruments[instrument].matching != DataKind::Bars {
            // Bars of event instruments are only shown.
            return Ok(());
        }
        self.instruments[instrument].waiting = Some(*bar);
        self.waiting_since = Some(ts);
        self.change_mark(ts, instrument, bar.close)
    }

    fn miss_bar(&mut self, ts: i64, instrument: usize, out: &mut Vec<Output>) {
        self.instruments[instrument].missed += 1;
        out.push(Output::BarMissed { ts, instrument });
    }

    /// Book a fill without an order in the ledger and in the exposures.
    pub(crate) fn book_trade(&mut self, fill: &Fill, mark: i64) -> Result<()> {
        let cost = self.book_in_ledger(fill)?;
        let quantity = fill.side.signed(fill.quantity);
        self.exposure
            .position_changed(fill.sleeve, fill.instrument, fill.leg, quantity, cost, mark)
    }

    /// Book a fill in the ledger; returns how it changed the cost of the position.
    #[inline(always)]
    pub(crate) fn book_in_ledger(&mut self, fill: &Fill) -> Result<i128> {
        let (sleeve, instrument) = (fill.sleeve, fill.instrument);
        let listed = &self.config.instruments[instrument];
        let cost = self.ledger.trade(&Trade {
            sleeve,
            instrument,
            leg: fill.leg,
            settlement: listed.settlement,
            days: match fill.kind {
                FillKind::Settlement | FillKind::Action => 0,
                _ => listed.settlement_days,
            },
            quantity: fill.side.signed(fill.quantity),
            per_unit: self.exposure.notional(instrument, 1, fill.price)?,
            fee: fill.fee,
            base_unit: self.exposure.base_unit(instrument),
        })?;
        self.last_fill = fill.id;
        Ok(cost)
    }

    pub(crate) fn cancel(
        &mut self,
        ts: i64,
        slot: usize,
        reason: Reason,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if let Some(order) = self.book.get(slot).copied() {
            if order.remote {
                self.request_cancel(ts, &order, reason, out);
                return Ok(());
            }
            self.finish(slot, OrderStatus::Cancelled)?;
            out.push(Output::OrderCancelled {
                ts,
                order: order.id,
                reason,
            });
            self.after_end(ts, &order, out)?;
        }
        Ok(())
    }

    /// Take a working order out of the book unfilled.
    pub(crate) fn finish(&mut self, slot: usize, status: OrderStatus) -> Result<()> {
        if let Some(mut order) = self.book.get(slot).copied() {
            let mark = self
                .mark(order.instrument)
                .expect("a working order has a price");
            let hold = self.book.hold(slot);
            self.exposure.in_flight_changed(&order, hold, mark, -1)?;
            if order.waits_for_trigger() {
                self.unwatch(&order);
            }
            advance(&mut order, status);
            self.forget_fees(order.id);
            self.floor.leave(order.instrument, slot);
            self.book.remove(slot);
        }
        Ok(())
    }

    pub(crate) fn is_listed(&self, instrument: usize, ts: i64) -> bool {
        let config = &self.config.instruments[instrument];
        !self.instruments[instrument].ended
            && config.effective_from.is_none_or(|from| from <= ts)
            && config.effective_to.is_none_or(|to| ts < to)
    }
}

/// Reading the state.
impl Engine {
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Last close of an instrument, in price units.
    #[must_use]
    pub fn mark(&self, instrument: usize) -> Option<i64> {
        self.instruments[instrument].mark
    }

    /// Bars that an instrument missed while listed.
    #[must_use]
    pub fn missed(&self, instrument: usize) -> u64 {
        self.instruments[instrument].missed
    }

    #[must_use]
    pub fn last_order(&self) -> u64 {
        self.last_order
    }

    /// How many fills there were.
    #[must_use]
    pub fn last_fill(&self) -> u64 {
        self.last_fill
    }

    /// A working order.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<&Order> {
        self.book.find(id).and_then(|slot| self.book.get(slot))
    }

    /// Cash plus marked positions of a sleeve, in money.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if the sum does not fit.
    pub fn sleeve_equity(&self, sleeve: usize) -> Result<i128> {
        self.exposure.sleeve_equity(&self.ledger, sleeve)
    }

    /// Cash plus marked positions of the fund, in money.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if the sum does not fit.
    pub fn equity(&self) -> Result<i128> {
        self.exposure.equity(&self.ledger)
    }

    /// Value of all positions at their marks; long only, so gross and net are the same.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if the sum does not fit.
    pub fn positions_value(&self) -> Result<i128> {
        self.exposure.positions_value()
    }

    /// Value of a position at its mark.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if it does not fit.
    pub fn position_value(&self, sleeve: usize, instrument: usize) -> Result<i128> {
        let quantity = self.ledger.quantity(sleeve, instrument);
        self.exposure
            .notional(instrument, quantity, self.mark(instrument).unwrap_or(0))
    }
}

pub(crate) fn check_semantics(found: u16) -> Result<()> {
    if found == SEMANTICS_SUPPORTED {
        Ok(())
    } else {
        Err(EngineError::UnsupportedSemantics {
            found,
            supported: SEMANTICS_SUPPORTED,
        })
    }
}
