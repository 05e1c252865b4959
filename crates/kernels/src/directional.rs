//! True ranges, and Wilder's directional movement.

use serde::{Deserialize, Serialize};

use crate::averages::Exponential;
use crate::operator::{
    Operator, Parameter, count, fading, first, first_and_one, lanes, number, packs, size,
};
use crate::pack::{Value, fuse};
use crate::series::{Series, clean};

/// A bar's range, the way from the last close included.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TrueRange<V = f64> {
    close: Option<V>,
}

fuse!(TrueRange { close });

impl<V: Value> TrueRange<V> {
    #[inline(always)]
    pub fn push(&mut self, high: V, low: V, close: V) -> Option<V> {
        let before = self.close.replace(close)?;
        Some(V::each([high, low, before], |[high, low, before]| {
            let range = high - low;
            let up = (high - before).abs();
            let down = (low - before).abs();
            let range = if up > range { up } else { range };
            if down > range { down } else { range }
        }))
    }
}

impl<V: Value> Series<3, V> for TrueRange<V> {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [V; 3]) -> V {
        self.push(high, low, close).unwrap_or(V::of(f64::NAN))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct AverageRange<V = f64> {
    range: TrueRange<V>,
    average: Exponential<V>,
}

fuse!(AverageRange { range, average });

impl AverageRange {
    fn new(size: usize) -> Self {
        Self {
            range: TrueRange::default(),
            average: Exponential::wilder(size),
        }
    }
}

impl<V: Value> AverageRange<V> {
    #[inline(always)]
    fn push(&mut self, high: V, low: V, close: V) -> Option<V> {
        self.average.push(self.range.push(high, low, close)?)
    }
}

impl<V: Value> Series<3, V> for AverageRange<V> {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [V; 3]) -> V {
        self.push(high, low, close).unwrap_or(V::of(f64::NAN))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct NormalisedRange<V = f64>(AverageRange<V>);

fuse!(NormalisedRange { 0 });

impl<V: Value> Series<3, V> for NormalisedRange<V> {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [V; 3]) -> V {
        let average = self.0.push(high, low, close);
        average.map_or(V::of(f64::NAN), |average| average * 100.0 / close)
    }
}

/// Wilder's running sum: the plain one of all values but one first, then each leaves in parts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RunningSum<V = f64> {
    size: u64,
    seen: u64,
    value: V,
}

fuse!(RunningSum [size, seen] { value } if |state| state.seen >= state.size);

impl RunningSum {
    fn new(size: usize) -> Self {
        Self {
            size: size as u64,
            seen: 1,
            value: 0.0,
        }
    }
}

impl<V: Value> RunningSum<V> {
    /// The sum; NaN for those instruments of a pack that have none.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    fn push(&mut self, x: V) -> Option<V> {
        // Packs are made of full ones.
        let full = self.seen >= self.size;
        let gone = if full {
            self.value / self.size as f64
        } else {
            V::of(0.0)
        };
        let value = self.value - gone + x;
        if !value.any_finite() {
            return None;
        }
        self.value = value.or(self.value);
        self.seen += u64::from(!full);
        full.then(|| value.map(clean))
    }
}

/// Directional movement up and down, and the range that they are measured in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Movement<V = f64> {
    before: Option<(V, V)>,
    range: TrueRange<V>,
    up: RunningSum<V>,
    down: RunningSum<V>,
    ranges: RunningSum<V>,
}

fuse!(Movement {
    before,
    range,
    up,
    down,
    ranges
});

impl Movement {
    fn new(size: usize) -> Self {
        Self {
            up: RunningSum::new(size),
            down: RunningSum::new(size),
            ranges: RunningSum::new(size),
            ..Self::default()
        }
    }
}

