//! The bytes of segments: a header, then frames. All numbers are little-endian.

use crate::error::{JournalError, Result};
use crate::key::KeyId;

/// A BLAKE3 hash over all batches up to a place.
pub type Chain = [u8; 32];

/// The chain before the first batch of a stream.
pub const CHAIN_START: Chain = [0; 32];

/// The largest kind that a record may have; those above are the journal's own.
pub const KIND_MAX: u16 = 0xFEFF;

/// Of segments and snapshots in the clear.
pub(crate) const FORMAT: u16 = 1;
/// Of encrypted ones.
pub(crate) const FORMAT_ENCRYPTED: u16 = 2;
pub(crate) const HEADER: usize = 128;
pub(crate) const HEAD: usize = 28;
pub(crate) const PAYLOAD_MAX: usize = 16 << 20;
pub(crate) const STREAM_MAX: usize = 64;

pub(crate) const COMMIT_PAYLOAD: usize = 4 + 8 + 32;
const COMMIT_KIND: u16 = 0xFFFF;
const COMMIT_VERSION: u16 = 1;
/// Of a frame that holds a piece of an encrypted batch.
pub(crate) const PIECE_KIND: u16 = 0xFFFE;
pub(crate) const PIECE_VERSION: u16 = 1;
const MAGIC: [u8; 8] = *b"QVJRNL\r\n";

/// What a caller wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// From 1, without gaps, through all segments.
    pub sequence: u64,
    /// Nanoseconds since 1970 UTC, as the caller told.
    pub ts: i64,
    pub kind: u16,
    /// Of the payload's encoding.
    pub version: u16,
    pub payload: Vec<u8>,
}

/// The first bytes of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) stream: String,
    /// The sequence of its first record.
    pub(crate) first: u64,
    /// The chain before its first batch.
    pub(crate) chain: Chain,
    /// Which key its batches are encrypted with; none if they are in the clear.
    pub(crate) key: Option<KeyId>,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        let format = self.key.map_or(FORMAT, |_| FORMAT_ENCRYPTED);
        bytes[8..10].copy_from_slice(&format.to_le_bytes());
        bytes[10..16].copy_from_slice(&self.key.unwrap_or_default().0);
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.chain);
        bytes[56..56 + self.stream.len()].copy_from_slice(self.stream.as_bytes());
        let crc = crc32c::crc32c(&bytes[..HEADER - 4]);
        bytes[HEADER - 4..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> std::result::Result<Self, &'static str> {
        let Some(bytes) = bytes.get(..HEADER) else {
            return Err("the segment is shorter than its header");
        };
        if bytes[..8] != MAGIC {
            return Err("this is not a segment of a journal");
        }
        let key = match u16_at(bytes, 8) {
            FORMAT => None,
            FORMAT_ENCRYPTED => Some(KeyId(array_at(bytes, 10))),
            _ => return Err("the segment has a format that this version does not know"),
        };
        if u32_at(bytes, HEADER - 4) != crc32c::crc32c(&bytes[..HEADER - 4]) {
            return Err("the header does not fit its checksum");
        }
        let name = &bytes[56..56 + STREAM_MAX];
        let end = name
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(STREAM_MAX);
        let stream = std::str::from_utf8(&name[..end]).map_err(|_| "the stream has no name")?;
        let header = Self {
            stream: stream.to_owned(),
            first: u64_at(bytes, 16),
            chain: chain_at(bytes, 24),
            key,
        };
        // What is reserved is zero, so that every bit of the header counts.
        if header.encode() != bytes[..] {
            return Err("the header has bits that mean nothing");
        }
        Ok(header)
    }
}

/// Refuse a name that a header cannot hold.
pub(crate) fn check_stream(stream: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    if stream.is_empty() || stream.len() > STREAM_MAX || !stream.bytes().all(plain) {
        return Err(JournalError::Argument {
            argument: "stream",
            problem: "must have 1 to 64 letters, digits, and '-', '_', '.', '/'",
        });
    }
    Ok(())
}

/// A frame in a segment, with its payload still in the buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) sequence: u64,
    pub(crate) ts: i64,
    pub(crate) kind: u16,
    pub(crate) version: u16,
    pub(crate) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame at the beginning of the bytes, if it is whole and fits its checksum.
    pub(crate) fn decode(bytes: &'a [u8]) -> std::result::Result<Self, &'static str> {
        let Some(head) = bytes.get(..HEAD) else {
            return Err("the frame is cut short");
        };
        let length = u32_at(head, 4) as usize;
        if length > PAYLOAD_MAX {
            return Err("the frame is longer than a frame may be");
        }
        let Some(whole) = bytes.get(..HEAD + length) else {
            return Err("the frame is cut short");
        };
        if u32_at(whole, 0) != crc32c::crc32c(&whole[4..]) {
            return Err("the frame does not fit its checksum");
        }
        Ok(Self {
            sequence: u64_at(whole, 8),
            ts: i64::from_le_bytes(array_at(whole, 16)),
            kind: u16_at(whole, 24),
            version: u16_at(whole, 26),
            payload: &whole[HEAD..],
        })
    }

    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let length = u32::try_from(self.payload.len()).expect("no more than PAYLOAD_MAX");
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.ts.to_le_bytes());
        out.extend_from_slice(&self.kind.to_le_bytes());
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(self.payload);
        let crc = crc32c::crc32c(&out[start + 4..]);
        out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    }

    pub(crate) fn size(&self) -> usize {
        HEAD + self.payload.len()
    }

    pub(crate) fn to_record(self) -> Record {
        Record {
            sequence: self.sequence,
            ts: self.ts,
            kind: self.kind,
            version: self.version,
            payload: self.payload.to_vec(),
        }
    }

    /// What it closes, if it is a commit frame.
    pub(crate) fn commit(&self) -> Option<Commit> {
        let is_commit = self.kind == COMMIT_KIND
            && self.version == COMMIT_VERSION
            && self.payload.len() == COMMIT_PAYLOAD;
        is_commit.then(|| Commit {
            sequence: self.sequence,
            ts: self.ts,
            count: u32_at(self.payload, 0),
            length: u64_at(self.payload, 4),
            chain: chain_at(self.payload, 12),
        })
    }
}

/// The frame that closes a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Of the last record of the batch, as is `ts`.
    pub(crate) sequence: u64,
    pub(crate) ts: i64,
    /// How many records the batch has, and bytes.
    pub(crate) count: u32,
    pub(crate) length: u64,
    pub(crate) chain: Chain,
}

impl Commit {
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let mut payload = [0; COMMIT_PAYLOAD];
        payload[..4].copy_from_slice(&self.count.to_le_bytes());
        payload[4..12].copy_from_slice(&self.length.to_le_bytes());
        payload[12..].copy_from_slice(&self.chain);
        let frame = Frame {
            sequence: self.sequence,
            ts: self.ts,
            kind: COMMIT_KIND,
            version: COMMIT_VERSION,
            payload: &payload,
        };
        frame.encode_into(out);
    }
}

/// The chain behind a batch.
pub(crate) fn chain_after(before: &Chain, batch: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    hasher.update(batch);
    *hasher.finalize().as_bytes()
}

pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the slice has N bytes")
}

pub(crate) fn chain_at(bytes: &[u8], at: usize) -> Chain {
    array_at(bytes, at)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}
