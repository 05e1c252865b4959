//! True ranges, and Wilder's directional movement.

use serde::{Deserialize, Serialize};

use crate::averages::Exponential;
use crate::operator::{
    Operator, Parameter, Shortcut, count, fading, first, first_and_one, lanes, number, size,
};
use crate::series::Series;

/// A bar's range, the way from the last close included.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TrueRange {
    close: Option<f64>,
}

impl TrueRange {
    #[inline(always)]
    pub fn push(&mut self, high: f64, low: f64, close: f64) -> Option<f64> {
        let before = self.close.replace(close)?;
        let range = high - low;
        let up = (high - before).abs();
        let down = (low - before).abs();
        let range = if up > range { up } else { range };
        Some(if down > range { down } else { range })
    }
}

impl Series<3> for TrueRange {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        self.push(high, low, close).unwrap_or(f64::NAN)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct AverageRange {
    range: TrueRange,
    average: Exponential,
}

impl AverageRange {
    fn new(size: usize) -> Self {
        Self {
            range: TrueRange::default(),
            average: Exponential::wilder(size),
        }
    }

    #[inline(always)]
    fn push(&mut self, high: f64, low: f64, close: f64) -> Option<f64> {
        self.average.push(self.range.push(high, low, close)?)
    }
}

impl Series<3> for AverageRange {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        self.push(high, low, close).unwrap_or(f64::NAN)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct NormalisedRange(AverageRange);

impl Series<3> for NormalisedRange {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        let average = self.0.push(high, low, close);
        average.map_or(f64::NAN, |average| percent(average, close))
    }
}

#[inline(always)]
fn percent(average: f64, close: f64) -> f64 {
    100.0 * average / close
}

/// The same from the average range that a program has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RangePercent;

impl Series<2> for RangePercent {
    #[inline(always)]
    fn update(&mut self, [average, close]: [f64; 2]) -> f64 {
        percent(average, close)
    }
}

/// Wilder's running sum: the plain one of all values but one first, then each leaves in parts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RunningSum {
    size: u64,
    seen: u64,
    value: f64,
}

impl RunningSum {
    fn new(size: usize) -> Self {
        Self {
            size: size as u64,
            seen: 1,
            value: 0.0,
        }
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        self.seen >= self.size
    }

    /// The sum after one more value, once it is full.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    fn after(&self, x: f64) -> f64 {
        self.value - self.value / self.size as f64 + x
    }

    #[inline(always)]
    fn push(&mut self, x: f64) -> Option<f64> {
        let full = self.is_full();
        let value = if full { self.after(x) } else { self.value + x };
        if !value.is_finite() {
            return None;
        }
        self.value = value;
        self.seen += u64::from(!full);
        full.then_some(value)
    }
}

/// Directional movement up and down, and the range that they are measured in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Movement {
    before: Option<(f64, f64)>,
    range: TrueRange,
    up: RunningSum,
    down: RunningSum,
    ranges: RunningSum,
}

impl Movement {
    fn new(size: usize) -> Self {
        Self {
            up: RunningSum::new(size),
            down: RunningSum::new(size),
            ranges: RunningSum::new(size),
            ..Self::default()
        }
    }

    /// The two directional indicators.
    #[inline(always)]
    fn push(&mut self, high: f64, low: f64, close: f64) -> Option<(f64, f64)> {
        let range = self.range.push(high, low, close);
        let (old_high, old_low) = self.before.replace((high, low))?;
        let (up, down) = (high - old_high, old_low - low);
        // Each must be above 0 and above the other; one comparison at a time needs no branch.
        let least_up = if down > 0.0 { down } else { 0.0 };
        let least_down = if up > 0.0 { up } else { 0.0 };
        let gone_up = if up > least_up { up } else { 0.0 };
        let gone_down = if down > least_down { down } else { 0.0 };
        let range = range?;
        let (up, down, ranges) = self.sums(gone_up, gone_down, range)?;
        Some((100.0 * (up / ranges), 100.0 * (down / ranges)))
    }

