//! Versioned bytes for inputs, outputs and snapshots: a head of twelve bytes, then `MessagePack`.
//!
//! The head is `Q`, the kind, the format version as two little-endian bytes, and the first eight
//! bytes of the BLAKE3 hash of the body: a flipped bit could else pass as another amount of money.
//! Decoders of old versions stay; the corpus in `tests/golden/encoding` holds them to it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::error::EngineError;
use crate::input::Input;
use crate::numbers::Result;
use crate::output::Output;
use crate::recording::OrderRow;
use crate::snapshot::Snapshot;

/// The version that [`encode`] writes.
pub const FORMAT_VERSION: u16 = 2;

/// Bytes of the hash in the head.
const CHECK_SIZE: usize = 8;

/// What has a versioned encoding.
pub trait Encoded: Serialize + DeserializeOwned {
    const KIND: u8;
}

impl Encoded for Input {
    const KIND: u8 = b'I';
}

impl Encoded for Output {
    const KIND: u8 = b'O';
}

impl Encoded for Snapshot {
    const KIND: u8 = b'S';
}

impl Encoded for Config {
    const KIND: u8 = b'C';
}

/// Encode in the current version.
///
/// # Panics
///
/// Never in practice: our types hold nothing that `MessagePack` cannot say.
#[must_use]
pub fn encode<T: Encoded>(value: &T) -> Vec<u8> {
    let [low, high] = FORMAT_VERSION.to_le_bytes();
    let mut bytes = vec![b'Q', T::KIND, low, high];
    bytes.extend_from_slice(&[0; CHECK_SIZE]);
    rmp_serde::encode::write(&mut bytes, value).expect("our types encode");
    let (head, body) = bytes.split_at_mut(4 + CHECK_SIZE);
    head[4..].copy_from_slice(&check(body));
    bytes
}

fn check(body: &[u8]) -> [u8; CHECK_SIZE] {
    let mut found = [0; CHECK_SIZE];
    found.copy_from_slice(&blake3::hash(body).as_bytes()[..CHECK_SIZE]);
    found
}

/// Decode any version that was ever written.
///
/// # Errors
///
/// [`EngineError::Decode`] for bytes of another kind, an unknown version, damage, or a rest.
pub fn decode<T: Encoded>(bytes: &[u8]) -> Result<T> {
    let fail = |text: String| EngineError::Decode(text);
    let Some(([b'Q', kind, low, high], body)) = bytes.split_first_chunk::<4>() else {
        return Err(fail("this is not one of our records".to_owned()));
    };
    if *kind != T::KIND {
        let (found, wanted) = (char::from(*kind), char::from(T::KIND));
        return Err(fail(format!(
            "wanted a record of kind {wanted}; found {found}"
        )));
    }
    match u16::from_le_bytes([*low, *high]) {
        FORMAT_VERSION => {
            let Some((wanted, body)) = body.split_first_chunk::<CHECK_SIZE>() else {
                return Err(fail("the record is cut short".to_owned()));
            };
            if *wanted != check(body) {
                return Err(fail(
                    "the record is damaged: its hash does not fit".to_owned(),
                ));
            }
            let mut rest = body;
            let value = rmp_serde::from_read(&mut rest).map_err(|error| fail(error.to_string()))?;
            if rest.is_empty() {
                Ok(value)
            } else {
                Err(fail("bytes are left over behind the record".to_owned()))
            }
        }
        version => Err(fail(format!(
            "version {version} is unknown; this build knows up to {FORMAT_VERSION}"
        ))),
    }
}

/// State of a whole run: the engine's snapshot with what stands around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct RunState {
    /// An encoded [`Snapshot`].
    pub engine: Vec<u8>,
    pub row: u64,
    pub now: i64,
    pub sequence: u64,
    /// Time, sleeve, place in the order of setting, name.
    pub timers: Vec<(i64, usize, u64, String)>,
    /// All orders so far, which strategies may ask for; the engine keeps the working ones only.
    pub orders: Vec<OrderRow>,
    /// One per sleeve, as the strategy wrote it.
    pub strategies: Vec<Vec<u8>>,
}

impl Encoded for RunState {
    const KIND: u8 = b'R';
}
