//! AES-256-GCM over batches and snapshots.
//!
//! Each piece has a key of its own, made from the ring's key, the header of its file and 32 random
//! bytes beside it. So a nonce cannot come twice: not when a torn batch is written anew at its place,
//! nor from two copies of a machine that go on from one moment.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{JournalError, Result, io_of};
use crate::format::{
    Chain, Commit, Frame, HEAD, Header, KIND_MAX, PIECE_KIND, PIECE_VERSION, Record,
};
use crate::key::{Key, KeyId, KeyRing};
use crate::scan::{Batch, Place};

/// How much of a batch is encrypted together.
const PIECE: usize = 1 << 20;
const SALT: usize = 32;
const TAG: usize = 16;
const CONTEXT: &str = "quantvista journal 2026-11-22 key of a file";

/// What encrypts one file.
pub(crate) struct Cipher([u8; 32]);

/// What a batch is bound to, beside its file and its bytes.
pub(crate) struct Bound<'a> {
    pub(crate) before: &'a Chain,
    /// Of the first record.
    pub(crate) first: u64,
    pub(crate) first_ts: i64,
    /// Of the last record.
    pub(crate) last_ts: i64,
    pub(crate) count: u32,
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(..)")
    }
}

impl Cipher {
    /// Of a file that begins with a header, which must name the key.
    pub(crate) fn new(key: &Key, header: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&key.0);
        hasher.update(header);
        Self(*hasher.finalize().as_bytes())
    }

    /// Of a file that names its key.
    pub(crate) fn find(keys: &KeyRing, id: KeyId, header: &[u8], name: &str) -> Result<Self> {
        let key = keys.find(id).ok_or_else(|| JournalError::NoKey {
            name: name.to_owned(),
            key: id.to_string(),
            given: keys.len(),
        })?;
        Ok(Self::new(key, header))
    }

    /// Of a segment; none if it is in the clear.
    pub(crate) fn of(keys: &KeyRing, header: &Header, segment: &str) -> Result<Option<Self>> {
        let found = header
            .key
            .map(|id| Self::find(keys, id, &header.encode(), segment));
        found.transpose()
    }

    /// Salt, what was encrypted, and its tag.
    pub(crate) fn seal(
        &self,
        place: u64,
        piece: u32,
        beside: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let mut sealed = vec![0; SALT];
        SystemRandom::new().fill(&mut sealed).map_err(|_| {
            let problem = std::io::Error::other("the system gives no random bytes");
            io_of("the encryption")(problem)
        })?;
        let key = self.key(&sealed);
        sealed.reserve_exact(plain.len() + TAG);
        sealed.extend_from_slice(plain);
        let tag = key
            .seal_in_place_separate_tag(nonce(place, piece), Aad::from(beside), &mut sealed[SALT..])
            .expect("no piece is as long as the cipher's limit");
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What [`Cipher::seal`] was given, if it is that.
    pub(crate) fn open(
        &self,
        place: u64,
        piece: u32,
        beside: &[u8],
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        let (salt, sealed) = sealed.split_at_checked(SALT)?;
        let mut bytes = sealed.to_vec();
        let plain = self
            .key(salt)
            .open_in_place(nonce(place, piece), Aad::from(beside), &mut bytes)
            .ok()?
            .len();
        bytes.truncate(plain);
        Some(bytes)
    }

    fn key(&self, salt: &[u8]) -> LessSafeKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(salt);
        let key = UnboundKey::new(&AES_256_GCM, hasher.finalize().as_bytes());
        LessSafeKey::new(key.expect("the key has 32 bytes"))
    }

    /// The frames that hold a batch.
    pub(crate) fn seal_batch(&self, batch: &[u8], bound: &Bound<'_>) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(sealed_size(batch.len()));
        let pieces = batch.chunks(PIECE).len();
        for (number, plain) in (0..).zip(batch.chunks(PIECE)) {
            let beside = bound.beside(number as usize + 1 == pieces);
            let frame = Frame {
                sequence: bound.first,
                ts: bound.first_ts,
                kind: PIECE_KIND,
                version: PIECE_VERSION,
                payload: &self.seal(bound.first, number, &beside, plain)?,
            };
            frame.encode_into(&mut out);
        }
        Ok(out)
    }

    /// The records of a batch that verifies; none if they are not what was encrypted there.
    pub(crate) fn open_batch(&self, batch: &Batch<'_>, before: &Place) -> Option<Vec<Record>> {
        let commit: &Commit = &batch.commit;
        let bound = Bound {
            before: &before.chain,
            first: before.sequence + 1,
            first_ts: batch.frames[0].ts,
            last_ts: commit.ts,
            count: commit.count,
        };
        let mut plain = Vec::with_capacity(usize::try_from(commit.length).ok()?);
        for (number, frame) in (0..).zip(&batch.frames) {
            let beside = bound.beside(number as usize + 1 == batch.frames.len());
            plain.extend(self.open(bound.first, number, &beside, frame.payload)?);
        }
        records(&plain, &bound)
    }
}

impl Bound<'_> {
    fn beside(&self, is_last: bool) -> Vec<u8> {
        let mut bytes = self.before.to_vec();
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.first_ts.to_le_bytes());
        bytes.extend_from_slice(&self.last_ts.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.push(u8::from(is_last));
        bytes
    }
}

/// How long the frames are that hold a batch of so many bytes.
pub(crate) fn sealed_size(batch: usize) -> usize {
    batch + batch.div_ceil(PIECE) * (HEAD + SALT + TAG)
}

/// The record frames in what was decrypted.
fn records(plain: &[u8], bound: &Bound<'_>) -> Option<Vec<Record>> {
    let mut records: Vec<Record> = Vec::with_capacity(bound.count as usize);
    let mut at = 0;
    while at < plain.len() {
        let frame = Frame::decode(&plain[at..]).ok()?;
        let sequence = bound.first.checked_add(records.len() as u64);
        if Some(frame.sequence) != sequence || !(1..=KIND_MAX).contains(&frame.kind) {
            return None;
        }
        at += frame.size();
        records.push(frame.to_record());
    }
    let ends = records.first()?.ts == bound.first_ts && records.last()?.ts == bound.last_ts;
    (ends && records.len() == bound.count as usize).then_some(records)
}

/// The place in the journal and the number of the piece, though no key is used twice.
fn nonce(place: u64, piece: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..8].copy_from_slice(&place.to_le_bytes());
    bytes[8..].copy_from_slice(&piece.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}
