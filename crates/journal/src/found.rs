//! What is found when a journal is opened: where it ends, and whether that is right.

use crate::error::{JournalError, Result, io_of};
use crate::format::Header;
use crate::name;
use crate::scan::{Place, Step, is_torn, is_zero, step};
use crate::snapshot;
use crate::storage::Storage;

pub(crate) fn damaged(
    segment: &str,
    offset: u64,
    after: u64,
    problem: &'static str,
) -> JournalError {
    JournalError::Damaged {
        segment: segment.to_owned(),
        offset,
        after,
        problem,
    }
}

/// All bytes of a file.
pub(crate) fn read_whole<S: Storage>(storage: &S, name: &str) -> Result<Vec<u8>> {
    let length = storage.length(name).map_err(io_of(name))?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let read = storage.read(name, 0, &mut bytes).map_err(io_of(name))?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Go through a segment that may have been written when the process ended.
pub(crate) fn walk(bytes: &[u8], segment: &str, first: u64) -> Result<(Header, Place)> {
    let header = Header::decode(bytes).map_err(|problem| damaged(segment, 0, 0, problem))?;
    if header.first != first {
        return Err(damaged(
            segment,
            0,
            0,
            "the file's name is not that of its segment",
        ));
    }
    let mut place = Place::behind(&header);
    loop {
        let rest = place.rest_of(bytes);
        match step(rest, &place) {
            Step::Batch(batch) => place = place.after(&batch),
            Step::End => return Ok((header, place)),
            broken => {
                if is_torn(rest, &place) {
                    return Ok((header, place));
                }
                let (at, problem) = broken.fault(&place).expect("neither a batch nor the end");
                return Err(damaged(segment, at, place.sequence, problem));
            }
        }
    }
}

/// How much of the bytes is not zero.
pub(crate) fn torn_length(bytes: &[u8]) -> usize {
    if is_zero(bytes) {
        return 0;
    }
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

pub(crate) fn keep_torn<S: Storage>(
    storage: &mut S,
    names: &[String],
    after: u64,
    bytes: &[u8],
) -> Result<()> {
    let taken = names.len() as u64;
    let mut free = (0..=taken).map(|attempt| name::torn(after, attempt));
    let name = free
        .find(|name| !names.contains(name))
        .expect("there is one number more than there are files");
    storage.create(&name, bytes, 0).map_err(io_of(&name))
}

/// A journal may not end before its newest snapshot, nor differ from what the snapshot knows.
pub(crate) fn check_snapshot<S: Storage>(
    storage: &S,
    names: &[String],
    bytes: &[u8],
    header: &Header,
    end: &Place,
) -> Result<()> {
    let Some(known) = snapshot::newest(storage, names)? else {
        return Ok(());
    };
    let segment = name::segment(header.first);
    if known.head.sequence > end.sequence {
        return Err(damaged(
            &segment,
            end.offset,
            end.sequence,
            "the journal ends before its newest snapshot",
        ));
    }
    if known.head.sequence + 1 < header.first {
        return Ok(());
    }
    let mut place = Place::behind(header);
    while place.sequence < known.head.sequence {
        let rest = place.rest_of(bytes);
        let Step::Batch(batch) = step(rest, &place) else {
            break;
        };
        place = place.after(&batch);
    }
    if (place.sequence, place.chain) != (known.head.sequence, known.head.chain) {
        return Err(damaged(
            &segment,
            place.offset,
            place.sequence,
            "the journal is not the one that its newest snapshot was made of",
        ));
    }
    Ok(())
}
