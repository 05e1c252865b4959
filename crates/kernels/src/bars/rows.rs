//! Rows as columns: checked, left out where they cannot be used, and asked one by one.

use std::borrow::Cow;

use super::bar::{Piece, Source};
use super::spec::BarRows;

/// Columns of equal length. Of trades and quotes `close` is the price.
#[derive(Debug, Clone, Default)]
pub struct RowColumns<'a> {
    pub ts: Cow<'a, [i64]>,
    /// When rows were received and known; none is at `ts`, and at `received`.
    pub received: Option<Cow<'a, [i64]>>,
    pub known: Option<Cow<'a, [i64]>>,
    /// When bars began.
    pub start: Option<Cow<'a, [i64]>>,
    /// None where there is one instrument.
    pub instrument: Option<Cow<'a, [u32]>>,
    pub close: Cow<'a, [f64]>,
    /// Of bars; none is `close`.
    pub open: Option<Cow<'a, [f64]>>,
    pub high: Option<Cow<'a, [f64]>>,
    pub low: Option<Cow<'a, [f64]>>,
    pub volume: Option<Cow<'a, [f64]>>,
    /// Of bars; of trades it is price times volume.
    pub value: Option<Cow<'a, [f64]>>,
    pub bought: Option<Cow<'a, [f64]>>,
    pub sold: Option<Cow<'a, [f64]>>,
    pub ticks: Option<Cow<'a, [i64]>>,
    /// Of trades: +1 a buyer took, -1 a seller, 0 nobody knows.
    pub side: Option<Cow<'a, [i8]>>,
}

fn pick<'a, T: Copy>(column: &[T], rows: &[u32]) -> Cow<'a, [T]> {
    Cow::Owned(rows.iter().map(|row| column[*row as usize]).collect())
}

impl RowColumns<'_> {
    #[must_use]
    pub fn len(&self) -> usize {
        self.ts.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    #[inline(always)]
    pub(super) fn instrument(&self, row: usize) -> usize {
        self.instrument.as_ref().map_or(0, |of| of[row] as usize)
    }

    /// Name and length of a column that is not as long as the times.
    pub(super) fn uneven(&self) -> Option<(&'static str, usize)> {
        fn length<T: Clone>(column: Option<&Cow<'_, [T]>>) -> Option<usize> {
            column.map(|column| column.len())
        }
        let found = [
            ("ts_received", length(self.received.as_ref())),
            ("known_at", length(self.known.as_ref())),
            ("start", length(self.start.as_ref())),
            ("instrument", length(self.instrument.as_ref())),
            ("close", Some(self.close.len())),
            ("open", length(self.open.as_ref())),
            ("high", length(self.high.as_ref())),
            ("low", length(self.low.as_ref())),
            ("volume", length(self.volume.as_ref())),
            ("value", length(self.value.as_ref())),
            ("bought", length(self.bought.as_ref())),
            ("sold", length(self.sold.as_ref())),
            ("ticks", length(self.ticks.as_ref())),
            ("side", length(self.side.as_ref())),
        ];
        let uneven = |(name, found): (&'static str, Option<usize>)| {
            found
                .filter(|length| *length != self.len())
                .map(|length| (name, length))
        };
        found.into_iter().find_map(uneven)
    }

    /// Whether a row has all its prices, and a size where it must.
    #[inline(always)]
    pub(super) fn defined(&self, row: usize, kind: BarRows) -> bool {
        let finite = |column: &Option<Cow<'_, [f64]>>| {
            column.as_ref().is_none_or(|column| column[row].is_finite())
        };
        self.close[row].is_finite()
            && finite(&self.open)
            && finite(&self.high)
            && finite(&self.low)
            && match (kind, &self.volume) {
                // The volume of a bar may be missing, and is then missing in the longer bar.
                (BarRows::Bars, Some(volume)) => volume[row] >= 0.0 || volume[row].is_nan(),
                (_, Some(volume)) => volume[row].is_finite() && volume[row] >= 0.0,
                (_, None) => true,
            }
    }

    /// Only some of the rows.
    pub(super) fn select<'b>(&self, rows: &[u32]) -> RowColumns<'b> {
        let whole = |column: &Option<Cow<'_, [i64]>>| column.as_ref().map(|c| pick(c, rows));
        let floats = |column: &Option<Cow<'_, [f64]>>| column.as_ref().map(|c| pick(c, rows));
        RowColumns {
            ts: pick(&self.ts, rows),
            received: whole(&self.received),
            known: whole(&self.known),
            start: whole(&self.start),
            instrument: self.instrument.as_ref().map(|c| pick(c, rows)),
            close: pick(&self.close, rows),
            open: floats(&self.open),
            high: floats(&self.high),
            low: floats(&self.low),
            volume: floats(&self.volume),
            value: floats(&self.value),
            bought: floats(&self.bought),
            sold: floats(&self.sold),
            ticks: whole(&self.ticks),
            side: self.side.as_ref().map(|c| pick(c, rows)),
        }
    }

    pub(super) fn times(&self) -> Times<'_> {
        let received = self.received.as_deref().unwrap_or(&self.ts);
        Times {
            ts: &self.ts,
            received,
            known: self.known.as_deref().unwrap_or(received),
        }
    }
}

