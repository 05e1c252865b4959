//! Sums that do not lose what is small.

use serde::{Deserialize, Serialize};

/// A sum and the part that it could not hold (Knuth's two-sum), so that ten times 0.1 reaches 1.0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    #[inline(always)]
    pub fn add(&mut self, value: f64) {
        let total = self.high + value;
        let part = total - self.high;
        self.low += (self.high - (total - part)) + (value - part);
        self.high = total;
    }

    #[inline(always)]
    pub fn total(self) -> f64 {
        self.high + self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tenths_are_one() {
        let mut sum = Sum::default();
        for _ in 0..10 {
            sum.add(0.1);
        }
        assert_eq!(sum.total().to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn what_is_missing_stays_missing() {
        let mut sum = Sum::default();
        sum.add(f64::NAN);
        sum.add(1.0);
        assert!(sum.total().is_nan());
    }
}