    /// The running sums, each of which goes on whatever becomes of the others.
    #[inline(always)]
    fn sums(&mut self, up: f64, down: f64, range: f64) -> Option<(f64, f64, f64)> {
        if self.up.is_full() & self.down.is_full() & self.ranges.is_full() {
            // Nearly every row: three sums at once, and one question of them all.
            let (up, down, range) = (
                self.up.after(up),
                self.down.after(down),
                self.ranges.after(range),
            );
            if up.is_finite() & down.is_finite() & range.is_finite() {
                (self.up.value, self.down.value, self.ranges.value) = (up, down, range);
                return Some((up, down, range));
            }
        }
        let (up, down) = (self.up.push(up), self.down.push(down));
        let range = self.ranges.push(range)?;
        Some((up?, down?, range))
    }

    #[inline(always)]
    fn strength(&mut self, high: f64, low: f64, close: f64) -> Option<f64> {
        let (up, down) = self.push(high, low, close)?;
        Some(strength(up, down))
    }
}

#[inline(always)]
fn strength(up: f64, down: f64) -> f64 {
    100.0 * ((up - down).abs() / (up + down))
}

macro_rules! of_movement {
    ($($name:ident, $pair:pat => $result:expr;)*) => {$(
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        struct $name(Movement);

        impl Series<3> for $name {
            #[inline(always)]
            fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
                match self.0.push(high, low, close) {
                    Some($pair) => $result,
                    None => f64::NAN,
                }
            }
        }
    )*};
}

of_movement! {
    Up, (up, _) => up;
    Down, (_, down) => down;
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Strength(Movement);

impl Series<3> for Strength {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        self.0.strength(high, low, close).unwrap_or(f64::NAN)
    }
}

/// The same from the two indicators that a program has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct StrengthOfTwo;