impl<V: Value> Movement<V> {
    /// The two directional indicators.
    #[inline(always)]
    fn push(&mut self, high: V, low: V, close: V) -> Option<(V, V)> {
        let range = self.range.push(high, low, close);
        let (old_high, old_low) = self.before.replace((high, low))?;
        let (up, down) = (high - old_high, old_low - low);
        // Each must be above 0 and above the other; one comparison at a time needs no branch.
        let gone = |[way, other]: [f64; 2]| {
            let least = if other > 0.0 { other } else { 0.0 };
            if way > least { way } else { 0.0 }
        };
        let (gone_up, gone_down) = (V::each([up, down], gone), V::each([down, up], gone));
        let (up, down) = (self.up.push(gone_up), self.down.push(gone_down));
        let ranges = self.ranges.push(range?)?;
        // Where one of them has no sum, neither is known.
        let both = |[way, other]: [f64; 2]| if other.is_nan() { other } else { way };
        let (up, down) = (V::each([up?, down?], both), V::each([down?, up?], both));
        Some((up / ranges * 100.0, down / ranges * 100.0))
    }

    #[inline(always)]
    fn strength(&mut self, high: V, low: V, close: V) -> Option<V> {
        let (up, down) = self.push(high, low, close)?;
        Some((up - down).map(f64::abs) / (up + down) * 100.0)
    }
}

macro_rules! of_movement {
    ($($name:ident, $pair:pat => $result:expr;)*) => {$(
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        struct $name<V = f64>(Movement<V>);

        fuse!($name { 0 });

        impl<V: Value> Series<3, V> for $name<V> {
            #[inline(always)]
            fn update(&mut self, [high, low, close]: [V; 3]) -> V {
                match self.0.push(high, low, close) {
                    Some($pair) => $result,
                    None => V::of(f64::NAN),
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
struct Strength<V = f64>(Movement<V>);

fuse!(Strength { 0 });

impl<V: Value> Series<3, V> for Strength<V> {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [V; 3]) -> V {
        let strength = self.0.strength(high, low, close);
        strength.unwrap_or(V::of(f64::NAN))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct AverageStrength<V = f64> {
    movement: Movement<V>,
    average: Exponential<V>,
}

fuse!(AverageStrength { movement, average });

impl<V: Value> Series<3, V> for AverageStrength<V> {
    #[inline(always)]
    fn update(&mut self, [high, low, close]: [V; 3]) -> V {
        let strength = self.movement.strength(high, low, close);
        // Where nothing moved the strength is 0/0, and the average waits.
        let defined = strength.filter(|strength| strength.any_finite());
        let average = defined.and_then(|strength| self.average.push(strength));
        average.unwrap_or(V::of(f64::NAN))
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
    Operator::series("true_range", HLC, |_, n| packs(TrueRange::default(), n))
        .window(|_| 2)
        .words(
            "Range of a bar, the way from the last close included.",
            "max(high - low, |high - close[t-1]|, |low - close[t-1]|)",
        )
        .source(WILDER),
    Operator::series("atr", HLC, |p, n| packs(AverageRange::new(size(p[0])), n))
        .parameters(N)
        .recursive(first_and_one, |p| Some(wilder_fading(p)))
        .words("Average true range.", "wilder(true_range, n)")
        .source(WILDER),
    Operator::series("natr", HLC, |p, n| {
        packs(NormalisedRange(AverageRange::new(size(p[0]))), n)
    })
    .parameters(N)
    .recursive(first_and_one, |p| Some(wilder_fading(p)))
    .words(
        "Average true range, in percent of the close.",
        "100 atr(n) / close",
    )
    .source(WILDER),
    Operator::series("plus_di", HLC, |p, n| {
        packs(Up(Movement::new(size(p[0]))), n)
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
        packs(Down(Movement::new(size(p[0]))), n)
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
        packs(Strength(Movement::new(size(p[0]))), n)
    })
    .parameters(N)
    .recursive(first_and_one, |p| Some(wilder_fading(p)))
    .words(
        "Directional index, 0 to 100; NaN where nothing moved.",
        "100 |plus_di - minus_di| / (plus_di + minus_di)",
    )
    .source(WILDER),
    Operator::series("adx", HLC, |p, n| {
        packs(
            AverageStrength {
                movement: Movement::new(size(p[0])),
                average: Exponential::wilder(size(p[0])),
            },
            n,
        )
    })
    .parameters(N)
    .recursive(|p| 2 * first(p), |p| Some(2 * wilder_fading(p)))
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
