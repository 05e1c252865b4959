//! How long commands take to a venue.

use serde::{Deserialize, Serialize};

use crate::random::splitmix64;

/// Nanoseconds from us to the venue: fixed by the kind of command, and a part that is random.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatencyModel {
    pub submit_ns: i64,
    pub amend_ns: i64,
    pub cancel_ns: i64,
    /// The random part is evenly spread over 0 to this.
    pub jitter_ns: i64,
}

/// A kind of command; its number is part of the draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatencyKind {
    Submit,
    Amend,
    Cancel,
}

impl LatencyModel {
    /// Whether every command acts at once.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Nanoseconds that a command of an order takes.
    #[must_use]
    pub fn delay(&self, seed: u64, order: u64, kind: LatencyKind) -> i64 {
        let (base, number) = match kind {
            LatencyKind::Submit => (self.submit_ns, 0),
            LatencyKind::Amend => (self.amend_ns, 1),
            LatencyKind::Cancel => (self.cancel_ns, 2),
        };
        if self.jitter_ns == 0 {
            return base;
        }
        let draw = splitmix64(
            seed.wrapping_add(order.wrapping_mul(4))
                .wrapping_add(number),
        );
        let part = draw % (self.jitter_ns.unsigned_abs() + 1);
        base.saturating_add_unsigned(part)
    }

    pub(crate) fn problem(&self) -> Option<&'static str> {
        let parts = [
            self.submit_ns,
            self.amend_ns,
            self.cancel_ns,
            self.jitter_ns,
        ];
        parts
            .iter()
            .any(|part| *part < 0 || *part == i64::MAX)
            .then_some("`latency` must not be negative")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_differ_by_order_and_kind_and_stay_within_the_jitter() {
        let model = LatencyModel {
            submit_ns: 1_000,
            cancel_ns: 10,
            jitter_ns: 99,
            ..LatencyModel::default()
        };
        let delays: Vec<i64> = (1..200)
            .map(|order| model.delay(7, order, LatencyKind::Submit))
            .collect();
        assert!(delays.iter().all(|delay| (1_000..=1_099).contains(delay)));
        assert!(delays.iter().any(|delay| *delay != delays[0]));
        assert_eq!(
            model.delay(7, 3, LatencyKind::Submit),
            1_000 + i64::try_from(splitmix64(19) % 100).unwrap()
        );
        assert!(model.delay(7, 3, LatencyKind::Cancel) <= 109);
    }
}
