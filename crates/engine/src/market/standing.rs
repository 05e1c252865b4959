//! What stands in the market of one event instrument: `docs/engine/matching.md`, section 2.

use serde::{Deserialize, Serialize};

use crate::config::{Config, RateSource, Venue};
use crate::market::ladder::{Ladder, Level};
use crate::market::queue::{Queue, QueueState};
use crate::market::{DataKind, Quote};
use crate::models::SlippageModel;
use crate::numbers::{RATE_ONE, Rounding, div_round};
use crate::order::Side;

/// No bid stands; below all prices, so that comparisons need no further case.
pub(crate) const NO_BID: i64 = i64::MIN;
/// No ask stands.
pub(crate) const NO_ASK: i64 = i64::MAX;
/// A size that is not known.
pub(crate) const UNLIMITED: i64 = i64::MAX;
/// The largest price and size of the market, without sign.
pub(crate) const LARGEST: i64 = 1 << 60;

/// What of the configuration the market of an instrument needs at every event.
#[expect(clippy::struct_excessive_bools, reason = "facts, each its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) kind: DataKind,
    pub(crate) lot_size: i64,
    pub(crate) price_min: i64,
    pub(crate) participation: Option<i64>,
    /// Whether a currency's rate follows its mark.
    pub(crate) moves_rate: bool,
    pub(crate) listed_from: i64,
    pub(crate) listed_to: i64,
    /// Whether the venue adds nothing to the prices that the market shows.
    pub(crate) is_exact: bool,
    /// Whether our own volume moves prices.
    pub(crate) has_impact: bool,
    /// Whether commands act at once.
    pub(crate) is_prompt: bool,
    /// Whether the venue is one outside, where nothing is matched here.
    pub(crate) is_remote: bool,
}

impl Form {
    pub(crate) fn new(config: &Config, instrument: usize) -> Self {
        let listed = &config.instruments[instrument];
        let venue: &Venue = config.venue_of(instrument);
        Self {
            kind: listed.matching,
            lot_size: listed.lot_size,
            price_min: if listed.negative_prices { -LARGEST } else { 1 },
            participation: venue.participation_max,
            moves_rate: config.currencies.iter().any(|currency| {
                matches!(currency.source, RateSource::Pair { instrument: pair, .. } if pair == instrument)
            }),
            listed_from: listed.effective_from.unwrap_or(i64::MIN),
            listed_to: listed.effective_to.unwrap_or(i64::MAX),
            is_exact: venue.impact.is_none() && venue.slippage == SlippageModel::default(),
            has_impact: venue.impact.is_some(),
            is_prompt: venue.latency.is_none(),
            is_remote: venue.remote,
        }
    }

    /// What we may use of a size, in whole lots.
    #[inline]
    pub(crate) fn offer(&self, size: i64) -> i64 {
        if size == UNLIMITED {
            return UNLIMITED;
        }
        let part = match self.participation {
            Some(rate) => {
                let product = i128::from(size) * i128::from(rate);
                let part = div_round(product, i128::from(RATE_ONE), Rounding::Down);
                i64::try_from(part).expect("no more than the size")
            }
            None => size,
        };
        self.lots(part)
    }

    /// Down to whole lots, and not below 0.
    #[inline]
    pub(crate) fn lots(&self, quantity: i64) -> i64 {
        let quantity = quantity.max(0);
        if self.lot_size == 1 {
            quantity
        } else {
            quantity - quantity % self.lot_size
        }
    }

    /// What is left of a level for us.
    #[inline]
    pub(crate) fn left(&self, level: &Level) -> i64 {
        match self.offer(level.size) {
            UNLIMITED => UNLIMITED,
            offer => self.lots(offer - level.taken.min(offer)),
        }
    }

    pub(crate) fn is_price(&self, price: i64) -> bool {
        self.price_min <= price && price <= LARGEST
    }
}

/// The levels of a book, and for L3 its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Depth {
    pub(crate) bids: Ladder,
    pub(crate) asks: Ladder,
    pub(crate) queue: Queue,
}

impl Default for Depth {
    fn default() -> Self {
        Self {
            bids: Ladder::new(Side::Buy),
            asks: Ladder::new(Side::Sell),
            queue: Queue::default(),
        }
    }
}

impl Depth {
    pub(crate) fn side(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    pub(crate) fn side_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// What stands now. Prices are [`NO_BID`] and [`NO_ASK`] where nothing does, sizes
/// [`UNLIMITED`] where they are not known.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) bid: i64,
    pub(crate) ask: i64,
    /// Of quotes; books keep them in their levels.
    bid_size: i64,
    ask_size: i64,
    bid_taken: i64,
    ask_taken: i64,
    /// Price of the last trade.
    pub(crate) last: Option<i64>,
    /// Whether there has been a market with both sides.
    pub(crate) was_quoted: bool,
    pub(crate) halted: bool,
    /// A book message is not complete yet, and whether it is a snapshot.
    pub(crate) incomplete: bool,
    pub(crate) cleared: bool,
    pub(crate) depth: Option<Box<Depth>>,
}

/// [`Standing`] as it is written down.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StandingState {
    quote: Quote,
    taken: [i64; 2],
    last: Option<i64>,
    was_quoted: bool,
    halted: bool,
    incomplete: bool,
    cleared: bool,
    levels: Option<(Ladder, Ladder)>,
    queue: Option<QueueState>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            bid: NO_BID,
            ask: NO_ASK,
            bid_size: 0,
            ask_size: 0,
            bid_taken: 0,
            ask_taken: 0,
            last: None,
            was_quoted: false,
            halted: false,
            incomplete: false,
            cleared: false,
            depth: None,
        }
    }
}

