//! Checking every byte.

use crate::cipher::Cipher;
use crate::error::{JournalError, Result, io_of};
use crate::format::{CHAIN_START, Chain, Header};
use crate::found::{damaged, read_whole, walk};
use crate::key::{KeyId, KeyRing};
use crate::name;
use crate::reader::DOES_NOT_OPEN;
use crate::scan::{Place, Step, step};
use crate::seal::Seal;
use crate::storage::Storage;
use crate::writer::Head;

/// What a journal is, when all of it verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub stream: String,
    pub segments: usize,
    pub records: u64,
    pub batches: u64,
    pub bytes: u64,
    /// Of the first record and the last one, if there is one.
    pub span: Option<(i64, i64)>,
    pub head: Head,
    /// The sequences up to which seals were checked, ascending.
    pub sealed: Vec<u64>,
    /// Bytes behind the last whole batch that an interrupted write left.
    pub torn: u64,
    /// What its segments are encrypted with, each key once; nothing if it is in the clear.
    pub keys: Vec<KeyId>,
    /// How many records were decrypted, and are what was encrypted there.
    pub opened: u64,
}

impl Verified {
    /// Before the first segment.
    fn nothing_of(header: &Header) -> Self {
        Self {
            stream: header.stream.clone(),
            segments: 0,
            records: 0,
            batches: 0,
            bytes: 0,
            span: None,
            head: Head {
                sequence: 0,
                chain: CHAIN_START,
            },
            sealed: Vec::new(),
            torn: 0,
            keys: Vec::new(),
            opened: 0,
        }
    }

    /// Hold a segment's header against those before it.
    fn take(&mut self, header: &Header, segment: &str) -> Result<()> {
        let is_same = header.key.is_none() == self.keys.is_empty();
        let problem = if header.stream != self.stream {
            "the segment is of another stream"
        } else if self.segments > 0 && !is_same {
            "the segment and the one before are not both encrypted"
        } else {
            let new = header.key.filter(|id| !self.keys.contains(id));
            self.keys.extend(new);
            return Ok(());
        };
        Err(damaged(segment, 0, header.first - 1, problem))
    }
}

/// Check every header, frame, batch and seal of a journal, from its first segment on.
///
/// A seal must be there for every name in `seals`; each must be signed, say the stream's name, and
/// give the chain that the journal has at that record. Segments that a seal covers may hold nothing else.
///
/// # Errors
/// At the first place that does not verify; if there is no segment; if the storage fails.
pub fn verify<S: Storage>(storage: &S, seals: &[Seal]) -> Result<Verified> {
    verify_with(storage, seals, &KeyRing::default(), |_, _| true)
}

/// [`verify`], which also decrypts what it has the keys of, though no key is needed, tells after each
/// segment how many of how many bytes were checked, and stops when it is answered no.
///
/// # Errors
/// As [`verify`], or if it was stopped.
pub fn verify_with<S: Storage>(
    storage: &S,
    seals: &[Seal],
    keys: &KeyRing,
    mut progress: impl FnMut(u64, u64) -> bool,
) -> Result<Verified> {
    let names = storage.names().map_err(io_of("the journal's folder"))?;
    let firsts = name::numbers(&names, name::SEGMENT);
    let (mut done, all) = (0, size_of(storage, &firsts)?);
    let mut found: Option<Verified> = None;
    let mut expected = (1, CHAIN_START);
    let mut due: Vec<&Seal> = seals.iter().collect();
    due.sort_by_key(|seal| seal.head.sequence);
    for (number, first) in firsts.iter().enumerate() {
        let segment = name::segment(*first);
        let bytes = read_whole(storage, &segment)?;
        let header = Header::decode(&bytes)
            .map_err(|problem| damaged(&segment, 0, expected.0 - 1, problem))?;
        if (header.first, header.chain) != expected || header.first != *first {
            let problem = "the segment does not follow the one before";
            return Err(damaged(&segment, 0, expected.0 - 1, problem));
        }
        let total = found.get_or_insert_with(|| Verified::nothing_of(&header));
        total.take(&header, &segment)?;
        // Without its key there is nothing to check in what was encrypted: the chain is over that.
        let cipher = Cipher::of(keys, &header, &segment).unwrap_or(None);
        let is_last = number + 1 == firsts.len();
        let place = through(
            &bytes,
            &segment,
            (&header, cipher),
            is_last,
            &mut due,
            total,
        )?;
        expected = (place.sequence + 1, place.chain);
        total.segments += 1;
        total.bytes += place.offset;
        total.head = head_of(&place);
        total.records = place.sequence;
        done += bytes.len() as u64;
        if !progress(done, all) {
            return Err(JournalError::Stopped);
        }
    }
    let Some(total) = found else {
        return Err(damaged(&name::segment(1), 0, 0, "there is no segment"));
    };
    if !due.is_empty() {
        let last = name::segment(firsts.last().copied().unwrap_or(1));
        return Err(damaged(
            &last,
            0,
            total.head.sequence,
            "the journal ends before its seal, or has no batch that ends there",
        ));
    }
    Ok(total)
}

