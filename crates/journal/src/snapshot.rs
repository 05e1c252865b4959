//! States that belong to a place in the journal.

use crate::error::{Result, io_of};
use crate::format::{Chain, FORMAT, array_at, chain_at, u16_at, u64_at};
use crate::name;
use crate::storage::Storage;
use crate::writer::{Head, damaged, read_whole};

const MAGIC: [u8; 8] = *b"QVSNAP\r\n";
const FIXED: usize = 8 + 2 + 2 + 8 + 32 + 32 + 32;

/// A state, and the last record that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub head: Head,
    /// Of the state's encoding.
    pub version: u16,
    pub state: Vec<u8>,
}

/// Magic, format, version, sequence, chain, hash of the stream's name, hash of all that and the state.
pub(crate) fn write<S: Storage>(
    storage: &mut S,
    stream: &str,
    head: &Head,
    version: u16,
    state: &[u8],
) -> Result<()> {
    let mut bytes = Vec::with_capacity(FIXED + state.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&head.sequence.to_le_bytes());
    bytes.extend_from_slice(&head.chain);
    bytes.extend_from_slice(blake3::hash(stream.as_bytes()).as_bytes());
    let hash = hash_of(&bytes, state);
    bytes.extend_from_slice(&hash);
    bytes.extend_from_slice(state);
    let name = name::snapshot(head.sequence);
    storage.create(&name, &bytes, 0).map_err(io_of(&name))
}

pub(crate) fn newest<S: Storage>(storage: &S, names: &[String]) -> Result<Option<Snapshot>> {
    let Some(sequence) = name::numbers(names, name::SNAPSHOT).last().copied() else {
        return Ok(None);
    };
    let name = name::snapshot(sequence);
    let bytes = read_whole(storage, &name)?;
    match decode(&bytes) {
        Some(snapshot) if snapshot.head.sequence == sequence => Ok(Some(snapshot)),
        _ => Err(damaged(&name, 0, sequence, "the snapshot does not verify")),
    }
}

fn decode(bytes: &[u8]) -> Option<Snapshot> {
    if bytes.len() < FIXED || bytes[..8] != MAGIC || u16_at(bytes, 8) != FORMAT {
        return None;
    }
    let (fixed, state) = bytes.split_at(FIXED);
    let known: Chain = array_at(fixed, FIXED - 32);
    if known != hash_of(&fixed[..FIXED - 32], state) {
        return None;
    }
    Some(Snapshot {
        head: Head {
            sequence: u64_at(fixed, 12),
            chain: chain_at(fixed, 20),
        },
        version: u16_at(fixed, 10),
        state: state.to_vec(),
    })
}

fn hash_of(fixed: &[u8], state: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fixed);
    hasher.update(state);
    *hasher.finalize().as_bytes()
}
