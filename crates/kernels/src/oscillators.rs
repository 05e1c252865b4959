//! Indicators of one series that swing between limits.

use serde::{Deserialize, Serialize};

use crate::averages::Exponential;
use crate::operator::{Operator, Parameter, count, fading, first_and_one, lanes, size};
use crate::series::Series;

/// Averages of gains and losses after Wilder.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Strength {
    last: Option<f64>,
    gain: Exponential,
    loss: Exponential,
}

impl Strength {
    fn new(size: usize) -> Self {
        Self {
            last: None,
            gain: Exponential::wilder(size),
            loss: Exponential::wilder(size),
        }
    }

    #[inline(always)]
    fn push(&mut self, x: f64) -> Option<(f64, f64)> {
        let change = x - self.last.replace(x)?;
        // Two choices without a branch, for nobody can predict which way a price goes.
        let gain = if change > 0.0 { change } else { 0.0 };
        let loss = if change > 0.0 { 0.0 } else { 0.0 - change };
        let gain = self.gain.push(gain);
        let loss = self.loss.push(loss);
        Some((gain?, loss?))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RelativeStrength(Strength);

impl Series<1> for RelativeStrength {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let averages = self.0.push(x);
        averages.map_or(f64::NAN, |(gain, loss)| 100.0 * gain / (gain + loss))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct ChandeMomentum(Strength);

impl Series<1> for ChandeMomentum {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let averages = self.0.push(x);
        averages.map_or(f64::NAN, |(gain, loss)| {
            100.0 * (gain - loss) / (gain + loss)
        })
    }
}

fn wilder_fading(parameters: &[f64]) -> u64 {
    fading(1.0 - 1.0 / parameters[0])
}

const X: &[&str] = &["x"];
const N: &[Parameter] = &[count("n", 1.0).or(14.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("rsi", X, |p, n| {
        lanes(RelativeStrength(Strength::new(size(p[0]))), n)
    })
    .parameters(N)
    .recursive(first_and_one, |p| Some(wilder_fading(p)))
    .words(
        "Relative strength index: the share of gains in all movement, from 0 to 100; NaN where \
         nothing moved.",
        "100 g / (g + l), g = wilder(max(d, 0), n), l = wilder(max(-d, 0), n), d = x[t] - x[t-1]",
    )
    .source("Wilder (1978), New Concepts in Technical Trading Systems."),
    Operator::series("cmo", X, |p, n| {
        lanes(ChandeMomentum(Strength::new(size(p[0]))), n)
    })
    .parameters(N)
    .recursive(first_and_one, |p| Some(wilder_fading(p)))
    .words(
        "Chande's momentum oscillator: gains less losses, as a share of all movement; -100 to 100.",
        "100 (g - l) / (g + l), g = wilder(max(d, 0), n), l = wilder(max(-d, 0), n), \
         d = x[t] - x[t-1]",
    )
    .source("Chande and Kroll (1994), The New Technical Trader; smoothed as TA-Lib's CMO."),
];
