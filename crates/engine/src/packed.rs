//! Rows as a recorder keeps them: packed, for millions of them are written in a run, and most of
//! the time that takes goes into fresh memory. They come out as they went in.

use crate::order::{
    Leg, Order, OrderKind, OrderStatus, Origin, Reason, Side, TimeInForce, Trail, TriggerSource,
};
use crate::output::{Figure, Fill, FillKind, Liquidity, Outcome, Rule, Verdict};
use crate::recording::OrderRow;

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("fewer instruments and sleeves than 2^32")
}

/// An order without its id, which is its place among all orders, and without `due`, `rested` and
/// `reason`, which only mean something in the book. The verdict of most orders, accepted whole, stands here.
#[derive(Debug, Clone)]
pub(crate) struct PackedOrder {
    pub(crate) ts: i64,
    /// 0 where there is none; so is the next.
    limit_price: i64,
    trigger_price: i64,
    quantity: i64,
    filled: i64,
    reference: i64,
    /// What few orders have.
    rare: Option<Box<Rare>>,
    instrument: u32,
    sleeve: u32,
    side: Side,
    kind: OrderKind,
    tif: TimeInForce,
    leg: Leg,
    origin: Origin,
    status: OrderStatus,
    flags: u8,
    reason: Option<Reason>,
    rejected_by: Option<Rule>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rare {
    /// Where it is later than `ts`.
    arrival: Option<i64>,
    trail: Option<Trail>,
    trigger_by: Option<TriggerSource>,
    expire_at: Option<i64>,
    display_quantity: Option<i64>,
    parent: Option<u64>,
    group: Option<u64>,
    children: u8,
    adverse: i64,
}

const POST_ONLY: u8 = 1;
const HAS_LIMIT: u8 = 2;
const ACCEPTED_WHOLE: u8 = 4;
const REDUCE_ONLY: u8 = 8;
const HAS_TRIGGER: u8 = 16;
const COUNTED: u8 = 32;
const TRIGGERED: u8 = 64;
const REMOTE: u8 = 128;

fn flag(is_set: bool, flag: u8) -> u8 {
    if is_set { flag } else { 0 }
}

impl PackedOrder {
    #[inline]
    pub(crate) fn new(order: &Order, rejected_by: Option<Rule>) -> Self {
        let rare = Rare {
            arrival: Some(order.arrival).filter(|arrival| *arrival != order.ts),
            trail: order.trail,
            trigger_by: order.trigger_by,
            expire_at: order.expire_at,
            display_quantity: order.display_quantity,
            parent: order.parent,
            group: order.group,
            children: order.children,
            adverse: order.adverse,
        };
        Self {
            ts: order.ts,
            limit_price: order.limit_price.unwrap_or(0),
            trigger_price: order.trigger_price.unwrap_or(0),
            quantity: order.quantity,
            filled: order.filled,
            reference: order.reference,
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
            instrument: narrow(order.instrument),
            sleeve: narrow(order.sleeve),
            side: order.side,
            kind: order.kind,
            tif: order.tif,
            leg: order.leg,
            origin: order.origin,
            status: order.status,
            flags: flag(order.post_only, POST_ONLY)
                | flag(order.reduce_only, REDUCE_ONLY)
                | flag(order.limit_price.is_some(), HAS_LIMIT)
                | flag(order.trigger_price.is_some(), HAS_TRIGGER)
                | flag(order.triggered, TRIGGERED)
                | flag(order.counted, COUNTED)
                | flag(order.remote, REMOTE),
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
        let rare = self.rare.as_deref().cloned().unwrap_or_default();
        OrderRow {
            order: Order {
                id,
                ts: self.ts,
                arrival: rare.arrival.unwrap_or(self.ts),
                sleeve: self.sleeve as usize,
                instrument: self.instrument as usize,
                side: self.side,
                kind: self.kind,
                tif: self.tif,
                limit_price: self.has(HAS_LIMIT).then_some(self.limit_price),
                trigger_price: self.has(HAS_TRIGGER).then_some(self.trigger_price),
                trail: rare.trail,
                trigger_by: rare.trigger_by,
                expire_at: rare.expire_at,
                display_quantity: rare.display_quantity,
                post_only: self.has(POST_ONLY),
                reduce_only: self.has(REDUCE_ONLY),
                leg: self.leg,
                origin: self.origin,
                quantity: self.quantity,
                filled: self.filled,
                reference: self.reference,
                adverse: rare.adverse,
                status: self.status,
                due: false,
                triggered: self.has(TRIGGERED),
                rested: false,
                reason: Reason::Day,
                parent: rare.parent,
                children: rare.children,
                group: rare.group,
                counted: self.has(COUNTED),
                remote: self.has(REMOTE),
            },
            reason: self.reason,
            rejected_by: self.rejected_by,
        }
    }

    /// Take over new terms or a new status; what is filled is known here.
    pub(crate) fn renew(&mut self, order: &Order) {
        let accepted = self.flags & ACCEPTED_WHOLE;
        *self = Self::new(order, self.rejected_by);
        self.flags |= accepted;
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

    /// What fills after the end of an order, or beyond what was asked, changes no status.
    pub(crate) fn fill_late(&mut self, quantity: i64) {
        self.filled += quantity;
    }

    pub(crate) fn trigger(&mut self) {
        self.status = OrderStatus::Triggered;
        self.flags |= TRIGGERED;
    }

    pub(crate) fn lose_sight(&mut self) {
        self.status = OrderStatus::Unknown;
    }

    pub(crate) fn finish(&mut self, status: OrderStatus, reason: Reason) {
        self.status = status;
        self.reason = Some(reason);
    }

    pub(crate) fn is_final(&self) -> bool {
        self.status.is_final()
    }

    pub(crate) fn instrument(&self) -> usize {
        self.instrument as usize
    }
}

/// The fee and the slippage of a fill, where they are too large for 64 bits: nine million.
pub(crate) type Costs = (i128, i128);

/// Slippage is far from that.
const WIDE: i64 = i64::MIN;

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
    leg: u8,
    side: Side,
    kind: FillKind,
    liquidity: Liquidity,
}

impl PackedFill {
    #[inline]
    pub(crate) fn pack(fill: &Fill, all: &mut Vec<Costs>) -> Self {
        let narrow_costs = (i64::try_from(fill.fee), i64::try_from(fill.slippage));
        let (fee, slippage) = if let (Ok(fee), Ok(slippage)) = narrow_costs
            && slippage != WIDE
        {
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
            leg: u8::try_from(fill.leg).expect("two legs at most"),
            side: fill.side,
            kind: fill.kind,
            liquidity: fill.liquidity,
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
            leg: usize::from(self.leg),
            side: self.side,
            quantity: self.quantity,
            price: self.price,
            fee,
            slippage,
            kind: self.kind,
            liquidity: self.liquidity,
        }
    }
}

/// A verdict that its order does not tell of, and how many orders there were when it was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptVerdict {
    pub(crate) orders: u64,
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