impl Series<2> for StrengthOfTwo {
    #[inline(always)]
    fn update(&mut self, [up, down]: [f64; 2]) -> f64 {
        strength(up, down)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct AverageStrength {
    movement: Movement,
    average: Exponential,
}

impl Series<3> for AverageStrength {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        let strength = self.movement.strength(high, low, close);
        // Where nothing moved the strength is 0/0, and the average waits.
        let defined = strength.filter(|strength| strength.is_finite());
        let average = defined.and_then(|strength| self.average.push(strength));
        average.unwrap_or(f64::NAN)
    }
}

/// A line below a rising price and above a falling one, some average ranges away.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct SuperTrend {
    range: AverageRange,
    factor: f64,
    last: Option<Bands>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Bands {
    upper: f64,
    lower: f64,
    close: f64,
    rising: bool,
}

impl Series<3> for SuperTrend {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> f64 {
        let Some(range) = self.range.push(high, low, close) else {
            return f64::NAN;
        };
        let middle = f64::midpoint(high, low);
        let (mut upper, mut lower) = (middle + self.factor * range, middle - self.factor * range);
        let mut rising = true;
        if let Some(last) = self.last {
            if upper > last.upper && last.close <= last.upper {
                upper = last.upper;
            }
            if lower < last.lower && last.close >= last.lower {
                lower = last.lower;
            }
            rising = if last.rising {
                close >= lower
            } else {
                close > upper
            };
        }
        self.last = Some(Bands {
            upper,
            lower,
            close,
            rising,
        });
        if rising { lower } else { upper }
    }
}

fn wilder_fading(parameters: &[f64]) -> u64 {
    fading(1.0 - 1.0 / parameters[0])
}

const HLC: &[&str] = &["high", "low", "close"];
const N: &[Parameter] = &[count("n", 1.0).or(14.0)];
const WILDER: &str = "Wilder (1978), New Concepts in Technical Trading Systems; warm-up as TA-Lib.";

pub const OPERATORS: &[Operator] = &[
    Operator::series("true_range", HLC, |_, n| lanes(TrueRange::default(), n))
        .window(|_| 2)
        .words(
            "Range of a bar, the way from the last close included.",
            "max(high - low, |high - close[t-1]|, |low - close[t-1]|)",
        )
        .source(WILDER),
    Operator::series("atr", HLC, |p, n| lanes(AverageRange::new(size(p[0])), n))
        .parameters(N)
        .recursive(first_and_one, |p| Some(wilder_fading(p)))
        .words("Average true range.", "wilder(true_range, n)")
        .source(WILDER),
    Operator::series("natr", HLC, |p, n| {
        lanes(NormalisedRange(AverageRange::new(size(p[0]))), n)
    })
    .parameters(N)
    .recursive(first_and_one, |p| Some(wilder_fading(p)))
    .shortcut(Shortcut {
        results: &["atr"],
        inputs: &[2],
        build: |_, n| lanes(RangePercent, n),
    })
    .words(
        "Average true range, in percent of the close.",
        "100 atr(n) / close",
    )
    .source(WILDER),
    Operator::series("plus_di", HLC, |p, n| {
        lanes(Up(Movement::new(size(p[0]))), n)
    })
    .parameters(N)
    .recursive(first_and_one, |p| Some(wilder_fading(p)))
    .words(
        "Directional movement up, in percent of the true range.",
        "100 S(u) / S(true_range), u = high[t] - high[t-1] where above 0 and above \
             low[t-1] - low[t], else 0; S[t] = S[t-1] (1 - 1/n) + x[t] after a plain sum of n - 1",
    )
    .source(WILDER),
    Operator::series("minus_di", HLC, |p, n| {
        lanes(Down(Movement::new(size(p[0]))), n)
    })
    .parameters(N)
    .recursive(first_and_one, |p| Some(wilder_fading(p)))
    .words(
        "Directional movement down, in percent of the true range.",
        "100 S(d) / S(true_range), d = low[t-1] - low[t] where above 0 and above \
         high[t] - high[t-1], else 0; S[t] = S[t-1] (1 - 1/n) + x[t] after a plain sum of n - 1",
    )
    .source(WILDER),
    Operator::series("dx", HLC, |p, n| {
        lanes(Strength(Movement::new(size(p[0]))), n)
    })
    .parameters(N)
    .recursive(first_and_one, |p| Some(wilder_fading(p)))
    .shortcut(Shortcut {
        results: &["plus_di", "minus_di"],
        inputs: &[],
        build: |_, n| lanes(StrengthOfTwo, n),
    })
    .words(
        "Directional index, 0 to 100; NaN where nothing moved.",
        "100 |plus_di - minus_di| / (plus_di + minus_di)",
    )
    .source(WILDER),
    Operator::series("adx", HLC, |p, n| {
        lanes(
            AverageStrength {
                movement: Movement::new(size(p[0])),
                average: Exponential::wilder(size(p[0])),
            },
            n,
        )
    })
    .parameters(N)
    .recursive(|p| 2 * first(p), |p| Some(2 * wilder_fading(p)))
    .shortcut(Shortcut {
        results: &["dx"],
        inputs: &[],
        build: |p, n| lanes(Exponential::wilder(size(p[0])), n),
    })
    .words("Average directional index, 0 to 100.", "wilder(dx(n), n)")
    .source(WILDER),
    Operator::series("supertrend", HLC, |p, n| {
        lanes(
            SuperTrend {
                range: AverageRange::new(size(p[0])),
                factor: p[1],
                last: None,
            },
            n,
        )
    })
    .parameters(&[
        count("n", 1.0).or(10.0),
        number("factor", 0.0, 1000.0).or(3.0),
    ])
    .recursive(first_and_one, |_| None)
    .words(
        "A line that follows a rising price from below and a falling one from above; it begins \
         rising and turns where the close crosses it.",
        "(high + low) / 2 -+ factor atr(n), moved towards the price only",
    )
    .source("Seban (2008), the supertrend indicator."),
];
