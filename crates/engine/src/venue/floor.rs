//! All markets of a fund with our orders there.

use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::config::Config;
use crate::market::standing::{Form, NO_ASK, NO_BID, Standing, StandingState};
use crate::order::{Order, Side};
use crate::venue::desk::{Desk, Queue, Seat, SeatState, Stand, key_of};

/// The market of one instrument and our orders in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pit {
    pub(crate) form: Form,
    pub(crate) standing: Standing,
    /// An ask at or below the first, or a bid at or above the second, finds an order of ours.
    watch: (i64, i64),
    pub(crate) desk: Desk,
}

/// [`Pit`] as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PitState {
    standing: StandingState,
    ranks: u64,
    seats: Vec<SeatState>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Floor {
    pub(crate) pits: Vec<Pit>,
    /// By slot: where the order there stands, if it does.
    stands: Vec<Option<Stand>>,
    /// Book messages that are not complete.
    pub(crate) incomplete: usize,
    /// Memory for the orders of a step, used again.
    pub(crate) members: Vec<(Stand, usize)>,
    pub(crate) met: Vec<usize>,
    /// Orders with a limit that the event at hand has triggered.
    pub(crate) triggered: Vec<(u64, usize)>,
}

impl Pit {
    fn new(config: &Config, instrument: usize) -> Self {
        let form = Form::new(config, instrument);
        Self {
            standing: Standing::new(form.kind),
            form,
            watch: (NO_BID, NO_ASK),
            desk: Desk::default(),
        }
    }

    /// Whether the standing market may find an order of ours.
    #[inline]
    pub(crate) fn is_met(&self) -> bool {
        self.standing.ask <= self.watch.0 || self.standing.bid >= self.watch.1
    }

    fn refresh_watch(&mut self) {
        let waits = |side| !self.desk.is_empty(Queue::Waiting, side);
        let buys = if waits(Side::Buy) {
            Some(NO_ASK - 1)
        } else {
            self.desk.best_resting(Side::Buy)
        };
        let sales = if waits(Side::Sell) {
            Some(NO_BID + 1)
        } else {
            self.desk.best_resting(Side::Sell)
        };
        self.watch = (buys.unwrap_or(NO_BID), sales.unwrap_or(NO_ASK));
    }

    fn state(&self, id_of: impl Fn(usize) -> u64) -> PitState {
        let mut seats: Vec<SeatState> = self
            .desk
            .all()
            .map(|(stand, seat)| SeatState {
                order: id_of(seat.slot),
                queue: stand.queue,
                rank: stand.rank,
                ahead: seat.ahead,
                shown: seat.shown,
                place: seat.place,
            })
            .collect();
        seats.sort_unstable_by_key(|seat| seat.rank);
        PitState {
            standing: self.standing.state(),
            ranks: self.desk.ranks,
            seats,
        }
    }
}

impl Floor {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            pits: (0..config.instruments.len())
                .map(|instrument| Pit::new(config, instrument))
                .collect(),
            ..Self::default()
        }
    }

    /// Give an order its seat.
    pub(crate) fn sit(&mut self, instrument: usize, stand: Stand, seat: Seat) {
        if self.stands.len() <= seat.slot {
            self.stands.resize(seat.slot + 1, None);
        }
        self.stands[seat.slot] = Some(stand);
        let pit = &mut self.pits[instrument];
        pit.desk.put(stand, seat);
        pit.refresh_watch();
    }

    /// Take an order's seat away, if it has one.
    #[inline]
    pub(crate) fn leave(&mut self, instrument: usize, slot: usize) {
        if let Some(stand) = self.stands.get_mut(slot).and_then(Option::take) {
            let pit = &mut self.pits[instrument];
            pit.desk.take_away(stand);
            pit.refresh_watch();
        }
    }

    /// Give an order the seat that it had.
    pub(crate) fn restore_seat(&mut self, slot: usize, order: &Order, state: &SeatState) {
        let stand = Stand {
            queue: state.queue,
            side: order.side,
            key: key_in(state.queue, order),
            rank: state.rank,
        };
        let seat = Seat {
            slot,
            ahead: state.ahead,
            shown: state.shown,
            place: state.place,
        };
        self.sit(order.instrument, stand, seat);
    }

    /// Where an order stands.
    pub(crate) fn stand(&self, slot: usize) -> Option<Stand> {
        self.stands.get(slot).copied().flatten()
    }

    /// An instrument is another one after a corporate action: nothing stands until it is told
    /// anew, and our orders keep their ranks at the prices that they have now.
    pub(crate) fn restate(&mut self, config: &Config, instrument: usize, book: &Book) {
        let pit = &mut self.pits[instrument];
        pit.form = Form::new(config, instrument);
        pit.standing.forget();
        let seats: Vec<(Stand, Seat)> = pit.desk.all().map(|(at, seat)| (at, *seat)).collect();
        for (stand, _) in &seats {
            pit.desk.take_away(*stand);
        }
        for (stand, mut seat) in seats {
            let Some(order) = book.get(seat.slot) else {
                continue;
            };
            seat.ahead = 0;
            seat.shown = order.display_quantity.unwrap_or(i64::MAX);
            let stand = Stand {
                key: key_in(stand.queue, order),
                ..stand
            };
            self.sit(instrument, stand, seat);
        }
        self.pits[instrument].refresh_watch();
    }

    pub(crate) fn states(&self, id_of: impl Fn(usize) -> u64) -> Vec<PitState> {
        self.pits.iter().map(|pit| pit.state(&id_of)).collect()
    }

    /// Put the markets back; the seats are left to the caller, who knows the orders. None if a
    /// state contradicts itself.
    pub(crate) fn restore(config: &Config, states: &[PitState]) -> Option<Self> {
        let mut floor = Self::new(config);
        if states.len() != floor.pits.len() {
            return None;
        }
        for (pit, state) in floor.pits.iter_mut().zip(states) {
            pit.standing = Standing::restore(state.standing.clone(), pit.form.kind)?;
            pit.desk.ranks = state.ranks;
            floor.incomplete += usize::from(pit.standing.incomplete);
        }
        Some(floor)
    }
}

/// The key of an order in a queue.
pub(crate) fn key_in(queue: Queue, order: &Order) -> i64 {
    match queue {
        Queue::Resting | Queue::Fresh => key_of(order.side, order.limit_price),
        Queue::Waiting | Queue::Auction => 0,
    }
}

impl PitState {
    pub(crate) fn seats(&self) -> &[SeatState] {
        &self.seats
    }
}