/// The three coordinates of rows.
#[derive(Clone, Copy)]
pub struct Times<'a> {
    ts: &'a [i64],
    received: &'a [i64],
    known: &'a [i64],
}

/// Trades, or quotes without sizes.
pub struct Ticks<'a, const SIDED: bool> {
    pub times: Times<'a>,
    pub price: &'a [f64],
    pub volume: Option<&'a [f64]>,
    pub side: &'a [i8],
}

impl<const SIDED: bool> Source for Ticks<'_, SIDED> {
    const ENDS: bool = false;
    const SIDED: bool = SIDED;

    #[inline(always)]
    fn piece(&self, row: usize) -> Piece {
        let price = self.price[row];
        let size = self.volume.map_or(f64::NAN, |volume| volume[row]);
        let sign = if SIDED { self.side[row] } else { 0 };
        let of = |wanted: bool| if wanted { size } else { 0.0 };
        Piece {
            start: self.times.ts[row],
            ts: self.times.ts[row],
            received: self.times.received[row],
            known: self.times.known[row],
            open: price,
            high: price,
            low: price,
            close: price,
            volume: size,
            value: price * size,
            bought: of(sign > 0),
            sold: of(sign < 0),
            ticks: 1,
            sign,
        }
    }

    #[inline(always)]
    fn ts(&self, row: usize) -> i64 {
        self.times.ts[row]
    }
}

/// Bars, of which longer ones are made.
pub struct Shorter<'a>(pub &'a RowColumns<'a>);

impl Source for Shorter<'_> {
    const ENDS: bool = true;
    const SIDED: bool = true;

    #[inline(always)]
    fn piece(&self, row: usize) -> Piece {
        let from = self.0;
        let close = from.close[row];
        let price = |column: &Option<Cow<'_, [f64]>>| column.as_ref().map_or(close, |c| c[row]);
        let sum = |column: &Option<Cow<'_, [f64]>>| column.as_ref().map_or(f64::NAN, |c| c[row]);
        let ts = from.ts[row];
        let received = from.received.as_ref().map_or(ts, |c| c[row]);
        Piece {
            start: from.start.as_ref().map_or(ts, |c| c[row]),
            ts,
            received,
            known: from.known.as_ref().map_or(received, |c| c[row]),
            open: price(&from.open),
            high: price(&from.high),
            low: price(&from.low),
            close,
            volume: sum(&from.volume),
            value: sum(&from.value),
            bought: sum(&from.bought),
            sold: sum(&from.sold),
            ticks: from.ticks.as_ref().map_or(0, |c| c[row]),
            sign: 0,
        }
    }

    #[inline(always)]
    fn ts(&self, row: usize) -> i64 {
        self.0.ts[row]
    }
}
