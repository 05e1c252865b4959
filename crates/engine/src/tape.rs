//! Columns of market events, turned into inputs one row at a time.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::error::EngineError;
use crate::feed::MISSING;
use crate::input::{Bar, Event, Input};
use crate::market::{Auction, AuctionKind, BookLevel, BookOrder, Quote, Tick, TradingStatus};
use crate::numbers::Result;
use crate::order::{Side, named};

named!(
    /// What a row of a tape is; its number there is its place here, counted from one.
    TapeKind {
        Quote = "quote",
        Trade = "trade",
        BookLevel = "book_level",
        BookClear = "book_clear",
        BookOrderAdded = "book_order_added",
        BookOrderModified = "book_order_modified",
        BookOrderDeleted = "book_order_deleted",
        Auction = "auction",
        Status = "status",
        Funding = "funding",
        CurrencyRate = "currency_rate",
        Bar = "bar",
        BarMissing = "bar_missing",
        Barrier = "barrier",
        DayEnded = "day_ended",
        Action = "action",
        InstrumentEnded = "instrument_ended",
    }
);

/// Bit of a flag that says that the message goes on.
pub(crate) const MORE: u8 = 0x80;

/// Rows of events in integer units; what is not there is [`MISSING`].
#[derive(Debug, Clone, Default)]
pub struct TapeColumns {
    pub ts_event: Vec<i64>,
    pub ts_received: Vec<i64>,
    /// A [`TapeKind`] by its number, from one on.
    pub kind: Vec<u8>,
    /// By kind: bit 0 the side, the aggressor, the phase, the state, the edges of a session;
    /// bit 7 that the message goes on.
    pub flag: Vec<u8>,
    /// Index of an instrument, of a currency for a rate, 0 where neither.
    pub instrument: Vec<i64>,
    /// By kind: prices, sizes, rates, ids.
    pub values: [Vec<i64>; 5],
}

/// Checked columns.
#[derive(Debug, Clone)]
pub struct Tape {
    rows: TapeColumns,
    actions: Vec<Action>,
}

impl TapeKind {
    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// Rank among events of the same time, as of [`Event::class`].
    #[must_use]
    pub fn class(self) -> u8 {
        match self {
            Self::Action | Self::InstrumentEnded => 1,
            Self::Barrier | Self::DayEnded => 3,
            _ => 2,
        }
    }

    /// Whether it is of an instrument.
    #[must_use]
    pub fn has_instrument(self) -> bool {
        !matches!(
            self,
            Self::CurrencyRate | Self::Barrier | Self::DayEnded | Self::Action
        )
    }

    /// How many of the values from the first on must be there.
    fn needed(self) -> &'static [usize] {
        match self {
            Self::Trade | Self::BookLevel => &[0, 1],
            Self::BookOrderAdded | Self::BookOrderModified => &[0, 1, 2],
            Self::BookOrderDeleted => &[2],
            Self::Auction | Self::Funding | Self::CurrencyRate | Self::Action => &[0],
            Self::Bar => &[3],
            _ => &[],
        }
    }
}

impl Tape {
    /// Check the columns of a run of so many instruments and currencies; `actions` are those that
    /// rows of that kind name by their place.
    ///
    /// # Errors
    ///
    /// [`EngineError::Columns`] naming the first row that is wrong.
    pub fn new(
        rows: TapeColumns,
        actions: Vec<Action>,
        instruments: usize,
        currencies: usize,
    ) -> Result<Self> {
        let count = rows.ts_received.len();
        let values = ["a", "b", "c", "d", "e"].into_iter().zip(&rows.values);
        let mut lengths = vec![
            ("ts_event", rows.ts_event.len()),
            ("instrument", rows.instrument.len()),
            ("kind", rows.kind.len()),
            ("flag", rows.flag.len()),
        ];
        lengths.extend(values.map(|(name, column)| (name, column.len())));
        if let Some((name, found)) = lengths.into_iter().find(|(_, found)| *found != count) {
            return Err(EngineError::Columns(format!(
                "`{name}` must have a value per row of the tape, {count}; found {found}"
            )));
        }
        let tape = Self { rows, actions };
        for row in 0..count {
            if let Some(problem) = tape.problem(row, instruments, currencies) {
                return Err(EngineError::Columns(format!(
                    "row {row} of the tape {problem}"
                )));
            }
        }
        Ok(tape)
    }

