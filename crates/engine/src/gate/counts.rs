//! Times of orders in sliding windows.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::limits::{Breaker, OrderRate};

/// The newest times at which something happened, as many as are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times(VecDeque<i64>);

impl Times {
    pub(crate) fn push(&mut self, ts: i64, kept: i64) {
        self.0.push_back(ts);
        while i64::try_from(self.0.len()).is_ok_and(|len| len > kept) {
            self.0.pop_front();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many lie in `(ts - window_ns, ts]`.
    pub(crate) fn within(&self, ts: i64, window_ns: i64) -> i64 {
        let old = self
            .0
            .partition_point(|time| *time <= ts.saturating_sub(window_ns));
        i64::try_from(self.0.len() - old).unwrap_or(i64::MAX)
    }

    /// Whether one more would keep to a rate.
    pub(crate) fn allow(&self, ts: i64, rate: &OrderRate) -> bool {
        self.within(ts, rate.window_ns) < rate.count
    }

    /// Count one for a breaker; whether it trips.
    pub(crate) fn trips(&mut self, ts: i64, breaker: &Breaker) -> bool {
        self.push(ts, breaker.limit.saturating_add(1));
        self.within(ts, breaker.window_ns) > breaker.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_open_at_its_old_end() {
        let mut times = Times::default();
        let rate = OrderRate {
            count: 2,
            window_ns: 10,
        };
        for ts in [0, 5] {
            assert!(times.allow(ts, &rate));
            times.push(ts, rate.count);
        }
        assert!(!times.allow(9, &rate));
        assert!(times.allow(10, &rate));
        times.push(10, rate.count);
        assert_eq!(times.within(14, 10), 2);
        assert_eq!(times.within(15, 10), 1);
    }
}
