//! Rows as a recorder keeps them: packed, for millions of them are written in a run, and most of
//! the time that takes goes into fresh memory. They come out as they went in.

use crate::order::{Order, OrderKind, OrderStatus, Reason, Side, TimeInForce};
use crate::output::{Figure, Fill, FillKind, Outcome, Rule, Verdict};
use crate::recording::OrderRow;

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("fewer instruments and sleeves than 2^32")
}

/// An order without its id, which is its place among all orders, and without `due` and `reason`,
/// which only mean something in the book.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedOrder {
    ts: i64,
    limit_price: Option<i64>,
    quantity: i64,
    filled: i64,
    reference: i64,
    instrument: u32,
    sleeve: u32,
    side: Side,
    kind: OrderKind,
    tif: TimeInForce,
    status: OrderStatus,
    from_target: bool,
    reason: Option<Reason>,
    rejected_by: Option<Rule>,
}

impl PackedOrder {
    #[inline]
    pub(crate) fn new(order: &Order, rejected_by: Option<Rule>) -> Self {
        Self {
            ts: order.ts,
            limit_price: order.limit_price,
            quantity: order.quantity,
            filled: order.filled,
            reference: order.reference,
            instrument: narrow(order.instrument),
            sleeve: narrow(order.sleeve),
            side: order.side,
            kind: order.kind,
            tif: order.tif,
            status: order.status,
            from_target: order.from_target,
            reason: None,
            rejected_by,
        }
    }

    pub(crate) fn pack(row: &OrderRow) -> Self {
        Self {
            reason: row.reason,
            ..Self::new(&row.order, row.rejected_by)
        }
    }

    pub(crate) fn unpack(&self, id: u64) -> OrderRow {
        OrderRow {
            order: Order {
                id,
                ts: self.ts,
                sleeve: self.sleeve as usize,
                instrument: self.instrument as usize,
                side: self.side,
                kind: self.kind,
                tif: self.tif,
                limit_price: self.limit_price,
                quantity: self.quantity,
                filled: self.filled,
                reference: self.reference,
                status: self.status,
                due: false,
                from_target: self.from_target,
                reason: Reason::Day,
            },
            reason: self.reason,
            rejected_by: self.rejected_by,
        }
    }

    #[inline]
    pub(crate) fn fill(&mut self, quantity: i64) {
        self.filled += quantity;
        self.status = if self.filled == self.quantity {
            OrderStatus::Filled
        } else {
            OrderStatus::PartiallyFilled
        };
    }

    pub(crate) fn finish(&mut self, status: OrderStatus, reason: Reason) {
        self.status = status;
        self.reason = Some(reason);
    }

    pub(crate) fn instrument(&self) -> usize {
        self.instrument as usize
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedFill {
    pub(crate) ts: i64,
    id: u64,
    /// 0 for none.
    order: u64,
    quantity: i64,
    price: i64,
    /// Bytes of two `i128`, which need no alignment.
    fee: [u8; 16],
    slippage: [u8; 16],
    instrument: u32,
    sleeve: u32,
    side: Side,
    kind: FillKind,
}

impl PackedFill {
    #[inline]
    pub(crate) fn pack(fill: &Fill) -> Self {
        Self {
            ts: fill.ts,
            id: fill.id,
            order: fill.order.unwrap_or(0),
            quantity: fill.quantity,
            price: fill.price,
            fee: fill.fee.to_ne_bytes(),
            slippage: fill.slippage.to_ne_bytes(),
            instrument: narrow(fill.instrument),
            sleeve: narrow(fill.sleeve),
            side: fill.side,
            kind: fill.kind,
        }
    }

    #[inline]
    pub(crate) fn unpack(&self) -> Fill {
        Fill {
            ts: self.ts,
            id: self.id,
            order: Some(self.order).filter(|id| *id != 0),
            instrument: self.instrument as usize,
            sleeve: self.sleeve as usize,
            side: self.side,
            quantity: self.quantity,
            price: self.price,
            fee: i128::from_ne_bytes(self.fee),
            slippage: i128::from_ne_bytes(self.slippage),
            kind: self.kind,
        }
    }
}

/// Most verdicts have no figures; those of the others stand in a list of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedVerdict {
    pub(crate) ts: i64,
    order: u64,
    figures: Option<std::num::NonZeroU32>,
    rule: Rule,
    outcome: Outcome,
}

/// The figure and the limit of a verdict.
pub(crate) type Figures = (Figure, Figure);

impl PackedVerdict {
    #[inline]
    pub(crate) fn pack(verdict: &Verdict, all: &mut Vec<Figures>) -> Self {
        let figures = (verdict.figure, verdict.limit);
        let place = if figures == (Figure::None, Figure::None) {
            0
        } else {
            all.push(figures);
            narrow(all.len())
        };
        Self {
            ts: verdict.ts,
            order: verdict.order,
            figures: std::num::NonZeroU32::new(place),
            rule: verdict.rule,
            outcome: verdict.outcome,
        }
    }

    pub(crate) fn unpack(&self, all: &[Figures]) -> Verdict {
        let (figure, limit) = self.figures.map_or((Figure::None, Figure::None), |place| {
            all[place.get() as usize - 1]
        });
        Verdict {
            ts: self.ts,
            order: self.order,
            rule: self.rule,
            figure,
            limit,
            outcome: self.outcome,
        }
    }
}
