//! Where the close stands in the bars before.

use serde::{Deserialize, Serialize};

use crate::extremes::{Extreme, Since};
use crate::operator::{Operator, Parameter, count, first, first_and_one, lanes, number, size};
use crate::rolling::{Mean, Two};
use crate::series::Series;
use crate::window::{Ring, Window};

/// The last values' mean distance from their mean needs each of them, once a value.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct CommodityChannel {
    mean: Mean,
    values: Ring,
}

impl Series<3> for CommodityChannel {
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        let typical = (high + low + close) / 3.0;
        self.values.push(typical);
        let Some(mean) = self.mean.push(typical) else {
            return f64::NAN;
        };
        // Four sums at once are quicker than one, and always the same four.
        let values = self.values.values();
        let quads = values.chunks_exact(4);
        let rest: f64 = quads
            .remainder()
            .iter()
            .map(|value| (value - mean).abs())
            .sum();
        let mut sums = [0.0; 4];
        for quad in quads {
            for (sum, value) in sums.iter_mut().zip(quad) {
                *sum += (value - mean).abs();
            }
        }
        let distance = (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest;
        (typical - mean) / (0.015 * (distance / values.len() as f64))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Williams {
    high: Window<Extreme<true>>,
    low: Window<Extreme<false>>,
}

impl Series<3> for Williams {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        match (self.high.push(high), self.low.push(low)) {
            (Some(high), Some(low)) => -100.0 * ((high.value - close) / (high.value - low.value)),
            _ => f64::NAN,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Aroon<const GREATEST: bool> {
    since: Since<GREATEST>,
    size: f64,
}

impl<const GREATEST: bool> Aroon<GREATEST> {
    fn new(parameters: &[f64]) -> Self {
        Self {
            since: Since::new(size(parameters[0]) + 1),
            size: parameters[0],
        }
    }
}

impl<const GREATEST: bool> Series<1> for Aroon<GREATEST> {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let since = self.since.push(x);
        since.map_or(f64::NAN, |since| 100.0 * (self.size - since) / self.size)
    }
}

/// Buying pressure over true range, on three horizons.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Ultimate {
    close: Option<f64>,
    fast: Window<Two>,
    middle: Window<Two>,
    slow: Window<Two>,
}

impl Series<3> for Ultimate {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        let Some(before) = self.close.replace(close) else {
            return f64::NAN;
        };
        let bottom = if before < low { before } else { low };
        let top = if before > high { before } else { high };
        let bar = (close - bottom, top - bottom);
        let fast = self.fast.push(bar);
        let middle = self.middle.push(bar);
        let slow = self.slow.push(bar);
        match (fast, middle, slow) {
            (Some(fast), Some(middle), Some(slow)) => {
                100.0 * ((4.0 * fast.ratio() + 2.0 * middle.ratio() + slow.ratio()) / 7.0)
            }
            _ => f64::NAN,
        }
    }
}

/// Wilder's parabolic stop.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Parabolic {
    step: f64,
    most: f64,
    before: Option<(f64, f64)>,
    trail: Option<Trail>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Trail {
    long: bool,
    stop: f64,
    extreme: f64,
    factor: f64,
}

#[inline(always)]
fn lesser(x: f64, y: f64) -> f64 {
    if y < x { y } else { x }
}

#[inline(always)]
fn greater(x: f64, y: f64) -> f64 {
    if y > x { y } else { x }
}

impl Trail {
    /// The first two bars say the direction; the stop is the first bar's other end.
    #[inline(always)]
    fn start(before: (f64, f64), high: f64, low: f64, step: f64) -> Self {
        let (up, down) = (high - before.0, before.1 - low);
        let long = !(down > 0.0 && down > up);
        Self {
            long,
            stop: if long { before.1 } else { before.0 },
            extreme: if long { high } else { low },
            factor: step,
        }
    }

