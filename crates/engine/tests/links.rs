//! Lists, amendments and replacements: `docs/engine/orders.md`, sections 7 and 8.

mod support;

use quantvista_engine::{
    Amendment, Event, Link, OrderKind, OrderRequest, OrderStatus, Output, Reason, Rule, Side,
    TimeInForce,
};
use support::{Market, brief, cancels, config, limit, ohlc, order, rejects, stop};

fn submit_list(market: &mut Market, orders: &[OrderRequest], link: Link) -> Vec<Output> {
    market.apply(Event::SubmitList {
        orders: orders.to_vec(),
        link,
    })
}

fn amendment(order: u64) -> Amendment {
    Amendment {
        order,
        quantity: None,
        limit_price: None,
        trigger_price: None,
        trail: None,
        expire_at: None,
    }
}

/// A market buy of 10 with a take-profit at 110 and a stop at 95.
fn bracket() -> [OrderRequest; 3] {
    [
        order(Side::Buy, 10, OrderKind::Market),
        limit(Side::Sell, 10, 110),
        stop(Side::Sell, 10, 95),
    ]
}

#[test]
fn a_fill_of_an_oco_member_ends_its_sibling() {
    let mut market = Market::new(config());
    market.hold(10, 100);
    let pair = [limit(Side::Sell, 10, 110), stop(Side::Sell, 10, 95)];
    submit_list(&mut market, &pair, Link::Oco);
    let (profit, loss) = (2, 3);
    assert_eq!(market.order(loss).group, Some(profit));
    let out = market.bar(100, 112, 80, 100);
    assert_eq!(brief(&out), [(profit, 10, 110)]);
    assert_eq!(cancels(&out), [(loss, Reason::Linked)]);
}

#[test]
fn only_the_largest_member_of_a_group_counts_as_in_flight() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let pair = [limit(Side::Buy, 10, 90), stop(Side::Buy, 10, 120)];
    let before = market.engine.available_cash(0, 0).unwrap();
    submit_list(&mut market, &pair, Link::Oco);
    assert!(!market.order(1).counted && market.order(2).counted);
    let reserved = before - market.engine.available_cash(0, 0).unwrap();
    assert_eq!(reserved, 1_200 * support::MONEY);
}

#[test]
fn a_partial_fill_reduces_the_siblings() {
    let mut config = config();
    config.venues[0].participation_max = Some(100_000_000);
    let mut market = Market::new(config);
    let mut bar = ohlc(100, 100, 100, 100);
    bar.volume = Some(1_000);
    market.barrier(&[(0, bar)], false, false);
    market.submit(order(Side::Buy, 10, OrderKind::Market));
    market.barrier(&[(0, bar)], false, false);
    let pair = [limit(Side::Sell, 10, 105), stop(Side::Sell, 10, 95)];
    submit_list(&mut market, &pair, Link::Oco);
    let mut thin = ohlc(100, 106, 100, 104);
    thin.volume = Some(40);
    let out = market.barrier(&[(0, thin)], false, false);
    assert_eq!(brief(&out), [(2, 4, 105)]);
    assert_eq!(market.order(3).quantity, 6);
    bar = ohlc(100, 100, 90, 95);
    bar.volume = Some(1_000);
    let out = market.barrier(&[(0, bar)], false, false);
    assert_eq!(brief(&out), [(3, 6, 94)]);
    assert_eq!(cancels(&out), [(2, Reason::Linked)]);
    assert_eq!(market.position(), 0);
}

#[test]
fn a_bracket_may_run_its_whole_course_within_one_bar() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    submit_list(&mut market, &bracket(), Link::Bracket);
    assert_eq!(market.order(2).status, OrderStatus::Held);
    let out = market.bar(100, 112, 99, 111);
    assert_eq!(brief(&out), [(1, 10, 101), (2, 10, 110)]);
    assert_eq!(cancels(&out), [(3, Reason::Linked)]);
    assert_eq!(market.position(), 0);
}

#[test]
fn children_do_not_see_the_path_before_their_release() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let orders = [
        stop(Side::Buy, 10, 105),
        limit(Side::Sell, 10, 120),
        stop(Side::Sell, 10, 99),
    ];
    submit_list(&mut market, &orders, Link::Bracket);
    // Down to 97 first, then up through the entry; the exit's stop was passed before.
    let out = market.bar(100, 108, 97, 106);
    assert_eq!(brief(&out), [(1, 10, 106)]);
    assert_eq!(market.order(3).status, OrderStatus::Accepted);
    let out = market.bar(106, 106, 98, 98);
    assert_eq!(brief(&out), [(3, 10, 98)]);
    assert_eq!(cancels(&out), [(2, Reason::Linked)]);
}

#[test]
fn a_child_that_is_reached_at_its_release_acts_at_once() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let orders = [limit(Side::Buy, 10, 95), stop(Side::Sell, 10, 96)];
    submit_list(&mut market, &orders, Link::Oto);
    let out = market.bar(100, 101, 90, 92);
    assert_eq!(brief(&out), [(1, 10, 95), (2, 10, 94)]);
}

