//! Trades that wait for their settlement.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::numbers::{Result, add};

/// What comes in and goes out on each of the trading days ahead, per sleeve and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settling {
    /// Trading days that have ended.
    day: u64,
    /// The longest settlement in trading days: places of the wheel.
    days: usize,
    /// In and out (both positive), `place * days + due day modulo days`.
    due: Vec<(i128, i128)>,
}

impl Settling {
    pub(crate) fn new(config: &Config) -> Self {
        let places = config.sleeves.len() * config.currencies.len();
        Self::with_days(places, longest(config))
    }

    pub(crate) fn with_days(places: usize, longest: u8) -> Self {
        let days = usize::from(longest);
        Self {
            day: 0,
            days,
            due: vec![(0, 0); places * days],
        }
    }

    pub(crate) fn fits(&self, config: &Config) -> bool {
        let places = config.sleeves.len() * config.currencies.len();
        self.days == usize::from(longest(config))
            && self.due.len() == places * self.days
            && self.due.iter().all(|(gain, loss)| *gain >= 0 && *loss >= 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.days == 0
    }

    pub(crate) fn add(&mut self, place: usize, days: u8, amount: i128) -> Result<()> {
        let index = self.index(place, self.day + u64::from(days));
        let (gain, loss) = &mut self.due[index];
        if amount > 0 {
            *gain = add(*gain, amount, "what is unsettled")?;
        } else {
            *loss = add(*loss, -amount, "what is unsettled")?;
        }
        Ok(())
    }

    pub(crate) fn next_day(&mut self) {
        self.day += 1;
    }

    /// What is settled today, which is then no longer due.
    pub(crate) fn take_due(&mut self, place: usize) -> Result<i128> {
        if self.is_empty() {
            return Ok(0);
        }
        let index = self.index(place, self.day);
        let (gain, loss) = std::mem::take(&mut self.due[index]);
        add(gain, -loss, "what is unsettled")
    }

    pub(crate) fn net(&self, place: usize) -> Result<i128> {
        let wheel = &self.due[place * self.days..(place + 1) * self.days];
        wheel.iter().try_fold(0, |sum, (gain, loss)| {
            add(
                sum,
                add(*gain, -*loss, "what is unsettled")?,
                "what is unsettled",
            )
        })
    }

    pub(crate) fn payable(&self, place: usize) -> Result<i128> {
        let wheel = &self.due[place * self.days..(place + 1) * self.days];
        wheel
            .iter()
            .try_fold(0, |sum, (_, loss)| add(sum, *loss, "what is unsettled"))
    }

    fn index(&self, place: usize, day: u64) -> usize {
        let turn = usize::try_from(day % self.days as u64).expect("below a small number");
        place * self.days + turn
    }
}

fn longest(config: &Config) -> u8 {
    let days = config.instruments.iter().map(|i| i.settlement_days);
    days.max().unwrap_or(0)
}
