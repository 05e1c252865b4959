//! Snapshots of a builder: a head with version and hash, the setting, and the state.

use super::builder::Memory;
use super::spec::BarSetting;
use crate::error::{KernelError, Result};

/// Raised whenever the state is laid out differently; a snapshot of another version is refused.
const VERSION: u16 = 1;
/// `QB`, the version as two little-endian bytes, and the first eight bytes of the BLAKE3 hash.
const HEAD_SIZE: usize = 12;

pub fn write(setting: &BarSetting, memory: &Memory) -> Vec<u8> {
    let mut bytes = vec![b'Q', b'B'];
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; HEAD_SIZE - 4]);
    rmp_serde::encode::write(&mut bytes, &(setting, memory)).expect("a state encodes");
    let hash = blake3::hash(&bytes[HEAD_SIZE..]);
    bytes[4..HEAD_SIZE].copy_from_slice(&hash.as_bytes()[..8]);
    bytes
}

pub fn read(bytes: &[u8], setting: &BarSetting) -> Result<Memory> {
    let refuse = |text: String| Err(KernelError::Snapshot(text));
    let Some((head, body)) = bytes.split_first_chunk::<HEAD_SIZE>() else {
        return refuse("it is cut short".to_owned());
    };
    if head[..2] != *b"QB" {
        return refuse("it is not a snapshot of bars".to_owned());
    }
    let version = u16::from_le_bytes([head[2], head[3]]);
    if version != VERSION {
        return refuse(format!(
            "it is of version {version}; this build knows {VERSION}"
        ));
    }
    if head[4..] != blake3::hash(body).as_bytes()[..8] {
        return refuse("it is damaged: its hash does not fit".to_owned());
    }
    let (found, memory): (BarSetting, Memory) = match rmp_serde::from_slice(body) {
        Ok(read) => read,
        Err(error) => return refuse(error.to_string()),
    };
    if found != *setting {
        return refuse("it belongs to another setting".to_owned());
    }
    Ok(memory)
}
