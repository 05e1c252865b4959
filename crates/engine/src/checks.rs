//! What makes an input refused. It is looked at before anything happens, what time brings
//! included, so that a refused input changes nothing.

use crate::config::PositionMode;
use crate::engine::{Engine, check_semantics};
use crate::error::EngineError;
use crate::input::{Bar, Event, Key, OrderRequest};
use crate::market::standing::{Form, LARGEST};
use crate::market::{Auction, BookLevel, BookOrder, DataKind, Quote, Tick};
use crate::numbers::Result;
use crate::risk::{Command, RiskFigure, Scenarios};

const NOT_LISTED: &str = "the instrument is not listed now";
const PRICE: &str =
    "a price must be positive, unless the instrument allows others, and within 2^60";
const SIZE: &str = "a size must not be negative, and within 2^60";

type Problem = Option<&'static str>;

impl Engine {
    /// Refuse an input that cannot be.
    #[inline]
    pub(crate) fn check(&self, ts: i64, event: &Event) -> Result<()> {
        match event {
            Event::Quote { instrument, quote } => {
                self.check_data(ts, *instrument, |form| quote_problem(form, quote))
            }
            Event::Trade { instrument, trade } => {
                self.check_data(ts, *instrument, |form| trade_problem(form, trade))
            }
            Event::BookLevel { instrument, level } => {
                self.check_data(ts, *instrument, |form| level_problem(form, level))
            }
            Event::BookOrder { instrument, order } => self.check_book_order(ts, *instrument, order),
            Event::SubmitOrder(request) => self.check_request(request),
            other => self.check_other(ts, other),
        }
    }

    /// Refuse what comes between the parts of a book message, or of a barrier.
    pub(crate) fn check_waiting(&self, key: &Key) -> Result<()> {
        if self.floor.incomplete > 0 {
            let since = self
                .last_key
                .map_or(key.ts_received, |last| last.ts_received);
            if key.ts_received > since || key.class > 2 {
                return Err(EngineError::MessageIncomplete {
                    since,
                    class: key.class,
                    ts: key.ts_received,
                });
            }
        }
        match self.waiting_since {
            Some(since) if key.ts_received > since || key.class > 3 => {
                Err(EngineError::BarrierMissing {
                    waiting_since: since,
                    class: key.class,
                    ts: key.ts_received,
                })
            }
            _ => Ok(()),
        }
    }

    /// What comes less often.
    fn check_other(&self, ts: i64, event: &Event) -> Result<()> {
        match event {
            Event::Bar { instrument, bar } => self.check_bar(ts, *instrument, bar),
            Event::BarMissing { instrument } => self.check_instrument(*instrument),
            Event::Status { instrument, .. } => self.check_data(ts, *instrument, |_| None),
            Event::BookCleared { instrument, .. } => self.check_data(ts, *instrument, |form| {
                let is_book = matches!(form.kind, DataKind::L2 | DataKind::L3);
                (!is_book).then_some("books are for instruments on l2 and l3")
            }),
            Event::Auction {
                instrument,
                auction,
            } => {
                self.check_instrument(*instrument)?;
                let has_auctions = self.config.instruments[*instrument].has_auctions;
                self.check_data(ts, *instrument, |form| {
                    auction_problem(form, auction, has_auctions)
                })
            }
            Event::TargetPortfolio { sleeve, targets } => self.check_targets(*sleeve, targets),
            Event::SubmitList { orders, .. } => orders
                .iter()
                .try_for_each(|request| self.check_request(request)),
            Event::ReplaceOrder { request, .. } => self.check_request(request),
            Event::ActivateSemantics { number } => check_semantics(*number),
            Event::Operator(command) => self.check_command(command),
            Event::Report(report) => self.check_report(report),
            Event::RiskFigure(figure) => self.check_figure(figure),
            Event::Scenarios(scenarios) => self.check_scenarios(scenarios),
            other => self.check_accounts(other),
        }
    }

    pub(crate) fn check_instrument(&self, found: usize) -> Result<()> {
        Self::check_index("instrument", found, self.config.instruments.len())
    }

    pub(crate) fn check_sleeve(&self, found: usize) -> Result<()> {
        Self::check_index("sleeve", found, self.config.sleeves.len())
    }

