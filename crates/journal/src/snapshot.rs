//! States that belong to a place in the journal.

use std::borrow::Cow;

use crate::cipher::Cipher;
use crate::error::{Result, io_of};
use crate::format::{Chain, FORMAT, FORMAT_ENCRYPTED, array_at, chain_at, u16_at, u64_at};
use crate::found::{damaged, read_whole};
use crate::key::{KeyId, KeyRing};
use crate::name;
use crate::storage::Storage;
use crate::writer::Head;

const MAGIC: [u8; 8] = *b"QVSNAP\r\n";
const FIXED: usize = 8 + 2 + 2 + 8 + 32 + 32 + 32;
/// Before the hash of it and of what follows.
const HEADER: usize = FIXED - 32;
const KEY_ID: usize = 6;

/// A state, and the last record that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub head: Head,
    /// Of the state's encoding.
    pub version: u16,
    pub state: Vec<u8>,
}

/// A snapshot that verifies, its state maybe encrypted.
pub(crate) struct Found {
    pub(crate) head: Head,
    name: String,
    bytes: Vec<u8>,
}

/// Magic, format, version, sequence, chain, hash of the stream's name, hash of all that and the state.
/// A state that is encrypted follows the name of its key.
pub(crate) fn write<S: Storage>(
    storage: &mut S,
    stream: &str,
    head: &Head,
    (version, state): (u16, &[u8]),
    keys: Option<&KeyRing>,
) -> Result<()> {
    let key = keys.and_then(KeyRing::newest);
    let format = key.map_or(FORMAT, |_| FORMAT_ENCRYPTED);
    let mut bytes = Vec::with_capacity(FIXED + state.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&head.sequence.to_le_bytes());
    bytes.extend_from_slice(&head.chain);
    bytes.extend_from_slice(blake3::hash(stream.as_bytes()).as_bytes());
    let rest = match key {
        None => Cow::Borrowed(state),
        Some(key) => {
            let cipher = Cipher::new(key, &bytes);
            let sealed = cipher.seal(head.sequence, 0, &[], state)?;
            Cow::Owned([&key.id().0, sealed.as_slice()].concat())
        }
    };
    let hash = hash_of(&bytes, &rest);
    bytes.extend_from_slice(&hash);
    bytes.extend_from_slice(&rest);
    let name = name::snapshot(head.sequence);
    storage.create(&name, &bytes, 0).map_err(io_of(&name))
}

pub(crate) fn newest<S: Storage>(storage: &S, names: &[String]) -> Result<Option<Found>> {
    let Some(sequence) = name::numbers(names, name::SNAPSHOT).last().copied() else {
        return Ok(None);
    };
    let name = name::snapshot(sequence);
    let bytes = read_whole(storage, &name)?;
    match check(&bytes) {
        Some(head) if head.sequence == sequence => Ok(Some(Found { head, name, bytes })),
        _ => Err(damaged(&name, 0, sequence, "the snapshot does not verify")),
    }
}

impl Found {
    /// The state, which must be encrypted if the journal is.
    pub(crate) fn open(&self, keys: Option<&KeyRing>) -> Result<Snapshot> {
        let (fixed, rest) = self.bytes.split_at(FIXED);
        let state = match (keys, u16_at(fixed, 8) == FORMAT_ENCRYPTED) {
            (None, false) => rest.to_vec(),
            (Some(keys), true) => {
                let (id, sealed) = rest.split_at(KEY_ID);
                let header = &fixed[..HEADER];
                let cipher = Cipher::find(keys, KeyId(array_at(id, 0)), header, &self.name)?;
                let opened = cipher.open(self.head.sequence, 0, &[], sealed);
                opened.ok_or_else(|| self.damaged("the snapshot does not open with its key"))?
            }
            _ => return Err(self.damaged("the snapshot and the journal are not both encrypted")),
        };
        Ok(Snapshot {
            head: self.head,
            version: u16_at(fixed, 10),
            state,
        })
    }

    fn damaged(&self, problem: &'static str) -> crate::JournalError {
        damaged(&self.name, 0, self.head.sequence, problem)
    }
}

fn check(bytes: &[u8]) -> Option<Head> {
    if bytes.len() < FIXED || bytes[..8] != MAGIC {
        return None;
    }
    let (fixed, rest) = bytes.split_at(FIXED);
    let is_known = match u16_at(fixed, 8) {
        FORMAT => true,
        FORMAT_ENCRYPTED => rest.len() >= KEY_ID,
        _ => false,
    };
    let known: Chain = array_at(fixed, HEADER);
    if !is_known || known != hash_of(&fixed[..HEADER], rest) {
        return None;
    }
    Some(Head {
        sequence: u64_at(fixed, 12),
        chain: chain_at(fixed, 20),
    })
}

fn hash_of(fixed: &[u8], rest: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fixed);
    hasher.update(rest);
    *hasher.finalize().as_bytes()
}
