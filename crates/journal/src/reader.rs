//! Following a journal, from this process or another.

use crate::cipher::Cipher;
use crate::error::{Result, io_of};
use crate::format::{HEADER, Header, Record};
use crate::found::damaged;
use crate::key::KeyRing;
use crate::name;
use crate::scan::{Batch, Place, Step, is_torn, step};
use crate::storage::Storage;
use crate::writer::Head;

/// How much is read at a time, unless a batch is longer.
const WINDOW: usize = 256 << 10;

/// How much is looked at where the journal ended the last time.
const GLANCE: usize = 4 << 10;

pub(crate) const DOES_NOT_OPEN: &str = "the batch is not what was encrypted there";

/// Reads whole batches in order, and waits at the end for more.
#[derive(Debug)]
pub struct Reader<S> {
    storage: S,
    /// The segment that is read; none before the first one is there.
    at: Option<(String, Place)>,
    /// The first record to hand out.
    from: u64,
    stream: Option<String>,
    keys: KeyRing,
    /// Of the segment, if it is encrypted.
    cipher: Option<Cipher>,
    ahead: Ahead,
}

/// Bytes of the segment that were read with a batch, of which the next ones are taken.
#[derive(Debug)]
struct Ahead {
    bytes: Vec<u8>,
    /// In the segment.
    offset: u64,
    /// How much to read at a time.
    size: usize,
}

impl Ahead {
    const NOTHING: Self = Self {
        bytes: Vec::new(),
        offset: 0,
        size: WINDOW,
    };

    /// What it has behind a place.
    fn rest(&self, place: &Place) -> &[u8] {
        let skipped = place.offset.checked_sub(self.offset);
        let skipped = skipped.and_then(|skipped| usize::try_from(skipped).ok());
        skipped
            .and_then(|skipped| self.bytes.get(skipped..))
            .unwrap_or(&[])
    }
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
            keys: KeyRing::default(),
            cipher: None,
            ahead: Ahead::NOTHING,
        }
    }

    /// Open what is encrypted with these keys.
    #[must_use]
    pub fn with_keys(mut self, keys: KeyRing) -> Self {
        self.keys = keys;
        self
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
            if place.is_encrypted && place.offset == HEADER as u64 {
                // As long as it holds nothing, it may be begun anew with another key.
                let header = self.header(&segment, place.sequence + 1)?;
                self.cipher = Cipher::of(&self.keys, &header, &segment)?;
            }
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
            let bytes = crate::found::read_whole(&self.storage, segment)?;
            let first = name::number_of(segment, name::SEGMENT).unwrap_or(0);
            crate::found::walk(&bytes, segment, first)?;
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
        let header = self.header(&segment, first)?;
        let before = self
            .at
            .as_ref()
            .map(|(_, place)| (place.sequence + 1, place.chain, place.is_encrypted));
        let here = (header.first, header.chain, header.key.is_some());
        let follows = before.is_none_or(|before| before == here);
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
        self.cipher = Cipher::of(&self.keys, &header, &segment)?;
        self.ahead = Ahead::NOTHING;
        self.stream = Some(header.stream);
        self.at = Some((segment, place));
        Ok(true)
    }

    fn header(&self, segment: &str, first: u64) -> Result<Header> {
        let mut bytes = [0; HEADER];
        let read = self.storage.read(segment, 0, &mut bytes);
        let read = read.map_err(io_of(segment))?;
        Header::decode(&bytes[..read])
            .map_err(|problem| damaged(segment, 0, first.saturating_sub(1), problem))
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

    fn read(&mut self, segment: &str, place: &Place) -> Result<Read> {
        if let Step::Batch(batch) = step(self.ahead.rest(place), place) {
            return self.taken(segment, &batch, place);
        }
        loop {
            let size = self.ahead.size;
            self.fill(segment, place)?;
            let bytes = self.ahead.rest(place);
            let is_full = bytes.len() == size;
            match step(bytes, place) {
                Step::Batch(batch) => {
                    let read = self.taken(segment, &batch, place)?;
                    self.ahead.size = size.max(WINDOW);
                    return Ok(read);
                }
                Step::Short(_) if is_full => self.ahead.size = size * 4,
                Step::Bad(..) if is_full && is_torn(bytes, place) => self.ahead.size = size * 4,
                broken => {
                    let fault = broken.fault(place);
                    self.ahead = Ahead {
                        size: GLANCE,
                        ..Ahead::NOTHING
                    };
                    return Ok(Read::Nothing(fault));
                }
            }
        }
    }

    fn fill(&mut self, segment: &str, place: &Place) -> Result<()> {
        self.ahead.offset = place.offset;
        self.ahead.bytes.resize(self.ahead.size, 0);
        let read = self
            .storage
            .read(segment, place.offset, &mut self.ahead.bytes)
            .map_err(io_of(segment))?;
        self.ahead.bytes.truncate(read);
        Ok(())
    }

    fn taken(&self, segment: &str, batch: &Batch<'_>, place: &Place) -> Result<Read> {
        let next = place.after(batch);
        if next.sequence < self.from {
            return Ok(Read::Batch(Vec::new(), next));
        }
        let records = batch.records(place, self.cipher.as_ref());
        let mut records =
            records.ok_or_else(|| damaged(segment, place.offset, place.sequence, DOES_NOT_OPEN))?;
        records.retain(|record| record.sequence >= self.from);
        Ok(Read::Batch(records, next))
    }
}

enum Read {
    Batch(Vec<Record>, Place),
    /// No batch yet; where and why, if bytes are there.
    Nothing(Option<(u64, &'static str)>),
}
