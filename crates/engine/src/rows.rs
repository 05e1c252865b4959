//! Events told one by one, made rows of a tape: what [`Tape::input`](crate::Tape::input) makes of
//! rows, the other way round.

use crate::action::Action;
use crate::feed::MISSING;
use crate::input::Event;
use crate::market::{AuctionKind, TradingStatus};
use crate::order::Side;
use crate::tape::{MORE, TapeColumns, TapeKind};

/// Kind, flag, instrument or currency, and values of a row.
struct Row(TapeKind, u8, usize, [Option<i64>; 5]);

impl TapeColumns {
    /// Add an event as a row, a corporate action also to `actions`; false where it is none of those
    /// that tapes have.
    ///
    /// # Panics
    ///
    /// If there are more actions than 64 bits can count.
    pub fn push(
        &mut self,
        ts_received: i64,
        ts_event: i64,
        event: &Event,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Some(Row(kind, flag, instrument, values)) = row_of(event, actions.len()) else {
            return false;
        };
        if let Event::Action(action) = event {
            actions.push(action.clone());
        }
        let place = TapeKind::ALL.iter().position(|each| *each == kind);
        let number = place.and_then(|place| u8::try_from(place + 1).ok());
        self.ts_received.push(ts_received);
        self.ts_event.push(ts_event);
        self.kind.push(number.expect("a kind that there is"));
        self.flag.push(flag);
        self.instrument
            .push(i64::try_from(instrument).unwrap_or(i64::MAX));
        for (column, value) in self.values.iter_mut().zip(values) {
            column.push(value.unwrap_or(MISSING));
        }
        true
    }
}

fn more(more: bool) -> u8 {
    if more { MORE } else { 0 }
}

fn side(side: Side) -> u8 {
    u8::from(side == Side::Sell)
}

fn row_of(event: &Event, actions: usize) -> Option<Row> {
    const NO: Option<i64> = None;
    Some(match event {
        Event::Quote {
            instrument,
            quote: q,
        } => Row(
            TapeKind::Quote,
            0,
            *instrument,
            [q.bid, q.bid_size, q.ask, q.ask_size, NO],
        ),
        Event::Trade { instrument, trade } => {
            let flag = match trade.aggressor {
                Some(Side::Buy) => 1,
                Some(Side::Sell) => 2,
                None => 0,
            };
            let values = [Some(trade.price), Some(trade.size), NO, NO, NO];
            Row(TapeKind::Trade, flag, *instrument, values)
        }
        Event::BookLevel { instrument, level } => {
            let values = [Some(level.price), Some(level.size), NO, NO, NO];
            let flag = side(level.side) | more(level.more);
            Row(TapeKind::BookLevel, flag, *instrument, values)
        }
        Event::BookCleared {
            instrument,
            more: goes_on,
        } => Row(TapeKind::BookClear, more(*goes_on), *instrument, [NO; 5]),
        Event::BookOrder { instrument, order } => {
            let id = Some(order.id.cast_signed());
            let flag = side(order.side) | more(order.more);
            if order.size == 0 {
                let values = [NO, NO, id, NO, NO];
                Row(TapeKind::BookOrderDeleted, flag, *instrument, values)
            } else {
                let values = [Some(order.price), Some(order.size), id, NO, NO];
                Row(TapeKind::BookOrderAdded, flag, *instrument, values)
            }
        }
        Event::Auction {
            instrument,
            auction,
        } => {
            let flag = if auction.kind == AuctionKind::Close {
                2
            } else {
                1
            };
            let values = [Some(auction.price), auction.volume, NO, NO, NO];
            Row(TapeKind::Auction, flag, *instrument, values)
        }
        Event::Status { instrument, status } => {
            let flag = u8::from(*status == TradingStatus::Halted);
            Row(TapeKind::Status, flag, *instrument, [NO; 5])
        }
        Event::Funding { instrument, rate } => Row(
            TapeKind::Funding,
            0,
            *instrument,
            [Some(*rate), NO, NO, NO, NO],
        ),
        Event::CurrencyRate { currency, rate } => Row(
            TapeKind::CurrencyRate,
            0,
            *currency,
            [Some(*rate), NO, NO, NO, NO],
        ),
        Event::Bar { instrument, bar } => {
            let [open, high, low] = bar.range.map_or([NO; 3], |range| range.map(Some));
            let values = [open, high, low, Some(bar.close), bar.volume];
            Row(TapeKind::Bar, 0, *instrument, values)
        }
        Event::BarMissing { instrument } => Row(TapeKind::BarMissing, 0, *instrument, [NO; 5]),
        Event::Barrier {
            session_start,
            session_end,
        } => {
            let flag = u8::from(*session_start) | u8::from(*session_end) << 1;
            Row(TapeKind::Barrier, flag, 0, [NO; 5])
        }
        Event::DayEnded { trading } => Row(TapeKind::DayEnded, u8::from(*trading), 0, [NO; 5]),
        Event::Action(_) => {
            let place = i64::try_from(actions).expect("fewer actions than 2^63");
            Row(TapeKind::Action, 0, 0, [Some(place), NO, NO, NO, NO])
        }
        Event::InstrumentEnded { instrument, price } => Row(
            TapeKind::InstrumentEnded,
            0,
            *instrument,
            [*price, NO, NO, NO, NO],
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn every_kind_of_row_comes_back_as_the_event_that_it_was() {
        for (place, kind) in TapeKind::ALL.iter().enumerate() {
            for flag in [0, 1, 2] {
                let columns = TapeColumns {
                    ts_event: vec![7],
                    ts_received: vec![9],
                    kind: vec![u8::try_from(place + 1).unwrap()],
                    flag: vec![flag],
                    instrument: vec![if kind.has_instrument() { 3 } else { 0 }],
                    values: [0, 1, 2, 3, 4].map(|value| vec![value]),
                };
                let action = Action::Delisting {
                    instrument: 1,
                    price: None,
                };
                let input = Tape::new(columns, vec![action], 4, 4).unwrap().input(0);
                let (mut pushed, mut actions) = (TapeColumns::default(), Vec::new());
                assert!(pushed.push(9, 7, &input.event, &mut actions));
                let again = Tape::new(pushed, actions, 4, 4).unwrap().input(0);
                assert_eq!(again, input, "{}", kind.name());
            }
        }
    }

    #[test]
    fn what_no_tape_has_is_no_row() {
        let mut columns = TapeColumns::default();
        let flow = Event::CashFlow {
            sleeve: 0,
            currency: 0,
            amount: 5,
        };
        assert!(!columns.push(9, 7, &flow, &mut Vec::new()));
        assert!(columns.ts_received.is_empty());
    }
}
