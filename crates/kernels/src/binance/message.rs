//! One message: its fields go straight into the columns.

use std::fmt::{self, Formatter};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::Recording;
use super::values::{Decimal, Levels, Symbol, Truth, Whole};

const NS_IN_MS: i64 = 1_000_000;

/// The columns so far, and the message that is being read.
pub struct Reading {
    pub recording: Recording,
    precision: u32,
    received: i64,
    stream: Stream,
    fields: Fields,
}

/// Which messages a stream has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// No stream: a snapshot, or the answer to a request.
    None,
    Depth,
    Quote,
    Trade,
    Aggregate,
    Other,
}

/// The fields that are used, whatever the stream calls them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Event,
    First,
    Last,
    Bid,
    BidSize,
    Ask,
    AskSize,
    Price,
    Size,
    BuyerMade,
    Symbol,
    Bids,
    Asks,
}

/// Values of whole and decimal numbers and of truths by field, and which are there.
#[derive(Default)]
struct Fields {
    values: [i64; Field::Asks as usize + 1],
    there: u32,
}

impl Fields {
    fn get(&self, field: Field) -> i64 {
        self.values[field as usize]
    }

    fn has(&self, field: Field) -> bool {
        self.there >> (field as u32) & 1 == 1
    }
}

const DEPTH: &[(&str, Field)] = &[
    ("E", Field::Event),
    ("s", Field::Symbol),
    ("U", Field::First),
    ("u", Field::Last),
    ("b", Field::Bids),
    ("a", Field::Asks),
];
const QUOTE: &[(&str, Field)] = &[
    ("s", Field::Symbol),
    ("b", Field::Bid),
    ("B", Field::BidSize),
    ("a", Field::Ask),
    ("A", Field::AskSize),
];
const TRADE: &[(&str, Field)] = &[
    ("s", Field::Symbol),
    ("p", Field::Price),
    ("q", Field::Size),
    ("T", Field::Event),
    ("m", Field::BuyerMade),
];
const SNAPSHOT: &[(&str, Field)] = &[
    ("lastUpdateId", Field::Last),
    ("bids", Field::Bids),
    ("asks", Field::Asks),
];

impl Stream {
    /// By name, such as `btcusdt@depth@100ms`.
    fn of(name: &str) -> Self {
        match name.split('@').nth(1) {
            Some("depth") => Self::Depth,
            Some("bookTicker") => Self::Quote,
            Some("trade") => Self::Trade,
            Some("aggTrade") => Self::Aggregate,
            _ => Self::Other,
        }
    }

    fn fields(self) -> &'static [(&'static str, Field)] {
        match self {
            Self::None => SNAPSHOT,
            Self::Depth => DEPTH,
            Self::Quote => QUOTE,
            Self::Trade | Self::Aggregate => TRADE,
            Self::Other => &[],
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::None | Self::Other => "a message",
            Self::Depth => "a depth message",
            Self::Quote => "a bookTicker message",
            Self::Trade => "a trade message",
            Self::Aggregate => "an aggTrade message",
        }
    }
}

/// Read one message into the columns; says what is wrong with it.
pub fn read(reading: &mut Reading, row: u32, received: i64, json: &str) -> Result<(), String> {
    reading.received = received;
    reading.stream = Stream::None;
    reading.fields.there = 0;
    let mut parser = serde_json::Deserializer::from_str(json);
    let found = Message(reading).deserialize(&mut parser);
    let found = found.and_then(|complete| parser.end().map(|()| complete));
    let complete = found.map_err(|error| {
        // The line is ours to number, and it is not that of the text that was given.
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = text.strip_suffix(&place).unwrap_or(&text);
        let column = error.column();
        let words = reading.stream.words();
        format!("{words} is not readable: {text} (column {column} of the message)")
    })?;
    if complete {
        reading.store(row)
    } else {
        reading.recording.others += 1;
        Ok(())
    }
}

impl Reading {
    pub fn new(precision: u32) -> Self {
        Self {
            recording: Recording::default(),
            precision,
            received: 0,
            stream: Stream::None,
            fields: Fields::default(),
        }
    }

    /// Note that a field is there, and refuse it where it was there before.
    fn claim<E: Error>(&mut self, name: &str, field: Field) -> Result<(), E> {
        let mask = 1 << (field as u32);
        if self.fields.there & mask != 0 {
            return Err(E::custom(format_args!(
                "`{name}` must be there once; found it twice"
            )));
        }
        self.fields.there |= mask;
        Ok(())
    }