    #[inline]
    fn check_request(&self, request: &OrderRequest) -> Result<()> {
        self.check_sleeve(request.sleeve)?;
        self.check_instrument(request.instrument)
    }

    fn check_targets(&self, sleeve: usize, targets: &[(usize, i64)]) -> Result<()> {
        self.check_sleeve(sleeve)?;
        if self.config.account.positions == PositionMode::Hedging {
            return Err(EngineError::TargetsNeedNetting);
        }
        let mut named: Vec<usize> = targets.iter().map(|target| target.0).collect();
        named.sort_unstable();
        for (place, instrument) in named.iter().enumerate() {
            self.check_instrument(*instrument)?;
            if place > 0 && named[place - 1] == *instrument {
                return Err(EngineError::DuplicateTarget {
                    instrument: self.config.instruments[*instrument].id.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_command(&self, command: &Command) -> Result<()> {
        match command {
            Command::Sleeve { sleeve, .. } => self.check_sleeve(*sleeve),
            Command::ChangeLimit { name, value } => self.config.limits.clone().change(name, *value),
            _ => Ok(()),
        }
    }

    pub(crate) fn check_figure(&self, figure: &RiskFigure) -> Result<()> {
        let problem = if figure.instrument.is_none() != figure.kind.is_of_fund() {
            "must name an instrument, and figures of the fund must not"
        } else if !figure.kind.allows(figure.value) {
            "must be in its range"
        } else {
            return match figure.instrument {
                Some(instrument) => self.check_instrument(instrument),
                None => Ok(()),
            };
        };
        Err(EngineError::InvalidFigure {
            kind: figure.kind.name(),
            problem,
            found: figure.value,
        })
    }

    pub(crate) fn check_scenarios(&self, scenarios: &Scenarios) -> Result<()> {
        self.check_instrument(scenarios.instrument)?;
        let wanted = self.config.limits.value_at_risk.map_or(0, |v| v.scenarios) as usize;
        if wanted == scenarios.returns.len() && wanted > 0 {
            return Ok(());
        }
        Err(EngineError::InvalidFigure {
            kind: "scenarios",
            problem: "must have as many returns as `limits.value_at_risk` says",
            found: i64::try_from(scenarios.returns.len()).unwrap_or(i64::MAX),
        })
    }

    fn check_bar(&self, ts: i64, instrument: usize, bar: &Bar) -> Result<()> {
        self.check_instrument(instrument)?;
        let config = &self.config.instruments[instrument];
        if config.matching != DataKind::Bars {
            return self.check_data(ts, instrument, |form| bar_problem(form, bar));
        }
        match self.waiting_bar_problem(instrument, bar) {
            None => Ok(()),
            Some(problem) => Err(EngineError::InvalidBar {
                instrument: config.id.clone(),
                ts,
                problem,
            }),
        }
    }

    /// What is wrong with a bar that waits for its barrier.
    fn waiting_bar_problem(&self, instrument: usize, bar: &Bar) -> Problem {
        let listing = &self.instruments[instrument];
        let config = &self.config.instruments[instrument];
        if listing.ended {
            return Some("the instrument has ended");
        }
        if listing.waiting.is_some() {
            return Some("a second bar before the barrier");
        }
        if config.close_only != bar.range.is_none() {
            return Some(
                "open, high and low must be there for OHLC and absent for close-only instruments",
            );
        }
        if bar.volume.is_none() && self.config.venue_of(instrument).participation_max.is_some() {
            return Some("the participation cap needs volume");
        }
        bar_problem(&self.floor.pits[instrument].form, bar)
    }

    /// Refuse data of instruments that are not there, and what `problem_of` says.
    #[inline(always)]
    fn check_data(
        &self,
        ts: i64,
        instrument: usize,
        problem_of: impl Fn(&Form) -> Problem,
    ) -> Result<()> {
        Self::check_index("instrument", instrument, self.floor.pits.len())?;
        let form = &self.floor.pits[instrument].form;
        let is_listed = form.listed_from <= ts && ts < form.listed_to;
        let problem = if !is_listed || self.instruments[instrument].ended {
            Some(NOT_LISTED)
        } else {
            problem_of(form)
        };
        match problem {
            Some(problem) => Err(self.invalid(ts, instrument, problem)),
            None => Ok(()),
        }
    }

    fn check_book_order(&self, ts: i64, instrument: usize, order: &BookOrder) -> Result<()> {
        self.check_data(ts, instrument, |form| {
            if form.kind != DataKind::L3 {
                Some("orders of a book are for instruments on l3")
            } else if order.size > 0 && !form.is_price(order.price) {
                Some(PRICE)
            } else if !(0..=LARGEST).contains(&order.size) {
                Some(SIZE)
            } else {
                None
            }
        })?;
        let depth = self.floor.pits[instrument].standing.depth.as_ref();
        let stands = depth.map_or(0, |depth| depth.side(order.side).size_at(order.price));
        if stands + order.size > LARGEST {
            return Err(self.invalid(ts, instrument, "a level must be within 2^60"));
        }
        Ok(())
    }

    #[cold]
    fn invalid(&self, ts: i64, instrument: usize, problem: &'static str) -> EngineError {
        EngineError::InvalidData {
            instrument: self.config.instruments[instrument].id.clone(),
            ts,
            problem,
        }
    }
}

#[inline(always)]
fn quote_problem(form: &Form, quote: &Quote) -> Problem {
    // Nearly always both sides are there, and sound.
    if let (Some(bid), Some(bid_size), Some(ask), Some(ask_size)) =
        (quote.bid, quote.bid_size, quote.ask, quote.ask_size)
        && form.is_price(bid)
        && form.is_price(ask)
        && (0..=LARGEST).contains(&bid_size)
        && (0..=LARGEST).contains(&ask_size)
    {
        return None;
    }
    unusual_quote_problem(form, quote)
}

fn unusual_quote_problem(form: &Form, quote: &Quote) -> Problem {
    for (price, size) in [(quote.bid, quote.bid_size), (quote.ask, quote.ask_size)] {
        match (price, size) {
            (Some(price), _) if !form.is_price(price) => return Some(PRICE),
            (Some(_), None) if form.participation.is_some() => {
                return Some("the participation cap needs sizes");
            }
            (_, Some(size)) if !(0..=LARGEST).contains(&size) => return Some(SIZE),
            (None, Some(_)) => return Some("a size needs its price"),
            _ => {}
        }
    }
    None
}

fn trade_problem(form: &Form, trade: &Tick) -> Problem {
    if !form.is_price(trade.price) {
        Some(PRICE)
    } else if !(1..=LARGEST).contains(&trade.size) {
        Some("the size of a trade must be positive and within 2^60")
    } else {
        None
    }
}

fn level_problem(form: &Form, level: &BookLevel) -> Problem {
    if form.kind != DataKind::L2 {
        Some("levels are for instruments on l2")
    } else if !form.is_price(level.price) {
        Some(PRICE)
    } else if !(0..=LARGEST).contains(&level.size) {
        Some(SIZE)
    } else {
        None
    }
}

fn auction_problem(form: &Form, auction: &Auction, has_auctions: bool) -> Problem {
    if !has_auctions {
        Some("an auction of an instrument without `has_auctions`")
    } else if !form.is_price(auction.price) {
        Some(PRICE)
    } else if auction.volume.is_none() && form.participation.is_some() {
        Some("the participation cap needs the volume of auctions")
    } else if auction.volume.is_some_and(|v| !(0..=LARGEST).contains(&v)) {
        Some("the volume of an auction must not be negative, and within 2^60")
    } else {
        None
    }
}

fn bar_problem(form: &Form, bar: &Bar) -> Problem {
    if !form.is_price(bar.close) {
        return Some(PRICE);
    }
    if let Some([open, high, low]) = bar.range
        && !(form.is_price(low)
            && form.is_price(high)
            && low <= open.min(bar.close)
            && open.max(bar.close) <= high)
    {
        return Some("needs prices with low <= open, close <= high");
    }
    bar.volume
        .is_some_and(|volume| !(0..=LARGEST).contains(&volume))
        .then_some("volume must not be negative, and within 2^60")
}
