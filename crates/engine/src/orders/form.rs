//! Whether the terms of an order go together: `docs/engine/orders.md`, section 3.

use serde::{Deserialize, Serialize};

use crate::config::{Instrument, PositionMode};
use crate::engine::Engine;
use crate::gate::Breach;
use crate::input::OrderRequest;
use crate::market::DataKind;
use crate::numbers::{RATE_ONE, is_multiple};
use crate::order::{Leg, OrderKind, Side, TimeInForce, Trail, TriggerSource, named};
use crate::orders::trail_trigger;
use crate::output::{Figure, Rule};

named!(
    /// The data that orders are matched against, for the matrix of what is allowed.
    CellData {
        BarsClose = "bars_close",
        Bars = "bars",
        Quotes = "quotes",
        Trades = "trades",
        L2 = "l2",
        L3 = "l3",
    }
);

/// One cell of the matrix: None where the order is allowed, else the rule that refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatrixCell {
    pub kind: OrderKind,
    pub tif: TimeInForce,
    pub data: CellData,
    pub refused_by: Option<Rule>,
}

/// Every kind of order with every time in force on every kind of data.
#[must_use]
pub fn matrix() -> Vec<MatrixCell> {
    let mut cells = Vec::new();
    for &kind in OrderKind::ALL {
        for &tif in TimeInForce::ALL {
            for &data in CellData::ALL {
                cells.push(MatrixCell {
                    kind,
                    tif,
                    data,
                    refused_by: refusal(kind, tif, data),
                });
            }
        }
    }
    cells
}

fn refusal(kind: OrderKind, tif: TimeInForce, data: CellData) -> Option<Rule> {
    if kind == OrderKind::OnOpen && data == CellData::BarsClose {
        return Some(Rule::NeedsOhlc);
    }
    // What waits for a trigger or for an auction cannot be immediate.
    let waits = kind.is_triggered() || is_at_auction(kind);
    (waits && is_immediate(tif)).then_some(Rule::TimeInForce)
}

fn data_of(instrument: &Instrument) -> CellData {
    match instrument.matching {
        DataKind::Bars if instrument.close_only => CellData::BarsClose,
        DataKind::Bars => CellData::Bars,
        DataKind::Quotes => CellData::Quotes,
        DataKind::Trades => CellData::Trades,
        DataKind::L2 => CellData::L2,
        DataKind::L3 => CellData::L3,
    }
}

fn is_at_auction(kind: OrderKind) -> bool {
    matches!(kind, OrderKind::OnOpen | OrderKind::OnClose)
}

fn is_immediate(tif: TimeInForce) -> bool {
    matches!(tif, TimeInForce::Ioc | TimeInForce::Fok)
}

/// The price at which an order is measured: its limit, else its trigger, else the mark. A
/// trailing stop without a trigger yet has the one that belongs to the mark.
#[inline(always)]
pub(crate) fn reference_of(request: &OrderRequest, mark: Option<i64>, tick: i64) -> Option<i64> {
    if request.kind == OrderKind::Market {
        return mark;
    }
    reference_at(request, mark, tick)
}

fn reference_at(request: &OrderRequest, mark: Option<i64>, tick: i64) -> Option<i64> {
    let kind = request.kind;
    if kind.has_limit() {
        return request.limit_price.or(mark);
    }
    match (kind, request.trail) {
        (OrderKind::TrailingStop, Some(trail)) => request
            .trigger_price
            .or_else(|| trail_trigger(request.side, trail, mark?, tick)),
        _ if kind.is_triggered() => request.trigger_price.or(mark),
        _ => mark,
    }
}

fn breach(rule: Rule, figure: Figure, limit: Figure) -> Breach {
    Breach {
        rule,
        figure,
        limit,
        most: 0,
    }
}

impl Engine {
    /// The first rule of form that an order breaks, from `lot` to `leg`.
    #[inline(always)]
    pub(crate) fn form_breach(&self, ts: i64, request: &OrderRequest, mark: i64) -> Option<Breach> {
        let lot = self.config.instruments[request.instrument].lot_size;
        let is_sized = request.quantity > 0 && is_multiple(request.quantity, lot);
        if is_sized && is_bare(request) && self.has_fitting_leg(request) {
            return None;
        }
        self.rare_form_breach(ts, request, mark)
    }