    /// Add the message that was read to its columns.
    fn store(&mut self, row: u32) -> Result<(), String> {
        let fields = &self.fields;
        if let Some((name, _)) = self.stream.fields().iter().find(|(_, f)| !fields.has(*f)) {
            let words = self.stream.words();
            return Err(format!(
                "{words} is not readable: `{name}` must be there; found none"
            ));
        }
        match self.stream {
            Stream::None | Stream::Depth => {
                let books = &mut self.recording.books;
                let snapshot = self.stream == Stream::None;
                let last = fields.get(Field::Last);
                books.row.push(row);
                books.received.push(self.received);
                books.snapshot.push(snapshot);
                books.last.push(last);
                if snapshot {
                    books.event.push(self.received);
                    books.first.push(last);
                } else {
                    books.event.push(fields.get(Field::Event));
                    books.first.push(fields.get(Field::First));
                }
                let count = |field| u32::try_from(fields.get(field));
                let (Ok(bids), Ok(asks)) = (count(Field::Bids), count(Field::Asks)) else {
                    return Err("a book must have fewer levels; found more".to_owned());
                };
                books.bids.push(bids);
                books.asks.push(asks);
            }
            Stream::Quote => {
                let quotes = &mut self.recording.quotes;
                quotes.row.push(row);
                quotes.received.push(self.received);
                quotes.bid.push(fields.get(Field::Bid));
                quotes.bid_size.push(fields.get(Field::BidSize));
                quotes.ask.push(fields.get(Field::Ask));
                quotes.ask_size.push(fields.get(Field::AskSize));
            }
            Stream::Trade | Stream::Aggregate => {
                let trades = &mut self.recording.trades;
                trades.row.push(row);
                trades.received.push(self.received);
                trades.event.push(fields.get(Field::Event));
                trades.price.push(fields.get(Field::Price));
                trades.size.push(fields.get(Field::Size));
                trades.buyer_made.push(fields.get(Field::BuyerMade) != 0);
                trades.aggregate.push(self.stream == Stream::Aggregate);
            }
            Stream::Other => {}
        }
        Ok(())
    }
}

/// The outermost object; whether it is a message that is used.
struct Message<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<bool, D::Error> {
        parser.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = bool;

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str("a message, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let reading = self.0;
        let (mut named, mut data) = (false, false);
        while let Some(key) = map.next_key_seed(Key(&["stream", "data"], SNAPSHOT))? {
            match key {
                Found::Name("stream") => {
                    if named || reading.fields.there != 0 {
                        let rule = "`stream` must be there once, and first; found it otherwise";
                        return Err(A::Error::custom(rule));
                    }
                    named = true;
                    reading.stream = map.next_value_seed(StreamName)?;
                }
                Found::Name(_) => {
                    if !named || data {
                        let rule = "`data` must be there once, after `stream`; found it otherwise";
                        return Err(A::Error::custom(rule));
                    }
                    data = true;
                    map.next_value_seed(Data(reading))?;
                }
                Found::Field(name, field) if !named => reading.value(name, field, &mut map)?,
                Found::Field(..) | Found::Nothing => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if named && reading.stream != Stream::Other {
            if data {
                return Ok(true);
            }
            return Err(A::Error::custom("`data` must be there; found none"));
        }
        // An answer to a request has none of the fields of a snapshot.
        Ok(!named && reading.fields.there != 0)
    }
}

/// What the stream sends.
struct Data<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        if self.0.stream == Stream::Other {
            return parser.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        parser.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = ();

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str("`data`, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key(&[], self.0.stream.fields()))? {
            if let Found::Field(name, field) = key {
                self.0.value(name, field, &mut map)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl Reading {
    /// Read the value of a field.
    #[inline]
    fn value<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        field: Field,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.claim(name, field)?;
        let value = match field {
            Field::Symbol => map.next_value_seed(Symbol(name, &mut self.recording.symbol))?,
            Field::First | Field::Last => map.next_value_seed(Whole(name))?,
            Field::Event => {
                let value = map.next_value_seed(Whole(name))?;
                value.checked_mul(NS_IN_MS).ok_or_else(|| {
                    let rule = "must be a time in milliseconds that fits into 64 bits";
                    A::Error::custom(format_args!("`{name}` {rule}; found {value}"))
                })?
            }
            Field::BuyerMade => map.next_value_seed(Truth(name))?,
            Field::Bids | Field::Asks => self.levels(name, field, map)?,
            _ => map.next_value_seed(Decimal(name, self.precision))?,
        };
        self.fields.values[field as usize] = value;
        Ok(())
    }

    /// Add one side of a book; the number of its levels. Bids stand before asks, whichever came first.
    fn levels<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        field: Field,
        map: &mut A,
    ) -> Result<i64, A::Error> {
        let books = &mut self.recording.books;
        let start = books.price.len();
        map.next_value_seed(Levels {
            name,
            precision: self.precision,
            price: &mut books.price,
            size: &mut books.size,
        })?;
        let count = books.price.len() - start;
        if field == Field::Bids && self.fields.has(Field::Asks) {
            let asks = usize::try_from(self.fields.get(Field::Asks)).unwrap_or(0);
            books.price[start - asks..].rotate_left(asks);
            books.size[start - asks..].rotate_left(asks);
        }
        i64::try_from(count).map_err(A::Error::custom)
    }
}

/// A key among others: plain names first, then those of fields.
struct Key(&'static [&'static str], &'static [(&'static str, Field)]);

enum Found {
    Name(&'static str),
    Field(&'static str, Field),
    Nothing,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Found;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Found, D::Error> {
        parser.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Found;

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str("a name")
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Found, E> {
        // Most names have one letter, which is quicker to compare than a text is.
        let field = match text.as_bytes() {
            [letter] => self.1.iter().find(|(name, _)| name.as_bytes() == [*letter]),
            _ => self.1.iter().find(|(name, _)| *name == text),
        };
        if let Some((name, field)) = field {
            return Ok(Found::Field(name, *field));
        }
        let name = self.0.iter().find(|name| **name == text);
        Ok(name.map_or(Found::Nothing, |name| Found::Name(name)))
    }
}

struct StreamName;

impl<'de> DeserializeSeed<'de> for StreamName {
    type Value = Stream;
    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Stream, D::Error> {
        parser.deserialize_str(self)
    }
}

impl Visitor<'_> for StreamName {
    type Value = Stream;

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str("`stream`, a name in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Stream, E> {
        Ok(Stream::of(text))
    }
}