#[test]
fn children_are_enlarged_by_further_fills_of_their_parent() {
    let mut config = config();
    config.venues[0].participation_max = Some(100_000_000);
    let mut market = Market::new(config);
    let mut bar = ohlc(100, 100, 100, 100);
    bar.volume = Some(40);
    market.barrier(&[(0, bar)], false, false);
    submit_list(&mut market, &bracket(), Link::Bracket);
    market.barrier(&[(0, bar)], false, false);
    assert_eq!((market.order(2).quantity, market.order(3).quantity), (4, 4));
    // The profit of the first part is taken; the parent still works, so nothing ends.
    let mut high = ohlc(109, 115, 109, 110);
    high.volume = Some(80);
    let out = market.barrier(&[(0, high)], false, false);
    assert_eq!(brief(&out), [(1, 6, 110), (2, 2, 110)]);
    assert_eq!((market.order(2).quantity, market.order(2).filled), (10, 2));
    assert_eq!(market.order(3).quantity, 8);
    bar = ohlc(100, 100, 90, 95);
    bar.volume = Some(100);
    let out = market.barrier(&[(0, bar)], false, false);
    assert_eq!(brief(&out), [(3, 8, 94)]);
    assert_eq!(cancels(&out), [(2, Reason::Linked)]);
    assert_eq!(market.position(), 0);
}

#[test]
fn what_a_child_grows_by_is_judged_at_the_price_that_it_reserves() {
    let mut config = config();
    config.venues[0].participation_max = Some(100_000_000);
    config.limits.fat_finger_notional = Some(500 * support::MONEY);
    let mut market = Market::new(config);
    let traded = |open, high, low, close, volume| {
        let mut bar = ohlc(open, high, low, close);
        bar.volume = Some(volume);
        [(0, bar)]
    };
    market.barrier(&traded(50, 50, 50, 50, 0), false, false);
    let orders = [
        limit(Side::Buy, 10, 50),
        order(Side::Sell, 10, OrderKind::OnClose),
    ];
    submit_list(&mut market, &orders, Link::Oto);
    let out = market.barrier(&traded(50, 100, 50, 100, 40), false, false);
    assert_eq!(brief(&out), [(1, 4, 50)]);
    assert_eq!(market.order(2).reference, 100);
    // The mark is 50 again, but the child still counts at 100: five of the six more are let in.
    let out = market.barrier(&traded(50, 50, 50, 50, 100), false, false);
    assert_eq!(brief(&out), [(1, 6, 50)]);
    assert_eq!(
        (market.order(2).quantity, market.order(2).reference),
        (9, 100)
    );
}

#[test]
fn the_end_of_a_parent_ends_its_held_children() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let mut orders = bracket();
    orders[0] = limit(Side::Buy, 10, 50);
    submit_list(&mut market, &orders, Link::Bracket);
    let out = market.apply(Event::CancelOrder { order: 1 });
    let linked = Reason::Linked;
    assert_eq!(
        cancels(&out),
        [(1, Reason::Requested), (2, linked), (3, linked)]
    );
}

#[test]
fn a_cancelled_child_takes_its_sibling_with_it() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    submit_list(&mut market, &bracket(), Link::Bracket);
    let out = market.apply(Event::CancelOrder { order: 3 });
    assert_eq!(cancels(&out), [(3, Reason::Requested), (2, Reason::Linked)]);
    assert_eq!(brief(&market.bar(100, 100, 90, 95)), [(1, 10, 101)]);
}

#[test]
fn a_list_that_is_not_well_formed_is_refused_whole() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let mut other = limit(Side::Sell, 9, 110);
    let lists = [
        (vec![bracket()[0]], Link::Oto),
        (vec![bracket()[0], other], Link::Oto),
        (bracket()[..2].to_vec(), Link::Bracket),
        (bracket()[..2].to_vec(), Link::Oco),
        (vec![limit(Side::Buy, 1, 90); 9], Link::Oco),
    ];
    for (orders, link) in lists {
        let out = submit_list(&mut market, &orders, link);
        let found = rejects(&out);
        assert_eq!(found.len(), orders.len());
        assert!(found.iter().all(|(_, rule)| *rule == Rule::Linked));
    }
    // One that the gate refuses takes the others with it.
    other.quantity = 10;
    other.limit_price = None;
    let first = market.engine.last_order() + 1;
    let out = submit_list(&mut market, &[bracket()[0], other], Link::Oto);
    assert_eq!(
        rejects(&out),
        [(first, Rule::Linked), (first + 1, Rule::Tick)]
    );
}

