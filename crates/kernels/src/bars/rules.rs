//! When a bar ends: one function for each kind, over rows of one instrument.

use serde::{Deserialize, Serialize};

use super::bar::{Bar, Source};
use super::clock::{Frames, Window};
use super::imbalance::{Expectation, Learning};
use super::output::{BarColumns, Ending};
use super::spec::{BarKind, Flow};

/// Of one kind of bar and one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Bars so far.
    pub number: i64,
    /// The window of the clock, or the session, that the last row was in.
    pub start: i64,
    pub end: i64,
    pub bar: Bar,
    pub expectation: Expectation,
}

impl Default for State {
    fn default() -> Self {
        Self {
            number: 0,
            start: i64::MIN,
            end: i64::MIN,
            bar: Bar::default(),
            expectation: Expectation::default(),
        }
    }
}

impl State {
    fn enter(&mut self, window: Window) {
        self.start = window.start;
        self.end = window.end;
    }

    fn push(&mut self, place: &mut Place<'_>, window: Window, ending: Ending) {
        self.number += 1;
        place
            .output
            .push(place.instrument, self.number, window, &self.bar, ending);
        self.bar = Bar {
            close: self.bar.close,
            ..Bar::default()
        };
    }

    /// A bar of the clock, at the end of its window.
    fn push_window(&mut self, place: &mut Place<'_>) {
        let window = Window {
            start: self.start,
            end: self.end,
        };
        self.push(place, window, Ending::Clock);
    }

    /// A bar of a size, at its last row.
    fn push_here(&mut self, place: &mut Place<'_>, ending: Ending) {
        let window = Window {
            start: self.bar.start,
            end: self.bar.last,
        };
        self.push(place, window, ending);
    }

    /// A window in which nothing happened: the price stays where it was.
    fn push_empty(&mut self, place: &mut Place<'_>, window: Window) {
        let close = self.bar.close;
        self.bar = Bar {
            open: close,
            high: close,
            low: close,
            close,
            received: window.end,
            known: window.end,
            ..Bar::default()
        };
        self.push(place, window, Ending::Clock);
        self.enter(window);
    }

    /// Close what is over by an instant, and give bars to empty windows up to it.
    pub fn close_until(&mut self, kind: &BarKind, place: &mut Place<'_>, until: i64) {
        if self.bar.rows > 0 && self.end <= until {
            if let BarKind::Time { .. } = kind {
                self.push_window(place);
            } else {
                let window = Window {
                    start: self.bar.start,
                    end: self.end,
                };
                self.push(place, window, Ending::Session);
                self.expectation.forget();
            }
        }
        let BarKind::Time { step, fill: true } = *kind else {
            return;
        };
        if self.number > 0 && self.bar.rows == 0 {
            while let Some(window) = place
                .frames
                .and_then(|frames| frames.following(self.end, step))
                && window.end <= until
            {
                self.push_empty(place, window);
            }
        }
    }

    /// The bar that is open, as it stands.
    pub fn peek(mut self, place: &mut Place<'_>) {
        if self.bar.rows > 0 {
            self.push_here(place, Ending::Open);
        }
    }
}

/// Where bars go, and the frames that they may not leave.
pub struct Place<'a> {
    pub instrument: usize,
    /// None for one that never ends.
    pub frames: Option<&'a Frames>,
    pub output: &'a mut BarColumns,
}

impl Place<'_> {
    /// The first row from which on a window is over; rows are in order.
    fn stop<S: Source>(source: &S, from: usize, to: usize, end: i64) -> usize {
        let mut size = 1;
        let mut low = from;
        while low + size < to && source.key(low + size) < end {
            low += size;
            size *= 2;
        }
        let mut high = (low + size).min(to);
        // The key of `low` is before the end; that of `high`, if there is one, is not.
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            if source.key(middle) < end {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    fn session(&self, ts: i64) -> Option<Window> {
        match self.frames {
            Some(frames) => frames.at(ts),
            None => Some(Window {
                start: i64::MIN,
                end: i64::MAX,
            }),
        }
    }
}

/// Take rows of one instrument, in order; the number of rows that no frame holds.
pub fn take<S: Source>(
    kind: &BarKind,
    state: &mut State,
    place: &mut Place<'_>,
    source: &S,
    from: usize,
    to: usize,
) -> u64 {
    let mut from = from;
    let mut outside = 0;
    while from < to {
        let key = source.key(from);
        if key >= state.end {
            state.close_until(kind, place, key);
            let window = match *kind {
                BarKind::Time { step, .. } => {
                    place.frames.and_then(|frames| frames.window(key, step))
                }
                _ => place.session(key),
            };
            let Some(window) = window else {
                outside += 1;
                from += 1;
                continue;
            };
            state.enter(window);
        }
        let stop = Place::stop(source, from, to, state.end);
        rows(kind, state, place, source, from, stop);
        from = stop;
    }
    outside
}

/// Rows that are all within one window or session.
fn rows<S: Source>(
    kind: &BarKind,
    state: &mut State,
    place: &mut Place<'_>,
    source: &S,
    mut from: usize,
    to: usize,
) {
    match *kind {
        BarKind::Time { .. } => {
            state.bar.add_until(source, from, to, |_| false);
            if S::ENDS && state.bar.last >= state.end {
                state.push_window(place);
            }
        }
        BarKind::Tick { size } => {
            while from < to {
                from = state
                    .bar
                    .add_until(source, from, to, |bar| bar.rows >= size);
                if state.bar.rows >= size {
                    state.push_here(place, Ending::Size);
                }
            }
        }
        BarKind::Volume { size } => {
            while from < to {
                from = state
                    .bar
                    .add_until(source, from, to, |bar| bar.volume.total() >= size);
                if state.bar.volume.total() >= size {
                    state.push_here(place, Ending::Size);
                }
            }
        }
        BarKind::Dollar { size } => {
            while from < to {
                from = state
                    .bar
                    .add_until(source, from, to, |bar| bar.value.total() >= size);
                if state.bar.value.total() >= size {
                    state.push_here(place, Ending::Size);
                }
            }
        }
        BarKind::Imbalance {
            of,
            expected,
            least,
            most,
            span,
        } => {
            let learning = Learning { expected, span };
            for row in from..to {
                let piece = source.piece(row);
                state.bar.add(source, row);
                let size = match of {
                    Flow::Ticks => 1.0,
                    Flow::Volume => piece.volume,
                    Flow::Dollars => piece.value.abs(),
                };
                state.expectation.add(piece.sign, size, learning);
                let count = state.bar.rows;
                let reached = count >= least && state.expectation.reached(count, learning);
                if reached || count >= most {
                    let ending = if reached { Ending::Size } else { Ending::Most };
                    state.expectation.learn(count, learning);
                    state.push_here(place, ending);
                }
            }
        }
    }
}
