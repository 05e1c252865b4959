//! What trading costs and which side is pressing.

use std::f64::consts::FRAC_1_SQRT_2;

use serde::{Deserialize, Serialize};

use crate::moments::Spread;
use crate::operator::{Operator, Parameter, count, first, first_and_one, lanes, size};
use crate::pairs::Joint;
use crate::rolling::{Mean, Two};
use crate::series::Series;
use crate::window::Window;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Roll {
    last: Option<f64>,
    change: Option<f64>,
    changes: Window<Joint>,
}

impl Series<1> for Roll {
    #[inline(always)]
    fn update(&mut self, [price]: [f64; 1]) -> f64 {
        let Some(last) = self.last.replace(price) else {
            return f64::NAN;
        };
        let change = price - last;
        let Some(before) = self.change.replace(change) else {
            return f64::NAN;
        };
        match self.changes.push((change, before)) {
            Some(window) => 2.0 * (-window.covariance()).sqrt(),
            None => f64::NAN,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Amihud {
    last: Option<f64>,
    mean: Mean,
}

impl Series<2> for Amihud {
    #[inline(always)]
    fn update(&mut self, [close, volume]: [f64; 2]) -> f64 {
        let Some(last) = self.last.replace(close) else {
            return f64::NAN;
        };
        let impact = (close / last - 1.0).abs() / (close * volume);
        // Without turnover there is no impact to measure, and the window waits.
        if impact.is_finite() {
            self.mean.push(impact).unwrap_or(f64::NAN)
        } else {
            f64::NAN
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Kyle {
    last: Option<f64>,
    pairs: Window<Joint>,
}

impl Series<2> for Kyle {
    #[inline(always)]
    fn update(&mut self, [price, signed_volume]: [f64; 2]) -> f64 {
        let Some(last) = self.last.replace(price) else {
            return f64::NAN;
        };
        let window = self.pairs.push((price - last, signed_volume));
        window.map_or(f64::NAN, |window| window.beta())
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct OrderFlow(Option<[f64; 4]>);

impl Series<4> for OrderFlow {
    #[inline(always)]
    fn update(&mut self, quote: [f64; 4]) -> f64 {
        let [bid, bid_size, ask, ask_size] = quote;
        let Some([old_bid, old_bid_size, old_ask, old_ask_size]) = self.0.replace(quote) else {
            return f64::NAN;
        };
        let mut flow = 0.0;
        if bid >= old_bid {
            flow += bid_size;
        }
        if bid <= old_bid {
            flow -= old_bid_size;
        }
        if ask <= old_ask {
            flow -= ask_size;
        }
        if ask >= old_ask {
            flow += old_ask_size;
        }
        flow
    }
}

/// Volume that one side traded more than the other, with sides told by the price change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Toxicity {
    last: Option<f64>,
    changes: Window<Spread>,
    volumes: Window<Two>,
}

impl Series<2> for Toxicity {
    #[inline(always)]
    fn update(&mut self, [close, volume]: [f64; 2]) -> f64 {
        let Some(last) = self.last.replace(close) else {
            return f64::NAN;
        };
        let change = close - last;
        let Some(changes) = self.changes.push(change) else {
            return f64::NAN;
        };
        let deviation = changes.variance().sqrt();
        // Buying is the normal distribution's share below the change; so the sides differ by erf.
        let sides = libm::erf(change / deviation * FRAC_1_SQRT_2).abs();
        if !sides.is_finite() {
            return f64::NAN;
        }
        let window = self.volumes.push((sides * volume, volume));
        window.map_or(f64::NAN, |window| window.ratio())
    }
}

const CV: &[&str] = &["close", "volume"];
const ONE: &[Parameter] = &[count("n", 1.0)];
const TWO: &[Parameter] = &[count("n", 2.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("roll_spread", &["price"], |p, n| {
        lanes(
            Roll {
                changes: Window::new(size(p[0])),
                ..Roll::default()
            },
            n,
        )
    })
    .parameters(TWO)
    .window(|p| first(p) + 2)
    .words(
        "Spread that the bounce of prices implies, over n pairs of changes; NaN where they trend.",
        "2 sqrt(-cov(d[t], d[t-1], n)), d = price[t] - price[t-1]",
    )
    .source("Roll (1984), J. Finance 39(4)."),
    Operator::series("amihud", CV, |p, n| {
        lanes(
            Amihud {
                last: None,
                mean: Mean::new(size(p[0])),
            },
            n,
        )
    })
    .parameters(ONE)
    .window(first_and_one)
    .words(
        "Illiquidity: mean move for a unit of turnover, over n bars that had any.",
        "mean(|close[t] / close[t-1] - 1| / (close volume), n)",
    )
    .source("Amihud (2002), J. Financial Markets 5(1)."),
    Operator::series("kyle", &["price", "signed_volume"], |p, n| {
        lanes(
            Kyle {
                last: None,
                pairs: Window::new(size(p[0])),
            },
            n,
        )
    })
    .parameters(TWO)
    .window(first_and_one)
    .words(
        "Kyle's lambda: the price change for a unit of signed volume, by regression over n bars.",
        "cov(price[t] - price[t-1], signed_volume, n) / var(signed_volume, n)",
    )
    .source("Kyle (1985), Econometrica 53(6); by regression as in Hasbrouck (2007)."),
    Operator::series("ofi", &["bid", "bid_size", "ask", "ask_size"], |_, n| {
        lanes(OrderFlow::default(), n)
    })
    .window(|_| 2)
    .words(
        "Order flow imbalance of one change of the best quotes.",
        "[b >= b'] B - [b <= b'] B' - [a <= a'] A + [a >= a'] A', with b, a the prices, B, A the \
         sizes, and ' the quote before",
    )
    .source("Cont, Kukanov and Stoikov (2014), J. Financial Econometrics 12(1)."),
    Operator::series("vpin", CV, |p, n| {
        lanes(
            Toxicity {
                last: None,
                changes: Window::new(size(p[0])),
                volumes: Window::new(size(p[0])),
            },
            n,
        )
    })
    .parameters(TWO)
    .window(|p| 2 * first(p))
    .words(
        "Share of the volume of n bars by which one side outweighed the other, 0 to 1; a bar's sides \
         are told by its price change. Bars of equal volume come closest to the source.",
        "sum(|2 F(d / std(d, n)) - 1| volume, n) / sum(volume, n), d = close[t] - close[t-1], F the \
         normal distribution",
    )
    .source(
        "Easley, López de Prado and O'Hara (2012), Review of Financial Studies 25(5), and (2016) for \
         the sides of bars.",
    ),
];