#[test]
fn a_release_that_the_gate_refuses_rejects_the_child() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    // Outside the band of its trigger when it is released, whatever it was before.
    let child = OrderRequest {
        trigger_price: Some(100),
        limit_price: Some(10),
        ..order(Side::Sell, 10, OrderKind::StopLimit)
    };
    submit_list(&mut market, &[bracket()[0], child], Link::Oto);
    let out = market.bar(100, 100, 100, 100);
    assert_eq!(brief(&out), [(1, 10, 101)]);
    assert_eq!(rejects(&out), [(2, Rule::PriceBand)]);
}

#[test]
fn an_amended_order_keeps_its_id_and_has_its_new_terms() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let id = market.submit(limit(Side::Buy, 10, 80));
    let out = market.apply(Event::AmendOrder(Amendment {
        quantity: Some(5),
        limit_price: Some(95),
        ..amendment(id)
    }));
    assert!(matches!(out[0], Output::OrderAmended { .. }));
    assert_eq!(market.order(id).reference, 95);
    assert_eq!(brief(&market.bar(100, 100, 90, 95)), [(id, 5, 95)]);
}

#[test]
fn what_the_gate_refuses_of_an_amendment_changes_nothing() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let id = market.submit(limit(Side::Buy, 10, 80));
    let before = market.order(id);
    let cases = [
        (
            Amendment {
                quantity: Some(0),
                ..amendment(id)
            },
            Rule::Lot,
        ),
        (
            Amendment {
                limit_price: Some(-1),
                ..amendment(id)
            },
            Rule::Tick,
        ),
        (
            Amendment {
                trigger_price: Some(90),
                ..amendment(id)
            },
            Rule::Trigger,
        ),
        (
            Amendment {
                quantity: Some(1_000_000),
                ..amendment(id)
            },
            Rule::Cash,
        ),
        (
            Amendment {
                expire_at: Some(1_000),
                ..amendment(id)
            },
            Rule::TimeInForce,
        ),
        (
            Amendment {
                limit_price: Some(1),
                ..amendment(id)
            },
            Rule::PriceBand,
        ),
        (amendment(99), Rule::Unknown),
    ];
    for (change, rule) in cases {
        let out = market.apply(Event::AmendOrder(change));
        let refused = Output::AmendRejected {
            ts: market.now(),
            order: change.order,
            rule,
        };
        assert_eq!(out[0], refused);
        assert_eq!(market.order(id), before);
    }
}

#[test]
fn the_quantity_of_a_group_and_a_trigger_that_was_met_do_not_change() {
    let mut market = Market::new(config());
    market.hold(10, 100);
    let pair = [limit(Side::Sell, 10, 110), stop(Side::Sell, 10, 95)];
    submit_list(&mut market, &pair, Link::Oco);
    let refused = |out: &[Output]| match out[0] {
        Output::AmendRejected { rule, .. } => rule,
        _ => panic!("{out:?}"),
    };
    let smaller = Amendment {
        quantity: Some(5),
        ..amendment(2)
    };
    assert_eq!(
        refused(&market.apply(Event::AmendOrder(smaller))),
        Rule::Linked
    );
    let moved = Amendment {
        trigger_price: Some(97),
        ..amendment(3)
    };
    market.apply(Event::AmendOrder(moved));
    assert_eq!(market.order(3).trigger_price, Some(97));
    market.apply(Event::CancelOrder { order: 3 });
    let met = market.submit(OrderRequest {
        limit_price: Some(99),
        trigger_price: Some(98),
        ..order(Side::Sell, 10, OrderKind::StopLimit)
    });
    market.bar(100, 100, 98, 98);
    let moved = Amendment {
        trigger_price: Some(90),
        ..amendment(met)
    };
    assert_eq!(
        refused(&market.apply(Event::AmendOrder(moved))),
        Rule::Trigger
    );
}

#[test]
fn a_replacement_cancels_one_order_and_makes_another_or_neither() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let id = market.submit(limit(Side::Buy, 10, 80));
    let replace =
        |market: &mut Market, order, request| market.apply(Event::ReplaceOrder { order, request });
    // Together they would cost more than there is; one in the place of the other does not.
    let large = limit(Side::Buy, 12_000, 80);
    let out = replace(&mut market, id, large);
    assert_eq!(cancels(&out), [(id, Reason::Replaced)]);
    assert_eq!(market.order(2).quantity, 12_000);
    let out = replace(&mut market, 2, limit(Side::Buy, 12_500, 81));
    assert_eq!(rejects(&out), [(3, Rule::Cash)]);
    let out = replace(&mut market, 2, limit(Side::Buy, 12_400, 80));
    assert_eq!(cancels(&out), [(2, Reason::Replaced)]);
    let out = replace(&mut market, 2, limit(Side::Buy, 10, 80));
    assert_eq!(rejects(&out), [(5, Rule::Unknown)]);
    let sale = OrderRequest {
        tif: TimeInForce::Gtc,
        ..limit(Side::Sell, 10, 120)
    };
    let out = replace(&mut market, 4, sale);
    assert_eq!(rejects(&out), [(6, Rule::Linked)]);
}
