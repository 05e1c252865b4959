//! What the market does.

use quantvista_engine::{
    Auction, AuctionKind, Bar, BookLevel, BookOrder, Event, Quote, Tick, TradingStatus,
};

use crate::dice::Dice;

impl Dice {
    pub fn bar(&mut self) -> Bar {
        let (open, up, down) = (self.price(), self.between(0, 30), self.between(0, 30));
        let (high, low) = (open.saturating_add(up), open.saturating_sub(down));
        let close = low.saturating_add(self.between(0, up + down + 1)).min(high);
        let range = (!self.one_in(30)).then_some([open, high, low]);
        Bar {
            range,
            close,
            volume: self.maybe(Self::size),
        }
    }

    pub fn market_event(&mut self) -> Event {
        let instrument = self.instrument();
        match self.below(17) {
            0 => Event::Status {
                instrument,
                status: self.pick(TradingStatus::ALL),
            },
            1..7 => {
                let bid = self.price();
                Event::Quote {
                    instrument,
                    quote: Quote {
                        bid: self.maybe(|_| bid),
                        bid_size: self.maybe(Self::size),
                        ask: self.maybe(|dice| bid.saturating_add(dice.between(-2, 8))),
                        ask_size: self.maybe(Self::size),
                    },
                }
            }
            7..10 => Event::Trade {
                instrument,
                trade: Tick {
                    price: self.price(),
                    size: self.size(),
                    aggressor: self.maybe(Self::side),
                },
            },
            10..13 => Event::BookLevel {
                instrument,
                level: BookLevel {
                    side: self.side(),
                    price: self.price(),
                    size: self.size(),
                    more: self.one_in(3),
                },
            },
            13 => Event::BookCleared {
                instrument,
                more: self.one_in(2),
            },
            14..16 => Event::BookOrder {
                instrument,
                order: BookOrder {
                    id: self.below(30),
                    side: self.side(),
                    price: self.price(),
                    size: self.size(),
                    more: self.one_in(3),
                },
            },
            _ => Event::Auction {
                instrument,
                auction: Auction {
                    kind: self.pick(AuctionKind::ALL),
                    price: self.price(),
                    volume: self.maybe(Self::size),
                },
            },
        }
    }
}
