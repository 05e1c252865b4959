//! Inputs about money and instruments that make no sense: refused before time moves on.

use crate::config::{AccountKind, InstrumentKind, RateSource, Settlement};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::input::Event;
use crate::numbers::{RATE_ONE, Result};

impl Engine {
    /// # Errors
    ///
    /// What is wrong with an input of accounts or actions.
    pub(crate) fn check_accounts(&self, event: &Event) -> Result<()> {
        let instruments = self.config.instruments.len();
        match event {
            Event::CashFlow {
                sleeve,
                currency,
                amount,
            } => {
                Self::check_index("sleeve", *sleeve, self.config.sleeves.len())?;
                Self::check_index("currency", *currency, self.config.currencies.len())?;
                if *amount == 0 {
                    return Err(EngineError::InvalidCashFlow);
                }
                Ok(())
            }
            Event::Action(action) => self.check_action(action),
            Event::InstrumentEnded { instrument, price } => self.check_end(*instrument, *price),
            Event::CurrencyRate { currency, rate } => {
                Self::check_index("currency", *currency, self.config.currencies.len())?;
                let source = self.config.currencies[*currency].source;
                let sound = *currency != 0 && *rate > 0 && source == RateSource::Input;
                self.check_rate(sound, *currency, *rate)
            }
            Event::InterestRates {
                currency,
                credit_rate,
                debit_rate,
            } => {
                Self::check_index("currency", *currency, self.config.currencies.len())?;
                for rate in [*credit_rate, *debit_rate] {
                    self.check_rate((0..=RATE_ONE).contains(&rate), *currency, rate)?;
                }
                Ok(())
            }
            Event::ShortTerms {
                instrument,
                shortable,
                borrow_rate,
            } => {
                Self::check_index("instrument", *instrument, instruments)?;
                let found = &self.config.instruments[*instrument];
                let sound = *shortable >= 0 && (0..=RATE_ONE).contains(borrow_rate);
                let is_margin = self.config.account.kind == AccountKind::Margin;
                if sound && is_margin && found.settlement == Settlement::Asset {
                    return Ok(());
                }
                Err(EngineError::InvalidShortTerms {
                    instrument: found.id.clone(),
                })
            }
            Event::Funding { instrument, .. } => {
                Self::check_index("instrument", *instrument, instruments)?;
                let found = &self.config.instruments[*instrument];
                if found.kind == InstrumentKind::Perpetual && self.mark(*instrument).is_some() {
                    return Ok(());
                }
                Err(EngineError::InvalidFunding {
                    instrument: found.id.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    fn check_rate(&self, is_sound: bool, currency: usize, rate: i64) -> Result<()> {
        if is_sound {
            return Ok(());
        }
        Err(EngineError::InvalidRate {
            currency: self.config.currencies[currency].code.clone(),
            rate,
        })
    }
}
