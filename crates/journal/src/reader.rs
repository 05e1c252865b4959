//! Following a journal, from this process or another.

use crate::error::{Result, io_of};
use crate::format::{HEADER, Header, Record};
use crate::name;
use crate::scan::{Place, Step, is_torn, step};
use crate::storage::Storage;
use crate::writer::{Head, damaged};

/// How much is read at a time, unless a batch is longer.
const WINDOW: usize = 256 << 10;

/// Reads whole batches in order, and waits at the end for more.
#[derive(Debug)]
pub struct Reader<S> {
    storage: S,
    /// The segment that is read; none before the first one is there.
    at: Option<(String, Place)>,
    /// The first record to hand out.
    from: u64,
    stream: Option<String>,
}

impl<S: Storage> Reader<S> {
    /// Read from a record on, which may lie ahead; 0 and 1 are the beginning.
    #[must_use]
    pub fn new(storage: S, from: u64) -> Self {
        Self {
            storage,
            at: None,
            from,
            stream: None,
        }
    }

    /// The records of the next batch, those before the first one asked for left out; none when
    /// no more is durable yet. Ask again later.
    ///
    /// # Errors
    /// If what a later segment follows does not verify, or the storage fails.
    pub fn next_batch(&mut self) -> Result<Option<Vec<Record>>> {
        loop {
            let Some((segment, place)) = self.at.clone() else {
                if !self.find()? {
                    return Ok(None);
                }
                continue;
            };
            match self.read(&segment, &place)? {
                Read::Batch(records, next) => {
                    self.at = Some((segment, next));
                    if !records.is_empty() {
                        return Ok(Some(records));
                    }
                }
                Read::Nothing(problem) => {
                    if !self.turn(&segment, &place, problem)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Where it is: behind the last batch that was read.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.at.as_ref().map(|(_, place)| Head {
            sequence: place.sequence,
            chain: place.chain,
        })
    }

    /// The stream's name, once a segment has been found.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    /// Say what is wrong with the bytes behind the last batch, if they are neither zero nor
    /// what an interrupted write leaves. Only for a journal that nobody writes.
    ///
    /// # Errors
    /// If they are damaged, or the storage fails.
    pub fn check_end(&self) -> Result<()> {
        if let Some((segment, _)) = &self.at {
            let bytes = crate::writer::read_whole(&self.storage, segment)?;
            let first = name::number_of(segment, name::SEGMENT).unwrap_or(0);
            crate::writer::walk(&bytes, segment, first)?;
        }
        Ok(())
    }

    /// Take the segment that holds the first record asked for.
    fn find(&mut self) -> Result<bool> {
        let firsts = self.firsts()?;
        let behind = firsts.iter().rposition(|first| *first <= self.from);
        let Some(first) = firsts.get(behind.unwrap_or(0)).copied() else {
            return Ok(false);
        };
        self.enter(first)
    }

    fn firsts(&self) -> Result<Vec<u64>> {
        let names = self
            .storage
            .names()
            .map_err(io_of("the journal's folder"))?;
        Ok(name::numbers(&names, name::SEGMENT))
    }

    fn enter(&mut self, first: u64) -> Result<bool> {
        let segment = name::segment(first);
        let mut bytes = [0; HEADER];
        let read = self
            .storage
            .read(&segment, 0, &mut bytes)
            .map_err(io_of(&segment))?;
        let header = Header::decode(&bytes[..read])
            .map_err(|problem| damaged(&segment, 0, first.saturating_sub(1), problem))?;
        let before = self
            .at
            .as_ref()
            .map(|(_, place)| (place.sequence + 1, place.chain));
        let follows = before.is_none_or(|before| before == (header.first, header.chain));
        if header.first != first || !follows {
            let after = first.saturating_sub(1);
            return Err(damaged(
                &segment,
                0,
                after,
                "the segment does not follow the one before",
            ));
        }
        let place = Place::behind(&header);
        self.stream = Some(header.stream);
        self.at = Some((segment, place));
        Ok(true)
    }

    /// Go on with the next segment, if there is one.
    fn turn(
        &mut self,
        segment: &str,
        place: &Place,
        problem: Option<(u64, &'static str)>,
    ) -> Result<bool> {
        let here = name::number_of(segment, name::SEGMENT).unwrap_or(0);
        let next = self.firsts()?.into_iter().find(|first| *first > here);
        let Some(next) = next else {
            return Ok(false);
        };
        if let Some((at, problem)) = problem {
            // It may have been closed since it was read.
            if let Read::Nothing(Some(_)) = self.read(segment, place)? {
                return Err(damaged(segment, at, place.sequence, problem));
            }
            return Ok(true);
        }
        if next != place.sequence + 1 {
            let again = self.read(segment, place)?;
            if matches!(again, Read::Batch(..)) {
                return Ok(true);
            }
            return Err(damaged(
                segment,
                place.offset,
                place.sequence,
                "a segment is missing",
            ));
        }
        self.enter(next)
    }

    fn read(&self, segment: &str, place: &Place) -> Result<Read> {
        let mut size = WINDOW;
        loop {
            let mut bytes = vec![0; size];
            let read = self
                .storage
                .read(segment, place.offset, &mut bytes)
                .map_err(io_of(segment))?;
            bytes.truncate(read);
            match step(&bytes, place) {
                Step::Batch(batch) => {
                    let wanted = batch
                        .frames
                        .iter()
                        .filter(|frame| frame.sequence >= self.from);
                    let records = wanted.map(|frame| frame.to_record()).collect();
                    return Ok(Read::Batch(records, place.after(&batch)));
                }
                Step::Short(_) if read == size => size *= 4,
                Step::Bad(..) if read == size && is_torn(&bytes, place) => size *= 4,
                broken => return Ok(Read::Nothing(broken.fault(place))),
            }
        }
    }
}

enum Read {
    Batch(Vec<Record>, Place),
    /// No batch yet; where and why, if bytes are there.
    Nothing(Option<(u64, &'static str)>),
}