    fn problem(&self, row: usize, instruments: usize, currencies: usize) -> Option<&'static str> {
        let rows = &self.rows;
        let Some(kind) = TapeKind::from_number(rows.kind[row]) else {
            return Some("is of an unknown kind");
        };
        let index = usize::try_from(rows.instrument[row]).unwrap_or(usize::MAX);
        if kind.has_instrument() && index >= instruments {
            return Some("names an instrument that there is not");
        }
        if kind == TapeKind::CurrencyRate && index >= currencies {
            return Some("names a currency that there is not");
        }
        if kind
            .needed()
            .iter()
            .any(|value| rows.values[*value][row] == MISSING)
        {
            return Some("lacks a value");
        }
        if kind == TapeKind::Action && self.place_of_action(row) >= self.actions.len() {
            return Some("names an action that there is not");
        }
        let before = row.checked_sub(1)?;
        let place = |row: usize| (rows.ts_received[row], self.kind(row).class());
        (place(before) > place(row)).then_some("must not be earlier than the one before")
    }

    fn place_of_action(&self, row: usize) -> usize {
        usize::try_from(self.rows.values[0][row]).unwrap_or(usize::MAX)
    }

    /// The corporate actions that rows name by their place.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.ts_received.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.ts_received.is_empty()
    }

    /// When a row could be known.
    #[must_use]
    pub fn ts(&self, row: usize) -> i64 {
        self.rows.ts_received[row]
    }

    /// What a row is.
    ///
    /// # Panics
    ///
    /// If there is no such row, which is a programmer's mistake.
    #[inline]
    #[must_use]
    pub fn kind(&self, row: usize) -> TapeKind {
        TapeKind::from_number(self.rows.kind[row]).expect("a checked kind")
    }

    /// Index of the instrument, or currency, of a row.
    ///
    /// # Panics
    ///
    /// If there is no such row, which is a programmer's mistake.
    #[inline]
    #[must_use]
    pub fn index(&self, row: usize) -> usize {
        usize::try_from(self.rows.instrument[row]).expect("a checked index")
    }

    /// Value `0` to `4` of a row, if it is there.
    #[inline]
    #[must_use]
    pub fn value(&self, row: usize, place: usize) -> Option<i64> {
        let value = self.rows.values[place][row];
        (value != MISSING).then_some(value)
    }

    fn known(&self, row: usize, place: usize) -> i64 {
        self.rows.values[place][row]
    }

    /// Whether the message of a row goes on with a later one.
    #[inline]
    #[must_use]
    pub fn more(&self, row: usize) -> bool {
        self.rows.flag[row] & MORE != 0
    }

    /// Side of the incoming order of a trade, where it is known.
    #[inline]
    #[must_use]
    pub fn aggressor(&self, row: usize) -> Option<Side> {
        match self.rows.flag[row] {
            1 => Some(Side::Buy),
            2 => Some(Side::Sell),
            _ => None,
        }
    }

    fn side(&self, row: usize) -> Side {
        if self.rows.flag[row] & 1 == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    /// A row as the engine takes it.
    #[inline]
    #[must_use]
    pub fn input(&self, row: usize) -> Input {
        Input {
            ts_event: self.rows.ts_event[row],
            ts_received: self.rows.ts_received[row],
            source: 0,
            sequence: row as u64,
            event: self.event(row),
        }
    }

    fn event(&self, row: usize) -> Event {
        let flag = self.rows.flag[row];
        let instrument = if self.kind(row).has_instrument() {
            self.index(row)
        } else {
            0
        };
        match self.kind(row) {
            TapeKind::Quote => Event::Quote {
                instrument,
                quote: Quote {
                    bid: self.value(row, 0),
                    bid_size: self.value(row, 1),
                    ask: self.value(row, 2),
                    ask_size: self.value(row, 3),
                },
            },
            TapeKind::Trade => Event::Trade {
                instrument,
                trade: Tick {
                    price: self.known(row, 0),
                    size: self.known(row, 1),
                    aggressor: self.aggressor(row),
                },
            },
            TapeKind::BookLevel => Event::BookLevel {
                instrument,
                level: BookLevel {
                    side: self.side(row),
                    price: self.known(row, 0),
                    size: self.known(row, 1),
                    more: self.more(row),
                },
            },
            TapeKind::BookClear => Event::BookCleared {
                instrument,
                more: self.more(row),
            },
            TapeKind::BookOrderAdded | TapeKind::BookOrderModified | TapeKind::BookOrderDeleted => {
                Event::BookOrder {
                    instrument,
                    order: self.book_order(row),
                }
            }
            TapeKind::Auction => Event::Auction {
                instrument,
                auction: Auction {
                    kind: if flag == 2 {
                        AuctionKind::Close
                    } else {
                        AuctionKind::Open
                    },
                    price: self.known(row, 0),
                    volume: self.value(row, 1),
                },
            },
            TapeKind::Status => Event::Status {
                instrument,
                status: if flag == 0 {
                    TradingStatus::Trading
                } else {
                    TradingStatus::Halted
                },
            },
            TapeKind::Funding => Event::Funding {
                instrument,
                rate: self.known(row, 0),
            },
            TapeKind::CurrencyRate => Event::CurrencyRate {
                currency: self.index(row),
                rate: self.known(row, 0),
            },
            TapeKind::Bar => Event::Bar {
                instrument,
                bar: self.bar(row),
            },
            TapeKind::BarMissing => Event::BarMissing { instrument },
            TapeKind::Barrier => Event::Barrier {
                session_start: flag & 1 != 0,
                session_end: flag & 2 != 0,
            },
            TapeKind::DayEnded => Event::DayEnded {
                trading: flag & 1 != 0,
            },
            TapeKind::Action => Event::Action(self.actions[self.place_of_action(row)].clone()),
            TapeKind::InstrumentEnded => Event::InstrumentEnded {
                instrument,
                price: self.value(row, 0),
            },
        }
    }

    fn book_order(&self, row: usize) -> BookOrder {
        let deleted = self.kind(row) == TapeKind::BookOrderDeleted;
        BookOrder {
            id: self.known(row, 2).cast_unsigned(),
            side: self.side(row),
            price: if deleted { 0 } else { self.known(row, 0) },
            size: if deleted { 0 } else { self.known(row, 1) },
            more: self.more(row),
        }
    }

    /// The bar of a row of that kind.
    #[must_use]
    pub fn bar(&self, row: usize) -> Bar {
        let range = match (self.value(row, 0), self.value(row, 1), self.value(row, 2)) {
            (Some(open), Some(high), Some(low)) => Some([open, high, low]),
            _ => None,
        };
        Bar {
            range,
            close: self.known(row, 3),
            volume: self.value(row, 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of (time, kind, instrument, values).
    fn columns(rows: &[(i64, u8, i64, [i64; 5])]) -> TapeColumns {
        TapeColumns {
            ts_event: rows.iter().map(|row| row.0).collect(),
            ts_received: rows.iter().map(|row| row.0).collect(),
            kind: rows.iter().map(|row| row.1).collect(),
            flag: vec![0; rows.len()],
            instrument: rows.iter().map(|row| row.2).collect(),
            values: std::array::from_fn(|value| rows.iter().map(|row| row.3[value]).collect()),
        }
    }

    const NOTHING: [i64; 5] = [MISSING; 5];

    #[test]
    fn rows_become_inputs_of_their_class_in_order() {
        let quote = [10, MISSING, 12, 3, MISSING];
        let rows = [
            (5, 1, 0, quote),
            (5, 13, 0, NOTHING),
            (5, 14, 0, NOTHING),
            (9, 1, 0, quote),
        ];
        let tape = Tape::new(columns(&rows), Vec::new(), 1, 1).unwrap();
        let inputs: Vec<Input> = (0..tape.len()).map(|row| tape.input(row)).collect();
        assert!(inputs.windows(2).all(|pair| pair[0].key() < pair[1].key()));
        for (row, input) in inputs.iter().enumerate() {
            assert_eq!(input.event.class(), tape.kind(row).class());
        }
        let quote = Quote {
            bid: Some(10),
            bid_size: None,
            ask: Some(12),
            ask_size: Some(3),
        };
        assert_eq!(
            inputs[0].event,
            Event::Quote {
                instrument: 0,
                quote
            }
        );
    }

    #[test]
    fn every_kind_has_the_class_of_its_event() {
        for (place, kind) in TapeKind::ALL.iter().enumerate() {
            let number = u8::try_from(place + 1).unwrap();
            let values = [0; 5];
            let action = Action::Delisting {
                instrument: 0,
                price: None,
            };
            let tape = Tape::new(columns(&[(1, number, 0, values)]), vec![action], 1, 1);
            assert_eq!(
                tape.unwrap().input(0).event.class(),
                kind.class(),
                "{}",
                kind.name()
            );
        }
    }

    #[test]
    fn rows_that_cannot_be_are_refused_by_their_number() {
        let fine = (5, 1, 0, NOTHING);
        let wrong = [
            ((6, 0, 0, NOTHING), "of an unknown kind"),
            ((6, 18, 0, NOTHING), "of an unknown kind"),
            ((6, 1, 1, NOTHING), "an instrument"),
            ((6, 11, -1, [1; 5]), "a currency"),
            ((6, 2, 0, NOTHING), "lacks a value"),
            ((6, 16, 0, [0; 5]), "an action"),
            ((4, 1, 0, NOTHING), "earlier"),
            ((5, 16, 0, [0; 5]), "an action"),
        ];
        for (row, expected) in wrong {
            let error = Tape::new(columns(&[fine, row]), Vec::new(), 1, 1).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("row 1") && text.contains(expected), "{text}");
        }
    }
}