impl Standing {
    pub(crate) fn new(kind: DataKind) -> Self {
        Self {
            depth: matches!(kind, DataKind::L2 | DataKind::L3).then(Box::default),
            ..Self::default()
        }
    }

    #[inline]
    pub(crate) fn set_quote(&mut self, quote: &Quote) {
        let (bid_size, ask_size) = (
            quote.bid_size.unwrap_or(UNLIMITED),
            quote.ask_size.unwrap_or(UNLIMITED),
        );
        self.bid = quote.bid.filter(|_| bid_size > 0).unwrap_or(NO_BID);
        self.ask = quote.ask.filter(|_| ask_size > 0).unwrap_or(NO_ASK);
        self.bid_size = bid_size;
        self.ask_size = ask_size;
        self.bid_taken = 0;
        self.ask_taken = 0;
    }

    /// Nothing stands any more, and no trade counts as the last.
    pub(crate) fn forget(&mut self) {
        self.set_quote(&Quote::default());
        self.last = None;
        if let Some(depth) = &mut self.depth {
            depth.bids.clear();
            depth.asks.clear();
            depth.queue.forget();
        }
    }

    /// Take the best prices over from the levels.
    pub(crate) fn refresh_best(&mut self) {
        if let Some(depth) = &self.depth {
            self.bid = depth.bids.best().unwrap_or(NO_BID);
            self.ask = depth.asks.best().unwrap_or(NO_ASK);
        }
    }

    /// The middle of a market that has both sides and is not crossed, rounded down.
    #[inline]
    pub(crate) fn middle(&self) -> Option<i64> {
        if self.bid == NO_BID || self.ask == NO_ASK || self.bid > self.ask {
            return None;
        }
        Some((self.bid + self.ask) >> 1)
    }

    pub(crate) fn is_crossed(&self) -> bool {
        self.bid > self.ask
    }

    /// Whether anything can be matched against it.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        !self.halted && !self.incomplete && !self.is_crossed()
    }

    /// The best price that an order of this side takes from.
    #[inline]
    pub(crate) fn far(&self, side: Side) -> Option<i64> {
        match side {
            Side::Buy => Some(self.ask).filter(|price| *price != NO_ASK),
            Side::Sell => Some(self.bid).filter(|price| *price != NO_BID),
        }
    }

    /// The level of the far side so many below the best.
    #[inline]
    pub(crate) fn far_level(&self, side: Side, depth: usize) -> Option<Level> {
        if let Some(book) = &self.depth {
            return book.side(side.opposite()).level(depth).copied();
        }
        let price = self.far(side).filter(|_| depth == 0)?;
        let (shown, taken) = match side {
            Side::Buy => (self.ask_size, self.ask_taken),
            Side::Sell => (self.bid_size, self.bid_taken),
        };
        Some(Level {
            price,
            size: shown,
            taken,
        })
    }

    /// An order of ours took from the far side.
    #[inline]
    pub(crate) fn take(&mut self, side: Side, depth: usize, quantity: i64) {
        if let Some(book) = &mut self.depth {
            book.side_mut(side.opposite()).take(depth, quantity);
            return;
        }
        let (shown, taken) = match side {
            Side::Buy => (self.ask_size, &mut self.ask_taken),
            Side::Sell => (self.bid_size, &mut self.bid_taken),
        };
        if shown != UNLIMITED {
            *taken += quantity;
        }
    }

    pub(crate) fn state(&self) -> StandingState {
        let some = |price: i64| Some(price).filter(|p| *p != NO_BID && *p != NO_ASK);
        let size = |size: i64| Some(size).filter(|s| *s != UNLIMITED);
        StandingState {
            quote: Quote {
                bid: some(self.bid),
                bid_size: size(self.bid_size),
                ask: some(self.ask),
                ask_size: size(self.ask_size),
            },
            taken: [self.bid_taken, self.ask_taken],
            last: self.last,
            was_quoted: self.was_quoted,
            halted: self.halted,
            incomplete: self.incomplete,
            cleared: self.cleared,
            levels: self
                .depth
                .as_ref()
                .map(|depth| (depth.bids.clone(), depth.asks.clone())),
            queue: self.depth.as_ref().map(|depth| depth.queue.state()),
        }
    }

    /// What a state describes; None if it contradicts itself or the kind of data.
    pub(crate) fn restore(state: StandingState, kind: DataKind) -> Option<Self> {
        let mut standing = Self::new(kind);
        match (&mut standing.depth, state.levels, state.queue) {
            (Some(depth), Some((bids, asks)), Some(queue))
                if bids.is_sound(Side::Buy) && asks.is_sound(Side::Sell) =>
            {
                depth.bids = bids;
                depth.asks = asks;
                depth.queue = Queue::restore(queue);
            }
            (None, None, None) => {}
            _ => return None,
        }
        let quote = state.quote;
        standing.bid = quote.bid.unwrap_or(NO_BID);
        standing.ask = quote.ask.unwrap_or(NO_ASK);
        standing.bid_size = quote.bid_size.unwrap_or(UNLIMITED);
        standing.ask_size = quote.ask_size.unwrap_or(UNLIMITED);
        let [bid_taken, ask_taken] = state.taken;
        standing.bid_taken = bid_taken;
        standing.ask_taken = ask_taken;
        standing.last = state.last;
        standing.was_quoted = state.was_quoted;
        standing.halted = state.halted;
        standing.incomplete = state.incomplete;
        standing.cleared = state.cleared;
        Some(standing)
    }
}
