//! Rows as a recorder keeps them: packed, for millions of them are written in a run, and most of
//! the time that takes goes into fresh memory. They come out as they went in.

use crate::order::{Order, OrderKind, OrderStatus, Reason, Side, TimeInForce};
use crate::output::{Figure, Fill, FillKind, Outcome, Rule, Verdict};
use crate::recording::OrderRow;

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("fewer instruments and sleeves than 2^32")
}

/// An order without its id, which is its place among all orders, and without `due` and `reason`,
/// which only mean something in the book. The verdict of most orders, accepted whole, stands here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedOrder {
    pub(crate) ts: i64,
    /// 0 where there is none.
    limit_price: i64,
    quantity: i64,
    filled: i64,
    reference: i64,
    instrument: u32,
    sleeve: u32,
    side: Side,
    kind: OrderKind,
    tif: TimeInForce,
    status: OrderStatus,
    flags: u8,
    reason: Option<Reason>,
    rejected_by: Option<Rule>,
}

const FROM_TARGET: u8 = 1;
const HAS_LIMIT: u8 = 2;
const ACCEPTED_WHOLE: u8 = 4;

fn flag(is_set: bool, flag: u8) -> u8 {
    if is_set { flag } else { 0 }
}

impl PackedOrder {
    #[inline]
    pub(crate) fn new(order: &Order, rejected_by: Option<Rule>) -> Self {
        Self {
            ts: order.ts,
            limit_price: order.limit_price.unwrap_or(0),
            quantity: order.quantity,
            filled: order.filled,
            reference: order.reference,
            instrument: narrow(order.instrument),
            sleeve: narrow(order.sleeve),
            side: order.side,
            kind: order.kind,
            tif: order.tif,
            status: order.status,
            flags: flag(order.from_target, FROM_TARGET)
                | flag(order.limit_price.is_some(), HAS_LIMIT),
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
                limit_price: self.has(HAS_LIMIT).then_some(self.limit_price),
                quantity: self.quantity,
                filled: self.filled,
                reference: self.reference,
                status: self.status,
                due: false,
                from_target: self.has(FROM_TARGET),
                reason: Reason::Day,
            },
            reason: self.reason,
            rejected_by: self.rejected_by,
        }
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether the gate accepted it whole, as far as this recorder saw it.
    pub(crate) fn accepted_whole(&self) -> bool {
        self.has(ACCEPTED_WHOLE)
    }

    #[inline]
    pub(crate) fn set_accepted_whole(&mut self) {
        self.flags |= ACCEPTED_WHOLE;
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

/// The fee and the slippage of a fill, where they are too large for 64 bits: nine million.
pub(crate) type Costs = (i128, i128);

/// Slippage is never negative.
const WIDE: i64 = -1;

#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedFill {
    pub(crate) ts: i64,
    id: u64,
    /// 0 for none.
    order: u64,
    quantity: i64,
    price: i64,
    /// Where one of them does not fit, `fee` is their place in a list, and `slippage` is [`WIDE`].
    fee: i64,
    slippage: i64,
    instrument: u32,
    sleeve: u32,
    side: Side,
    kind: FillKind,
}

impl PackedFill {
    #[inline]
    pub(crate) fn pack(fill: &Fill, all: &mut Vec<Costs>) -> Self {
        let narrow_costs = (i64::try_from(fill.fee), i64::try_from(fill.slippage));
        let (fee, slippage) = if let (Ok(fee), Ok(slippage)) = narrow_costs {
            (fee, slippage)
        } else {
            all.push((fill.fee, fill.slippage));
            (
                i64::try_from(all.len() - 1).expect("a place in a list"),
                WIDE,
            )
        };
        Self {
            ts: fill.ts,
            id: fill.id,
            order: fill.order.unwrap_or(0),
            quantity: fill.quantity,
            price: fill.price,
            fee,
            slippage,
            instrument: narrow(fill.instrument),
            sleeve: narrow(fill.sleeve),
            side: fill.side,
            kind: fill.kind,
        }
    }

    #[inline]
    pub(crate) fn unpack(&self, all: &[Costs]) -> Fill {
        let (fee, slippage) = if self.slippage == WIDE {
            all[usize::try_from(self.fee).expect("a place in a list")]
        } else {
            (i128::from(self.fee), i128::from(self.slippage))
        };
        Fill {
            ts: self.ts,
            id: self.id,
            order: Some(self.order).filter(|id| *id != 0),
            instrument: self.instrument as usize,
            sleeve: self.sleeve as usize,
            side: self.side,
            quantity: self.quantity,
            price: self.price,
            fee,
            slippage,
            kind: self.kind,
        }
    }
}

/// A verdict that its order does not tell of, and how many orders there were when it was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptVerdict {
    pub(crate) orders: usize,
    pub(crate) verdict: Verdict,
}

/// The verdict on an order that was accepted whole.
pub(crate) fn plain_verdict(ts: i64, order: u64) -> Verdict {
    Verdict {
        ts,
        order,
        rule: Rule::All,
        figure: Figure::None,
        limit: Figure::None,
        outcome: Outcome::Accepted,
    }
}
