//! Recordings: what is read, and that nothing that is wrong with one gets past or panics.

use proptest::prelude::*;
use quantvista_kernels::decode_binance;

const DEPTH: &str = r#"1723161253937085768 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":5,"u":9,"b":[["61737.63","0.00000000"],["61730.1","2"]],"a":[["61837.64000000","1.54698000"]]}}"#;
const QUOTE: &str = r#"1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":50,"s":"BTCUSDT","b":"61837.63","B":"3.78826","a":"61837.64","A":"1.5"}}"#;
const TRADE: &str = r#"1723161254087896568 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":3,"p":"61837.63","q":"0.02","b":88,"a":50,"T":1723161255342,"m":true,"M":true}}"#;
const AGGREGATE: &str = r#"1723161254087896569 {"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSDT","a":3,"p":"61837.63","q":"0.02","f":1,"l":2,"T":1723161255342,"m":false,"M":true}}"#;
const SNAPSHOT: &str =
    r#"1723161254206652067 {"lastUpdateId":7,"bids":[["61837.63","3.7"]],"asks":[]}"#;

fn refused(line: &str) -> String {
    let text = format!("{QUOTE}\n{line}\n");
    match decode_binance(text.as_bytes(), 8) {
        Ok(found) => panic!("{line} was read: {found:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn messages_become_columns() {
    let kline = r#"1723161254206652068 {"stream":"btcusdt@kline_1m","data":[1]}"#;
    let answer = r#"1723161254206652069 {"result":null,"id":1}"#;
    let lines = [DEPTH, QUOTE, TRADE, AGGREGATE, SNAPSHOT, kline, answer];
    let found = decode_binance(lines.join("\r\n").as_bytes(), 8).expect("a recording");
    assert_eq!((found.symbol.as_str(), found.others), ("BTCUSDT", 2));
    let books = found.books;
    assert_eq!(books.row, [1, 5]);
    assert_eq!(
        books.received,
        [1_723_161_253_937_085_768, 1_723_161_254_206_652_067]
    );
    assert_eq!(
        books.event,
        [1_723_161_255_208_000_000, 1_723_161_254_206_652_067]
    );
    assert_eq!(books.snapshot, [false, true]);
    assert_eq!((books.first, books.last), (vec![5, 7], vec![9, 7]));
    assert_eq!((books.bids, books.asks), (vec![2, 1], vec![1, 0]));
    let (low, high) = (6_173_763_000_000, 6_183_764_000_000);
    assert_eq!(
        books.price,
        [low, 6_173_010_000_000, high, 6_183_763_000_000]
    );
    assert_eq!(books.size, [0, 200_000_000, 154_698_000, 370_000_000]);
    let quotes = found.quotes;
    assert_eq!(
        (quotes.row, quotes.received),
        (vec![2], vec![1_723_161_254_087_891_268])
    );
    assert_eq!(
        (quotes.bid, quotes.ask),
        (vec![6_183_763_000_000], vec![high])
    );
    assert_eq!(
        (quotes.bid_size, quotes.ask_size),
        (vec![378_826_000], vec![150_000_000])
    );
    let trades = found.trades;
    assert_eq!(trades.row, [3, 4]);
    assert_eq!(trades.event, [1_723_161_255_342_000_000; 2]);
    assert_eq!(
        (trades.price, trades.size),
        (vec![6_183_763_000_000; 2], vec![2_000_000; 2])
    );
    assert_eq!(trades.buyer_made, [true, false]);
    assert_eq!(trades.aggregate, [false, true]);
}

#[test]
fn bids_stand_first_whichever_came_first() {
    let turned = r#"1723161254206652067 {"asks":[["3","1"],["4","1"]],"lastUpdateId":7,"bids":[["2","1"],["1","1"],["0","9"]]}"#;
    let found = decode_binance(turned.as_bytes(), 0).expect("a recording");
    assert_eq!((found.books.bids, found.books.asks), (vec![3], vec![2]));
    assert_eq!(found.books.price, [2, 1, 0, 3, 4]);
    assert_eq!(found.books.size, [1, 1, 9, 1, 1]);
}

/// A line, what of it is replaced by what, and the words of the refusal.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        TRADE,
        r#""p":"61837.63""#,
        r#""p":61837.63"#,
        "`p`, a decimal number in quotes",
    ),
    (
        TRADE,
        r#""p":"61837.63""#,
        r#""p":"1e5""#,
        "`p` must be a decimal number; found '1e5'",
    ),
    (
        TRADE,
        r#""p":"61837.63""#,
        r#""p":"0.000000001""#,
        "`p` must have at most 8 decimals",
    ),
    (
        TRADE,
        r#""q":"0.02""#,
        r#""q":"99999999999999999""#,
        "`q` must fit into 64 bits",
    ),
    (TRADE, r#""q":"0.02","#, "", "`q` must be there; found none"),
    (
        TRADE,
        r#""q":"0.02""#,
        r#""q":"0.02","q":"0.02""#,
        "`q` must be there once",
    ),
    (TRADE, r#""m":true"#, r#""m":1"#, "`m`, true or false"),
    (TRADE, "1723161255342", "-1", "`T`, a whole number"),
    (
        TRADE,
        "1723161255342",
        "9223372036854775807",
        "`T` must be a time",
    ),
    (
        TRADE,
        "BTCUSDT",
        "ETHUSDT",
        "`s` must be that of one symbol; found BTCUSDT, ETHUSDT",
    ),
    (
        DEPTH,
        r#""U":5"#,
        r#""U":1e400"#,
        "a depth message is not readable",
    ),
    (
        DEPTH,
        r#""U":5"#,
        r#""U":18446744073709551615"#,
        "`U` must be a whole number",
    ),
    (
        DEPTH,
        r#"["61730.1","2"]"#,
        r#"["61730.1"]"#,
        "`b` must have levels",
    ),
    (
        DEPTH,
        r#"["61730.1","2"]"#,
        r#"["61730.1","2","3"]"#,
        "`b` must have levels",
    ),
    (
        DEPTH,
        r#"["61730.1","2"]"#,
        "null",
        "`b`, of which a level is [price, size]",
    ),
    (
        SNAPSHOT,
        r#""asks":[]"#,
        r#""asks":{}"#,
        "`asks`, a list of levels",
    ),
    (
        SNAPSHOT,
        "}",
        r#","stream":"a@trade"}"#,
        "`stream` must be there once, and first",
    ),
    (
        QUOTE,
        r#""data":"#,
        r#""date":"#,
        "`data` must be there; found none",
    ),
    (
        QUOTE,
        r#""stream""#,
        r#""data":{},"stream""#,
        "`data` must be there once, after `stream`",
    ),
    (QUOTE, "}}", "}} {}", "trailing characters"),
    (
        QUOTE,
        "1723161254087891268 ",
        "",
        "must begin with the time received in nanoseconds",
    ),
    (
        QUOTE,
        "1723161254087891268",
        "9999999999999999999",
        "must begin with the time received",
    ),
];

#[test]
fn a_field_that_is_wrong_is_named_with_its_row() {
    for (line, was, is, words) in WRONG {
        let changed = line.replacen(was, is, 1);
        assert_ne!(changed, *line);
        let found = refused(&changed);
        assert!(found.contains(words), "{found}");
        assert!(found.ends_with("in row 2"), "{found}");
    }
    let deep = format!("1723161254087891268 {}", "[".repeat(100_000));
    assert!(refused(&deep).contains("in row 2"));
    let deep = QUOTE.replacen(r#""u":50"#, &format!(r#""x":{}"#, "[".repeat(100_000)), 1);
    assert!(refused(&deep).ends_with("in row 2"));
}

#[test]
fn other_bytes_than_text_are_refused_with_their_row() {
    let mut content = format!("{QUOTE}\n{TRADE}\n").into_bytes();
    let place = content.len() - 10;
    content[place] = 0xff;
    let error = decode_binance(&content, 8)
        .expect_err("no text")
        .to_string();
    assert_eq!(
        error,
        "a line must be text in UTF-8; found other bytes in row 2"
    );
    let error = decode_binance(b"", 19).expect_err("too fine").to_string();
    assert_eq!(error, "`precision` must be at most 18; found 19");
}

#[test]
fn a_line_that_is_cut_short_is_refused_wherever_it_is_cut() {
    for line in [DEPTH, QUOTE, TRADE, AGGREGATE, SNAPSHOT] {
        for end in 0..line.len() {
            let text = format!("{}\n{QUOTE}", &line[..end]);
            let error = decode_binance(text.as_bytes(), 8)
                .expect_err(line)
                .to_string();
            assert!(error.ends_with("in row 1"), "{error}");
        }
    }
}

proptest! {
    #[test]
    fn changed_bytes_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        precision in 0_u32..=20,
    ) {
        let lines = [DEPTH, QUOTE, TRADE, AGGREGATE, SNAPSHOT].join("\n");
        let mut content = lines.into_bytes();
        for (place, byte) in changes {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if let Ok(found) = decode_binance(&content, precision) {
            let levels: u32 = found.books.bids.iter().chain(&found.books.asks).sum();
            prop_assert_eq!(found.books.price.len(), levels as usize);
            prop_assert_eq!(found.books.size.len(), levels as usize);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(content in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut line = b"1723161254087891268 ".to_vec();
        line.extend(&content);
        let _ = decode_binance(&line, 8);
        let _ = decode_binance(&content, 8);
    }
}
