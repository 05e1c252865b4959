//! Versioned bytes for inputs, outputs and snapshots: a four-byte head, then `MessagePack`.
//!
//! The head is `Q`, the kind, and the format version as two little-endian bytes. Decoders of old
//! versions stay; the corpus in `tests/golden/encoding` holds them to it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::engine::Snapshot;
use crate::error::EngineError;
use crate::input::Input;
use crate::numbers::Result;
use crate::output::Output;

/// The version that [`encode`] writes.
pub const FORMAT_VERSION: u16 = 1;

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
    rmp_serde::encode::write(&mut bytes, value).expect("our types encode");
    bytes
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
        1 => {
            let mut reader = rmp_serde::Deserializer::from_read_ref(body);
            let value = T::deserialize(&mut reader).map_err(|error| fail(error.to_string()))?;
            if reader.get_ref().is_empty() {
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
    /// One per sleeve, as the strategy wrote it.
    pub strategies: Vec<Vec<u8>>,
}

impl Encoded for RunState {
    const KIND: u8 = b'R';
}