    /// The same of an order that is not as plain as most are.
    #[inline(never)]
    fn rare_form_breach(&self, ts: i64, request: &OrderRequest, mark: i64) -> Option<Breach> {
        let instrument = &self.config.instruments[request.instrument];
        let plain = |rule| Some(breach(rule, Figure::None, Figure::None));
        if request.quantity <= 0 || !is_multiple(request.quantity, instrument.lot_size) {
            let (found, lot) = (request.quantity, instrument.lot_size);
            let (figure, limit) = (Figure::Quantity(found), Figure::Quantity(lot));
            return Some(breach(Rule::Lot, figure, limit));
        }
        let tick = Figure::Price(instrument.tick_size);
        if request.kind.has_limit() != request.limit_price.is_some()
            || request
                .limit_price
                .is_some_and(|price| !is_price(instrument, price))
        {
            let figure = request.limit_price.map_or(Figure::None, Figure::Price);
            return Some(breach(Rule::Tick, figure, tick));
        }
        if !extras_fit(instrument, request) {
            return plain(Rule::Form);
        }
        let data = data_of(instrument);
        let refused_by = refusal(request.kind, request.tif, data);
        if refused_by == Some(Rule::NeedsOhlc) {
            return plain(Rule::NeedsOhlc);
        }
        if !data_suffice(instrument, request) {
            return plain(Rule::NeedsData);
        }
        let is_gtd = request.tif == TimeInForce::Gtd;
        let expiry_fits = match request.expire_at {
            Some(time) => is_gtd && time > ts,
            None => !is_gtd,
        };
        if refused_by.is_some() || !expiry_fits {
            return plain(Rule::TimeInForce);
        }
        if !trigger_fits(instrument, request, mark) {
            let figure = request.trigger_price.map_or(Figure::None, Figure::Price);
            return Some(breach(Rule::Trigger, figure, tick));
        }
        if request.post_only && (request.kind != OrderKind::Limit || is_immediate(request.tif)) {
            return plain(Rule::PostOnly);
        }
        if !self.has_fitting_leg(request) {
            return plain(Rule::Leg);
        }
        None
    }

    #[inline(always)]
    fn has_fitting_leg(&self, request: &OrderRequest) -> bool {
        let is_netting = self.config.account.positions == PositionMode::Netting;
        (request.leg == Leg::Net) == is_netting
    }

    /// Whether the limit price is within the band: around the trigger if there is one, else
    /// around the mark.
    pub(crate) fn band_breach(&self, request: &OrderRequest, mark: i64) -> Option<Breach> {
        let price = request.limit_price?;
        let centre = request.trigger_price.unwrap_or(mark);
        let edge = if price < centre {
            Side::Sell
        } else {
            Side::Buy
        };
        if self.in_band(price, centre, edge) {
            return None;
        }
        let edge = self.band_edge(centre, edge);
        let (figure, limit) = (Figure::Price(price), Figure::Price(edge));
        Some(breach(Rule::PriceBand, figure, limit))
    }
}

/// Whether an order has no term that could be wrong but its quantity and its leg.
#[inline(always)]
fn is_bare(request: &OrderRequest) -> bool {
    request.kind == OrderKind::Market
        && request.tif != TimeInForce::Gtd
        && request.limit_price.is_none()
        && request.trigger_price.is_none()
        && request.trail.is_none()
        && request.trigger_by.is_none()
        && request.expire_at.is_none()
        && request.display_quantity.is_none()
        && !request.post_only
}

fn is_price(instrument: &Instrument, price: i64) -> bool {
    (price > 0 || instrument.negative_prices) && price % instrument.tick_size == 0
}

/// Rule `form`: what is displayed, and what belongs to triggers only.
#[inline]
fn extras_fit(instrument: &Instrument, request: &OrderRequest) -> bool {
    if let Some(shown) = request.display_quantity
        && (request.kind != OrderKind::Limit
            || is_immediate(request.tif)
            || shown <= 0
            || shown % instrument.lot_size != 0
            || shown > request.quantity)
    {
        return false;
    }
    (request.trail.is_none() || request.kind == OrderKind::TrailingStop)
        && (request.trigger_by.is_none() || request.kind.is_triggered())
}

/// Rule `needs_data`.
fn data_suffice(instrument: &Instrument, request: &OrderRequest) -> bool {
    let is_bars = instrument.matching == DataKind::Bars;
    if is_at_auction(request.kind) && !is_bars && !instrument.has_auctions {
        return false;
    }
    match request.trigger_by {
        None | Some(TriggerSource::Last) => true,
        Some(TriggerSource::Mark) => !is_bars,
        Some(TriggerSource::Bid | TriggerSource::Ask) => {
            !is_bars && instrument.matching != DataKind::Trades
        }
    }
}

/// Rule `trigger`.
#[inline]
fn trigger_fits(instrument: &Instrument, request: &OrderRequest, mark: i64) -> bool {
    if request.kind == OrderKind::TrailingStop {
        return trail_fits(instrument, request, mark);
    }
    match request.trigger_price {
        Some(price) => request.kind.is_triggered() && is_price(instrument, price),
        None => !request.kind.is_triggered(),
    }
}

fn trail_fits(instrument: &Instrument, request: &OrderRequest, mark: i64) -> bool {
    let sound = match request.trail {
        Some(Trail::Amount(amount)) => amount > 0 && amount % instrument.tick_size == 0,
        Some(Trail::Rate(rate)) => (1..RATE_ONE).contains(&rate),
        None => false,
    };
    sound
        && request.trigger_price.is_none()
        && reference_of(request, Some(mark), instrument.tick_size)
            .is_some_and(|first| is_price(instrument, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_has_every_cell_once() {
        let cells = matrix();
        let count = OrderKind::ALL.len() * TimeInForce::ALL.len() * CellData::ALL.len();
        assert_eq!(cells.len(), count);
        let refused = cells
            .iter()
            .filter(|cell| cell.refused_by.is_some())
            .count();
        // Seven kinds that wait, IOC and FOK, six kinds of data; on-open on closes in full.
        assert_eq!(refused, 7 * 2 * 6 + 3);
    }
}
