//! One step through the bytes of a segment, and what a tail that does not verify is.

use crate::cipher::Cipher;
use crate::format::{
    COMMIT_PAYLOAD, Chain, Commit, Frame, HEAD, Header, KIND_MAX, PIECE_KIND, PIECE_VERSION,
    Record, chain_after, u32_at,
};

/// Power is lost by whole sectors: one that was not written still holds the zeros of the reserve.
const SECTOR: usize = 512;

/// Behind a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Of the last record, 0 before the first.
    pub(crate) sequence: u64,
    pub(crate) chain: Chain,
    /// In the segment.
    pub(crate) offset: u64,
    /// Whether the segment's batches are.
    pub(crate) is_encrypted: bool,
}

impl Place {
    /// Before the first batch of a segment.
    pub(crate) fn behind(header: &Header) -> Self {
        Self {
            sequence: header.first - 1,
            chain: header.chain,
            offset: crate::format::HEADER as u64,
            is_encrypted: header.key.is_some(),
        }
    }

    /// What follows it in its segment.
    pub(crate) fn rest_of<'a>(&self, segment: &'a [u8]) -> &'a [u8] {
        &segment[usize::try_from(self.offset).expect("the segment is in memory")..]
    }

    /// Behind a batch that begins here.
    pub(crate) fn after(&self, batch: &Batch<'_>) -> Self {
        Self {
            sequence: batch.commit.sequence,
            chain: batch.commit.chain,
            offset: self.offset + batch.size as u64,
            is_encrypted: self.is_encrypted,
        }
    }
}

/// A batch that verifies.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// Of records, or of pieces of what was encrypted.
    pub(crate) frames: Vec<Frame<'a>>,
    pub(crate) commit: Commit,
    /// With its commit frame.
    pub(crate) size: usize,
}

impl Batch<'_> {
    /// Its records; none if they are encrypted and do not open.
    pub(crate) fn records(&self, before: &Place, cipher: Option<&Cipher>) -> Option<Vec<Record>> {
        match cipher {
            Some(cipher) => cipher.open_batch(self, before),
            None => Some(self.frames.iter().map(|frame| frame.to_record()).collect()),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Step<'a> {
    Batch(Batch<'a>),
    /// Nothing is left, or nothing but zeros.
    End,
    /// The bytes end within a frame, which begins so many bytes behind the place.
    Short(usize),
    /// Something does not verify, so many bytes behind the place.
    Bad(usize, &'static str),
}

impl Step<'_> {
    /// Where and why bytes behind a place are no batch; none if they are one, or nothing.
    pub(crate) fn fault(&self, place: &Place) -> Option<(u64, &'static str)> {
        let (at, problem) = match self {
            Self::Batch(_) | Self::End => return None,
            Self::Short(at) => (*at, "the segment is cut short"),
            Self::Bad(at, problem) => (*at, *problem),
        };
        Some((place.offset + at as u64, problem))
    }
}

/// Take the next batch from bytes that begin at a place.
pub(crate) fn step<'a>(bytes: &'a [u8], place: &Place) -> Step<'a> {
    let mut frames: Vec<Frame<'a>> = Vec::new();
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        if is_zero(&rest[..rest.len().min(HEAD)]) {
            return match (at, is_zero(rest)) {
                (0, true) => Step::End,
                _ if rest.len() < HEAD => Step::Short(at),
                _ => Step::Bad(at, "there is nothing where a frame should be"),
            };
        }
        let frame = match Frame::decode(rest) {
            Ok(frame) => frame,
            Err(_) if is_cut(rest) => return Step::Short(at),
            Err(problem) => return Step::Bad(at, problem),
        };
        let last = frames.last().map_or(place.sequence, |last| last.sequence);
        if let Some(commit) = frame.commit() {
            if !fits(&commit, &frames, place) || commit.length != at as u64 {
                return Step::Bad(at, "the commit frame does not fit its batch");
            }
            if commit.chain != chain_after(&place.chain, &bytes[..at]) {
                return Step::Bad(at, "the batch does not fit the chain");
            }
            return Step::Batch(Batch {
                frames,
                commit,
                size: at + frame.size(),
            });
        }
        if !is_allowed(&frame, place) {
            return Step::Bad(at, "the frame has a kind that no record may have");
        }
        let before = if place.is_encrypted {
            place.sequence
        } else {
            last
        };
        if before.checked_add(1) != Some(frame.sequence) {
            return Step::Bad(at, "the record is out of sequence");
        }
        at += frame.size();
        frames.push(frame);
    }
}

