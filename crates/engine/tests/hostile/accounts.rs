//! What people, companies and statistics do.

use quantvista_engine::{Action, Command, Event, RiskFigure, RiskKind, Scenarios, SleeveState};

use crate::dice::Dice;
use crate::world::{DAY, MONEY, SECOND};

impl Dice {
    fn ratio(&mut self) -> i64 {
        if self.one_in(20) {
            self.price()
        } else {
            self.between(1, 12)
        }
    }

    fn action(&mut self) -> Action {
        let (instrument, into) = (self.instrument(), self.instrument());
        let (numerator, denominator) = (self.ratio(), self.ratio());
        let into_price = self.maybe(Self::price);
        match self.below(9) {
            0 => Action::Split {
                instrument,
                numerator,
                denominator,
            },
            1 => Action::CashDividend {
                instrument,
                amount: i128::from(self.price()) * MONEY / 1_000,
            },
            2 => Action::StockDividend {
                instrument,
                numerator,
                denominator,
            },
            3 => Action::SymbolChange {
                instrument,
                symbol: format!("NEW{}.XSIM", self.below(3)),
            },
            4 => Action::MergerCash {
                instrument,
                price: self.price(),
            },
            5 => Action::MergerStock {
                instrument,
                into,
                numerator,
                denominator,
                cash: i128::from(self.size()) * MONEY,
                into_price,
            },
            6 => Action::SpinOff {
                instrument,
                into,
                numerator,
                denominator,
                cost_share: self.between(-1, 1_000_000_002),
                into_price,
            },
            7 => Action::Delisting {
                instrument,
                price: self.maybe(Self::price),
            },
            _ => Action::Precision {
                instrument,
                price_precision: self.pick(&[0, 2, 3, 4, 9, 200]),
                quantity_precision: self.pick(&[0, 1, 2, 9]),
                tick_size: self.ratio(),
                lot_size: self.ratio(),
            },
        }
    }

    fn command(&mut self) -> Command {
        match self.below(8) {
            0 => Command::Halt,
            1 => Command::Reduce,
            2 => Command::Flatten,
            3 => Command::Sleeve {
                sleeve: self.sleeve(),
                state: self.pick(SleeveState::ALL),
            },
            4 => Command::ChangeLimit {
                name: self
                    .pick(&["gross_max", "position_max", "nonsense"])
                    .to_owned(),
                value: self.maybe(|dice| i128::from(dice.price()) * 1_000_000),
            },
            _ => Command::Resume,
        }
    }

    pub fn account_event(&mut self, ts: i64) -> Event {
        let instrument = self.instrument();
        match self.below(11) {
            0 if self.one_in(3) => Event::Operator(self.command()),
            1 => Event::CashFlow {
                sleeve: self.sleeve(),
                currency: self.index(3),
                amount: i128::from(self.between(-2_000, 2_000)) * MONEY,
            },
            2 if self.one_in(3) => Event::Action(self.action()),
            3 if self.one_in(30) => Event::InstrumentEnded {
                instrument,
                price: self.maybe(Self::price),
            },
            4 => Event::CurrencyRate {
                currency: self.index(4),
                rate: self.between(-1, 3_000_000_000_000),
            },
            5 => Event::InterestRates {
                currency: self.index(4),
                credit_rate: self.between(-1, 90_000_000),
                debit_rate: self.between(-1, 90_000_000),
            },
            6 => Event::ShortTerms {
                instrument,
                shortable: self.size(),
                borrow_rate: self.between(-1, 90_000_000),
            },
            7 => Event::RiskFigure(RiskFigure {
                kind: self.pick(RiskKind::ALL),
                instrument: self.maybe(Self::instrument),
                value: self.price(),
                expires_at: ts.saturating_add(self.between(-SECOND, 5 * DAY)),
            }),
            8 => Event::Scenarios(Scenarios {
                instrument,
                returns: (0..self.pick(&[20, 20, 20, 3]))
                    .map(|_| i32::try_from(self.between(-90_000_000, 90_000_000)).unwrap())
                    .collect(),
                expires_at: ts.saturating_add(self.between(-SECOND, 5 * DAY)),
            }),
            9 => Event::Funding {
                instrument,
                rate: self.between(-2_000_000, 2_000_000),
            },
            _ => Event::DayEnded {
                trading: !self.one_in(3),
            },
        }
    }
}
