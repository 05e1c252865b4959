//! Totals and extremes since the start, runs, and falls from a peak.

use serde::{Deserialize, Serialize};

use crate::extremes::Extreme;
use crate::operator::{Operator, Parameter, count, first, lanes, size};
use crate::series::Series;
use crate::window::{Aggregate, Window};

/// A sum that keeps what rounding would lose.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Total {
    sum: f64,
    lost: f64,
}

impl Total {
    /// Neumaier (1974), Zeitschrift für angewandte Mathematik und Mechanik 54(1).
    #[inline(always)]
    pub fn push(&mut self, x: f64) -> f64 {
        let sum = self.sum + x;
        let lost = if self.sum.abs() >= x.abs() {
            (self.sum - sum) + x
        } else {
            (x - sum) + self.sum
        };
        if !sum.is_finite() {
            return f64::NAN;
        }
        self.sum = sum;
        self.lost += lost;
        self.sum + self.lost
    }
}

impl Series<1> for Total {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.push(x)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RunningExtreme<const GREATEST: bool>(Option<Extreme<GREATEST>>);

impl<const GREATEST: bool> RunningExtreme<GREATEST> {
    #[inline(always)]
    fn push(&mut self, x: f64) -> f64 {
        let extreme = match self.0 {
            Some(extreme) => extreme.push(x),
            None => Extreme::of(x),
        };
        self.0 = Some(extreme);
        extreme.value
    }
}

impl<const GREATEST: bool> Series<1> for RunningExtreme<GREATEST> {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.push(x)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct BarsSince(Option<u64>);

impl Series<1> for BarsSince {
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "there are not 2^52 rows")]
    fn update(&mut self, [condition]: [f64; 1]) -> f64 {
        self.0 = if condition == 0.0 {
            self.0.map(|since| since + 1)
        } else {
            Some(0)
        };
        self.0.map_or(f64::NAN, |since| since as f64)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Streak(i64);

impl Series<1> for Streak {
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "there are not 2^52 rows")]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.0 = if x > 0.0 {
            self.0.max(0) + 1
        } else if x < 0.0 {
            self.0.min(0) - 1
        } else {
            0
        };
        self.0 as f64
    }
}

/// The peak of a window, or since the start.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Drawdown {
    window: Option<Window<Extreme<true>>>,
    peak: RunningExtreme<true>,
}

impl Series<1> for Drawdown {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let peak = match &mut self.window {
            Some(window) => window.push(x).map(|peak| peak.value),
            None => Some(self.peak.push(x)),
        };
        match peak {
            Some(peak) if peak > 0.0 => x / peak - 1.0,
            _ => f64::NAN,
        }
    }
}

/// Extremes of positive values, and the deepest fall from one to a later one.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Fall {
    high: f64,
    low: f64,
    deepest: f64,
}

impl Aggregate for Fall {
    type Item = f64;
    #[inline(always)]
    fn of(item: f64) -> Self {
        Self {
            high: item,
            low: item,
            deepest: 0.0,
        }
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        let across = newer.low / self.high - 1.0;
        let deepest = if newer.deepest < self.deepest {
            newer.deepest
        } else {
            self.deepest
        };
        Self {
            high: if newer.high > self.high {
                newer.high
            } else {
                self.high
            },
            low: if newer.low < self.low {
                newer.low
            } else {
                self.low
            },
            deepest: if across < deepest { across } else { deepest },
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct MaxDrawdown(Window<Fall>);

impl Series<1> for MaxDrawdown {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        if x <= 0.0 {
            return f64::NAN;
        }
        self.0.push(x).map_or(f64::NAN, |window| window.deepest)
    }
}

const X: &[&str] = &["x"];
const OR_NONE: &[Parameter] = &[count("n", 0.0).or(0.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("cumsum", X, |_, n| lanes(Total::default(), n))
        .recursive(|_| 1, |_| None)
        .words("Sum of all values so far.", "sum(x[0..t])")
        .source("Neumaier (1974), so that rounding does not add up."),
    Operator::series("cummax", X, |_, n| {
        lanes(RunningExtreme::<true>::default(), n)
    })
    .recursive(|_| 1, |_| None)
    .words("Greatest of all values so far.", "max(x[0..t])"),
    Operator::series("cummin", X, |_, n| {
        lanes(RunningExtreme::<false>::default(), n)
    })
    .recursive(|_| 1, |_| None)
    .words("Least of all values so far.", "min(x[0..t])"),
    Operator::series("bars_since", &["condition"], |_, n| lanes(BarsSince::default(), n))
        .recursive(|_| 1, |_| None)
        .words(
            "Rows since a condition held; 0 is now, NaN before the first time.",
            "t - max(i: condition[i] != 0)",
        ),
    Operator::series("streak", X, |_, n| lanes(Streak::default(), n))
        .recursive(|_| 1, |_| None)
        .words(
            "Length of the run of values above 0, or of those below 0 as a negative number; 0 at 0.",
            "s[t] = sign(x[t]) (1 + |s[t-1]| where the sign is the same)",
        ),
    Operator::series("drawdown", X, |p, n| {
        let window = (p[0] > 0.0).then(|| Window::new(size(p[0])));
        lanes(
            Drawdown {
                window,
                ..Drawdown::default()
            },
            n,
        )
    })
    .parameters(OR_NONE)
    .recursive(|p| first(p).max(1), |p| (p[0] > 0.0).then_some(0))
    .words(
        "Distance from the peak of the last n values, 0 or below; from the peak so far where n is 0.",
        "x / max(x, n) - 1",
    ),
    Operator::series("max_drawdown", X, |p, n| {
        lanes(MaxDrawdown(Window::new(size(p[0]))), n)
    })
    .parameters(&[count("n", 1.0)])
    .window(first)
    .words(
        "Deepest fall within the last n values, 0 or below.",
        "min(x[j] / x[i] - 1, t-n < i <= j <= t)",
    ),
];