/// Whether a commit frame closes the frames behind a place, as far as it can be told without a key.
fn fits(commit: &Commit, frames: &[Frame<'_>], place: &Place) -> bool {
    let Some(last) = frames.last() else {
        return false;
    };
    if place.is_encrypted {
        let end = place.sequence.checked_add(u64::from(commit.count));
        let is_one = frames.iter().all(|frame| frame.ts == frames[0].ts);
        return commit.count > 0 && end == Some(commit.sequence) && is_one;
    }
    let end = (last.sequence, last.ts, frames.len());
    end == (commit.sequence, commit.ts, commit.count as usize)
}

/// Whether a frame may stand in a segment: records, or pieces of what was encrypted.
fn is_allowed(frame: &Frame<'_>, place: &Place) -> bool {
    if place.is_encrypted {
        return (frame.kind, frame.version) == (PIECE_KIND, PIECE_VERSION);
    }
    (1..=KIND_MAX).contains(&frame.kind)
}

/// Whether a frame may go on behind the bytes.
fn is_cut(bytes: &[u8]) -> bool {
    Frame::decode(bytes).err() == Some("the frame is cut short")
}

/// Whether what follows a place, and does not verify, is what an interrupted write leaves.
///
/// A batch is only begun when the one before it is durable. So the bytes may be of one batch, which
/// ends early, or of which sectors were not written and are zero. Whatever else does not verify was
/// durable once.
pub(crate) fn is_torn(bytes: &[u8], place: &Place) -> bool {
    let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else {
        return true;
    };
    let found: Vec<(usize, Commit)> = commits(&bytes[..=last]).collect();
    if found.iter().any(|(at, commit)| commit.length != *at as u64) {
        return false;
    }
    let at = match step(bytes, place) {
        Step::Batch(_) => return false,
        Step::End => return true,
        Step::Short(at) | Step::Bad(at, _) => at,
    };
    if let Some((end, _)) = found.first() {
        return has_lost_sector(bytes, place, at, frame_end(bytes, at).min(*end));
    }
    let end = frame_end(bytes, at);
    end > last + 1 || has_lost_sector(bytes, place, at, end)
}

/// Whether what lies in one of the sectors between two places is zero.
fn has_lost_sector(bytes: &[u8], place: &Place, from: usize, to: usize) -> bool {
    let shift = usize::try_from(place.offset % SECTOR as u64).expect("less than a sector");
    let mut at = from;
    while at < to {
        let next = (at + SECTOR - (at + shift) % SECTOR).min(to);
        if is_zero(&bytes[at.min(bytes.len())..next.min(bytes.len())]) {
            return true;
        }
        at = next;
    }
    false
}

/// Where a frame that may be damaged should end. All commit frames have one length.
fn frame_end(bytes: &[u8], at: usize) -> usize {
    let head = &bytes[at..];
    let is_commit = head.get(24..26) == Some(&[0xFF, 0xFF]);
    let length = match head.get(4..8) {
        _ if is_commit => COMMIT_PAYLOAD,
        Some(_) => u32_at(head, 4) as usize,
        None => 0,
    };
    at + HEAD + length
}

/// All commit frames in the bytes, wherever they begin.
fn commits(bytes: &[u8]) -> impl Iterator<Item = (usize, Commit)> + '_ {
    (0..bytes.len()).filter_map(|at| {
        // The kind of a commit frame, before the costlier checks.
        if bytes.get(at + 24..at + 26)? != [0xFF, 0xFF] {
            return None;
        }
        let commit = Frame::decode(&bytes[at..]).ok()?.commit()?;
        Some((at, commit))
    })
}

pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    // Of a reserve of many megabytes 64 bytes are looked at together.
    let (blocks, rest) = bytes.as_chunks::<64>();
    let is_block_zero = |block: &[u8; 64]| block.iter().fold(0, |sum, byte| sum | byte) == 0;
    blocks.iter().all(is_block_zero) && rest.iter().all(|byte| *byte == 0)
}