    /// The stop of this bar; moved on for the next.
    #[inline(always)]
    fn step(&mut self, before: (f64, f64), high: f64, low: f64, step: f64, most: f64) -> f64 {
        let keep = |long: bool, stop: f64| {
            if long {
                lesser(lesser(stop, before.1), low)
            } else {
                greater(greater(stop, before.0), high)
            }
        };
        let hit = if self.long {
            low <= self.stop
        } else {
            high >= self.stop
        };
        if hit {
            self.long = !self.long;
            self.stop = keep(self.long, self.extreme);
            self.factor = step;
            self.extreme = if self.long { high } else { low };
        }
        let now = self.stop;
        let further = if self.long {
            high > self.extreme
        } else {
            low < self.extreme
        };
        if further {
            self.extreme = if self.long { high } else { low };
            self.factor = lesser(self.factor + step, most);
        }
        self.stop = keep(self.long, now + self.factor * (self.extreme - now));
        now
    }
}

impl Series<2> for Parabolic {
    #[inline(always)]
    fn update(&mut self, [high, low]: [f64; 2]) -> f64 {
        let Some(before) = self.before.replace((high, low)) else {
            return f64::NAN;
        };
        let (before, mut trail) = match self.trail {
            Some(trail) => (before, trail),
            // The bar that says the direction is its own predecessor.
            None => ((high, low), Trail::start(before, high, low, self.step)),
        };
        let stop = trail.step(before, high, low, self.step, self.most);
        // A range too wide for a float: begin anew with the next bar.
        self.trail = trail.stop.is_finite().then_some(trail);
        stop
    }
}

const HLC: &[&str] = &["high", "low", "close"];

pub const OPERATORS: &[Operator] = &[
    Operator::series("cci", HLC, |p, n| {
        lanes(
            CommodityChannel {
                mean: Mean::new(size(p[0])),
                values: Ring::new(size(p[0])),
            },
            n,
        )
    })
    .parameters(&[count("n", 2.0).or(20.0)])
    .window(first)
    .words(
        "Commodity channel index: distance of the typical price from its mean, in mean distances; \
         NaN where nothing moved. A value costs n additions.",
        "(p - mean(p, n)) / (0.015 mean(|p - mean(p, n)|)), p = (high + low + close) / 3",
    )
    .source("Lambert (1980), Commodities; as TA-Lib's CCI."),
    Operator::series("willr", HLC, |p, n| {
        lanes(
            Williams {
                high: Window::new(size(p[0])),
                low: Window::new(size(p[0])),
            },
            n,
        )
    })
    .parameters(&[count("n", 1.0).or(14.0)])
    .window(first)
    .words(
        "Williams' %R: distance of the close from the highest high, in the range of n bars; -100 to \
         0, NaN where there is no range.",
        "-100 (max(high, n) - close) / (max(high, n) - min(low, n))",
    )
    .source("Williams (1979), How I Made One Million Dollars; as TA-Lib's WILLR."),
    Operator::series("aroon_up", &["high"], |p, n| lanes(Aroon::<true>::new(p), n))
        .parameters(AROON)
        .window(first_and_one)
        .words(
            "Aroon up: how recent the highest high of the last n + 1 bars is; 100 is now.",
            "100 (n - argmax(high, n + 1)) / n",
        )
        .source("Chande (1995), Stocks & Commodities 13(9); as TA-Lib's AROON."),
    Operator::series("aroon_down", &["low"], |p, n| lanes(Aroon::<false>::new(p), n))
        .parameters(AROON)
        .window(first_and_one)
        .words(
            "Aroon down: how recent the lowest low of the last n + 1 bars is; 100 is now.",
            "100 (n - argmin(low, n + 1)) / n",
        )
        .source("Chande (1995), Stocks & Commodities 13(9); as TA-Lib's AROON."),
    Operator::series("ultosc", HLC, |p, n| {
        lanes(
            Ultimate {
                close: None,
                fast: Window::new(size(p[0])),
                middle: Window::new(size(p[1])),
                slow: Window::new(size(p[2])),
            },
            n,
        )
    })
    .parameters(&[
        count("fast", 1.0).or(7.0),
        count("middle", 1.0).or(14.0),
        count("slow", 1.0).or(28.0),
    ])
    .rule(|p| {
        let ascending = p[0] <= p[1] && p[1] <= p[2];
        (!ascending).then_some("`fast`, `middle` and `slow` must ascend")
    })
    .window(|p| size(p[2]) as u64 + 1)
    .words(
        "Ultimate oscillator: buying pressure on three horizons, 0 to 100.",
        "100 (4 r(fast) + 2 r(middle) + r(slow)) / 7, r(n) = sum(close - b, n) / sum(t - b, n), \
         b = min(low, close[t-1]), t = max(high, close[t-1])",
    )
    .source("Williams (1985), Stocks & Commodities 3(4); as TA-Lib's ULTOSC."),
    Operator::series("psar", &["high", "low"], |p, n| {
        lanes(
            Parabolic {
                step: p[0],
                most: p[1],
                ..Parabolic::default()
            },
            n,
        )
    })
    .parameters(&[
        number("step", 1e-6, 1.0).or(0.02),
        number("most", 1e-6, 1.0).or(0.2),
    ])
    .rule(|p| (p[0] > p[1]).then_some("`step` must not be above `most`"))
    .recursive(|_| 2, |_| None)
    .words(
        "Parabolic stop and reverse; the first two bars say the direction.",
        "s[t+1] = s[t] + f (e - s[t]), not beyond the last two bars; e is the extreme since the \
         turn, f grows by step with each new one, up to most",
    )
    .source("Wilder (1978), New Concepts in Technical Trading Systems; as TA-Lib's SAR."),
];

const AROON: &[Parameter] = &[count("n", 1.0).or(25.0)];
