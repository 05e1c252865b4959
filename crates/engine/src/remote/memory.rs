//! What is remembered of venues outside.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::order::Reason;

/// So many of the newest trades are known by name; what is older is for reconciliation.
const TRADES_KEPT: usize = 65_536;

/// Venue, whether it was taken back, and the venue's name of the trade.
pub(super) type TradeName = (usize, bool, Arc<str>);

/// What is remembered of remote venues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub(crate) struct Remote {
    /// Orders that a venue is to cancel, and why.
    pub(super) cancelling: BTreeMap<u64, Reason>,
    /// By sleeve: targets that wait for the orders of the targets before them to end.
    pub(super) targets: BTreeMap<usize, Vec<(usize, i64)>>,
    /// In the order in which they came.
    trades: VecDeque<TradeName>,
    /// The same, to be found; each text is there once.
    names: BTreeSet<TradeName>,
}

/// [`Remote`] as it is written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    cancelling: Vec<(u64, Reason)>,
    targets: Vec<(usize, Vec<(usize, i64)>)>,
    trades: Vec<(usize, bool, String)>,
}

impl From<Kept> for Remote {
    fn from(kept: Kept) -> Self {
        let trades = kept.trades.into_iter();
        let trades: VecDeque<TradeName> = trades
            .map(|(venue, back, name)| (venue, back, name.into()))
            .collect();
        Self {
            cancelling: kept.cancelling.into_iter().collect(),
            targets: kept.targets.into_iter().collect(),
            names: trades.iter().cloned().collect(),
            trades,
        }
    }
}

impl From<Remote> for Kept {
    fn from(remote: Remote) -> Self {
        Self {
            cancelling: remote.cancelling.into_iter().collect(),
            targets: remote.targets.into_iter().collect(),
            trades: remote
                .trades
                .into_iter()
                .map(|(venue, back, name)| (venue, back, name.as_ref().into()))
                .collect(),
        }
    }
}

impl Remote {
    pub(crate) fn is_empty(&self) -> bool {
        self.cancelling.is_empty() && self.targets.is_empty() && self.trades.is_empty()
    }

    pub(crate) fn is_cancelling(&self, order: u64) -> bool {
        self.cancelling.contains_key(&order)
    }

    /// Nothing that was wanted before is wanted any more.
    pub(crate) fn forget_targets(&mut self) {
        self.targets.clear();
    }

    pub(super) fn knows(&self, name: &TradeName) -> bool {
        self.names.contains(name)
    }

    pub(super) fn learn(&mut self, name: TradeName) {
        self.trades.push_back(name.clone());
        self.names.insert(name);
        if self.trades.len() > TRADES_KEPT
            && let Some(oldest) = self.trades.pop_front()
        {
            self.names.remove(&oldest);
        }
    }
}
