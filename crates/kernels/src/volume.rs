//! Volume in the direction of prices.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, count, first_and_one, lanes, size};
use crate::rolling::Two;
use crate::running::Total;
use crate::series::Series;
use crate::window::Window;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct OnBalance {
    close: Option<f64>,
    total: Total,
}

impl Series<2> for OnBalance {
    #[inline(always)]
    fn update(&mut self, [close, volume]: [f64; 2]) -> f64 {
        let before = self.close.replace(close).unwrap_or(f64::NEG_INFINITY);
        // One choice after the other without a branch: which way a price goes nobody can predict.
        let rising = if close > before { volume } else { 0.0 };
        let volume = if close < before { -volume } else { rising };
        self.total.push(volume)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Accumulation(Total);

impl Series<4> for Accumulation {
    #[inline(always)]
    fn update(&mut self, [high, low, close, volume]: [f64; 4]) -> f64 {
        let range = high - low;
        let flow = if range > 0.0 {
            ((close - low) - (high - close)) / range * volume
        } else {
            0.0
        };
        self.0.push(flow)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct MoneyFlow {
    typical: Option<f64>,
    flows: Window<Two>,
}

impl Series<4> for MoneyFlow {
    #[inline(always)]
    fn update(&mut self, [high, low, close, volume]: [f64; 4]) -> f64 {
        let typical = (high + low + close) / 3.0;
        let Some(before) = self.typical.replace(typical) else {
            return f64::NAN;
        };
        let flow = typical * volume;
        // Prices on a grid often have the same sum, which rounding must not turn into a move.
        let change = typical - before;
        let still = change.abs() <= 4.0 * f64::EPSILON * typical.abs();
        let change = if still { 0.0 } else { change };
        let up = if change > 0.0 { flow } else { 0.0 };
        let down = if change < 0.0 { flow } else { 0.0 };
        match self.flows.push((up, down)) {
            Some(window) => 100.0 * (window.x / (window.x + window.y)),
            None => f64::NAN,
        }
    }
}

const HLCV: &[&str] = &["high", "low", "close", "volume"];

pub const OPERATORS: &[Operator] = &[
    Operator::series("obv", &["close", "volume"], |_, n| lanes(OnBalance::default(), n))
        .recursive(|_| 1, |_| None)
        .words(
            "On-balance volume: volume added where the close rose, taken off where it fell.",
            "y[t] = y[t-1] + sign(close[t] - close[t-1]) volume[t], y[0] = volume[0]",
        )
        .source("Granville (1963), New Key to Stock Market Profits; as TA-Lib's OBV."),
    Operator::series("ad", HLCV, |_, n| lanes(Accumulation::default(), n))
        .recursive(|_| 1, |_| None)
        .words(
            "Accumulation and distribution: volume weighed by where the close stands in its bar.",
            "y[t] = y[t-1] + ((close - low) - (high - close)) / (high - low) volume; as before where \
             high = low",
        )
        .source("Chaikin's line; as TA-Lib's AD."),
    Operator::series("mfi", HLCV, |p, n| {
        lanes(
            MoneyFlow {
                typical: None,
                flows: Window::new(size(p[0])),
            },
            n,
        )
    })
    .parameters(&[count("n", 1.0).or(14.0)])
    .window(first_and_one)
    .words(
        "Money flow index: the share of turnover at rising typical prices, 0 to 100; NaN where none \
         flowed.",
        "100 u / (u + d), u = sum(p volume where p rose, n), d = the same where p fell, \
         p = (high + low + close) / 3",
    )
    .source("Quong and Soudack (1989), Stocks & Commodities 7(3); as TA-Lib's MFI."),
];
