//! Volume in the direction of prices.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, count, first_and_one, packs, size};
use crate::pack::{Value, fuse};
use crate::rolling::Two;
use crate::running::Total;
use crate::series::Series;
use crate::window::Window;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct OnBalance<V = f64> {
    close: Option<V>,
    total: Total<V>,
}

fuse!(OnBalance { close, total });

impl<V: Value> Series<2, V> for OnBalance<V> {
    #[inline(always)]
    fn update(&mut self, [close, volume]: [V; 2]) -> V {
        let before = self.close.replace(close);
        let before = before.unwrap_or(V::of(f64::NEG_INFINITY));
        // One choice after the other without a branch: which way a price goes nobody can predict.
        let volume = V::each([close, before, volume], |[close, before, volume]| {
            let rising = if close > before { volume } else { 0.0 };
            if close < before { -volume } else { rising }
        });
        self.total.push(volume)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Accumulation<V = f64>(Total<V>);

fuse!(Accumulation { 0 });

impl<V: Value> Series<4, V> for Accumulation<V> {
    #[inline(always)]
    fn update(&mut self, inputs: [V; 4]) -> V {
        let flow = V::each(inputs, |[high, low, close, volume]| {
            let range = high - low;
            let flow = ((close - low) - (high - close)) / range * volume;
            if range > 0.0 { flow } else { 0.0 }
        });
        self.0.push(flow)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct MoneyFlow<V = f64> {
    typical: Option<V>,
    flows: Window<Two<V>>,
}

fuse!(MoneyFlow { typical, flows });

impl<V: Value> Series<4, V> for MoneyFlow<V> {
    #[inline(always)]
    fn update(&mut self, [high, low, close, volume]: [V; 4]) -> V {
        let typical = (high + low + close) / 3.0;
        let Some(before) = self.typical.replace(typical) else {
            return V::of(f64::NAN);
        };
        let flow = typical * volume;
        // Prices on a grid often have the same sum, which rounding must not turn into a move.
        let change = V::each([typical, before], |[typical, before]| {
            let change = typical - before;
            let still = change.abs() <= 4.0 * f64::EPSILON * typical.abs();
            if still { 0.0 } else { change }
        });
        let up = V::each([change, flow], |[x, flow]| if x > 0.0 { flow } else { 0.0 });
        let down = V::each([change, flow], |[x, flow]| if x < 0.0 { flow } else { 0.0 });
        match self.flows.push((up, down)) {
            Some(window) => window.x / (window.x + window.y) * 100.0,
            None => V::of(f64::NAN),
        }
    }
}

const HLCV: &[&str] = &["high", "low", "close", "volume"];

pub const OPERATORS: &[Operator] = &[
    Operator::series("obv", &["close", "volume"], |_, n| packs(OnBalance::default(), n))
        .recursive(|_| 1, |_| None)
        .words(
            "On-balance volume: volume added where the close rose, taken off where it fell.",
            "y[t] = y[t-1] + sign(close[t] - close[t-1]) volume[t], y[0] = volume[0]",
        )
        .source("Granville (1963), New Key to Stock Market Profits; as TA-Lib's OBV."),
    Operator::series("ad", HLCV, |_, n| packs(Accumulation::default(), n))
        .recursive(|_| 1, |_| None)
        .words(
            "Accumulation and distribution: volume weighed by where the close stands in its bar.",
            "y[t] = y[t-1] + ((close - low) - (high - close)) / (high - low) volume; as before where \
             high = low",
        )
        .source("Chaikin's line; as TA-Lib's AD."),
    Operator::series("mfi", HLCV, |p, n| {
        packs(
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