/// The length of all segments, reserve included.
fn size_of<S: Storage>(storage: &S, firsts: &[u64]) -> Result<u64> {
    let names = firsts.iter().map(|first| name::segment(*first));
    let mut lengths = names.map(|name| storage.length(&name).map_err(io_of(&name)));
    lengths.try_fold(0, |sum, length| Ok(sum + length?))
}

fn head_of(place: &Place) -> Head {
    Head {
        sequence: place.sequence,
        chain: place.chain,
    }
}

/// Go through the batches of a segment.
fn through(
    bytes: &[u8],
    segment: &str,
    (header, cipher): (&Header, Option<Cipher>),
    is_last: bool,
    due: &mut Vec<&Seal>,
    total: &mut Verified,
) -> Result<Place> {
    let mut place = Place::behind(header);
    loop {
        check_seals(segment, &place, due, total)?;
        let rest = place.rest_of(bytes);
        match step(rest, &place) {
            Step::Batch(batch) => {
                if cipher.is_some() {
                    let opened = batch.records(&place, cipher.as_ref());
                    let refuse = || damaged(segment, place.offset, place.sequence, DOES_NOT_OPEN);
                    total.opened += opened.ok_or_else(refuse)?.len() as u64;
                }
                place = place.after(&batch);
                total.batches += 1;
                let start = total.span.map_or(batch.frames[0].ts, |span| span.0);
                total.span = Some((start, batch.commit.ts));
            }
            _ if is_last && due.is_empty() => {
                // It may be written to, or have been when its writer ended.
                let (_, end) = walk(bytes, segment, header.first)?;
                let zero = rest.iter().rposition(|byte| *byte != 0);
                total.torn = zero.map_or(0, |last| last as u64 + 1);
                return Ok(end);
            }
            Step::End if rest.is_empty() => return Ok(place),
            Step::End => {
                let problem = "there are bytes behind the last batch of a closed segment";
                return Err(damaged(segment, place.offset, place.sequence, problem));
            }
            broken => {
                let (at, problem) = broken.fault(&place).expect("neither a batch nor the end");
                return Err(damaged(segment, at, place.sequence, problem));
            }
        }
    }
}

fn check_seals(
    segment: &str,
    place: &Place,
    due: &mut Vec<&Seal>,
    total: &mut Verified,
) -> Result<()> {
    while let Some(seal) = due.first() {
        if seal.head.sequence > place.sequence {
            break;
        }
        seal.check()?;
        if seal.stream != total.stream {
            return Err(JournalError::Seal("is of another stream"));
        }
        if !is_same(&seal.head, place.sequence, &place.chain) {
            let problem = "the journal is not the one that was sealed";
            return Err(damaged(segment, place.offset, place.sequence, problem));
        }
        if total.sealed.last() != Some(&seal.head.sequence) {
            total.sealed.push(seal.head.sequence);
        }
        due.remove(0);
    }
    Ok(())
}

fn is_same(head: &Head, sequence: u64, chain: &Chain) -> bool {
    (head.sequence, &head.chain) == (sequence, chain)
}
