//! The one that appends.

use crate::cipher::{Bound, Cipher, sealed_size};
use crate::error::{JournalError, Result, io_of};
use crate::format::{
    CHAIN_START, COMMIT_PAYLOAD, Chain, Commit, Frame, HEAD, HEADER, Header, KIND_MAX, PAYLOAD_MAX,
    chain_after, check_stream,
};
use crate::found::{check_snapshot, damaged, keep_torn, read_whole, torn_length, walk};
use crate::key::{Key, KeyId, KeyRing};
use crate::name;
use crate::scan::Place;
use crate::seal::{Seal, SecretKey};
use crate::snapshot::{self, Snapshot};
use crate::storage::Storage;

/// How a journal is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The space that is reserved for a segment. A larger batch gets a larger segment.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
        }
    }
}

/// Who may read a journal that is written.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The last one encrypts, the others are for what was encrypted before.
    pub keys: KeyRing,
    /// Whether the journal must be encrypted. One that is stays so in any case.
    pub encrypt: bool,
}

impl Access {
    /// The key of a journal that is begun now.
    fn first_key(&self) -> Result<Option<KeyId>> {
        match (self.encrypt, self.keys.newest()) {
            (false, _) => Ok(None),
            (true, Some(key)) => Ok(Some(key.id())),
            (true, None) => Err(JournalError::Argument {
                argument: "keys",
                problem: "must hold a key where the journal is to be encrypted; found none",
            }),
        }
    }
}

/// Where a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Of the last record that is durable, 0 if there is none.
    pub sequence: u64,
    /// The hash over everything up to it.
    pub chain: Chain,
}

/// What was found when a journal was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub head: Head,
    /// Bytes of an unfinished batch that were cut off; they are kept in a file `.torn`.
    pub torn: u64,
}

/// Appends records and makes them durable, a batch at a time.
#[derive(Debug)]
pub struct Journal<S> {
    storage: S,
    stream: String,
    options: Options,
    keys: KeyRing,
    /// Of the segment, if it is encrypted.
    cipher: Option<Cipher>,
    segment: String,
    /// Behind the last batch that is durable.
    place: Place,
    /// Of the segment's file.
    length: u64,
    batch: Vec<u8>,
    count: u32,
    /// Of the last record, durable or not.
    sequence: u64,
    ts: i64,
    /// Of the first record of the batch.
    first_ts: i64,
    has_failed: bool,
}

impl<S: Storage> Journal<S> {
    /// Open the journal of a stream, or begin it, in the clear.
    ///
    /// What a crash left behind the last whole batch is cut off, and kept in a file `.torn`.
    ///
    /// # Errors
    /// If anything else does not verify, the newest snapshot lies behind the end, the journal is of
    /// another stream or encrypted, or the storage fails.
    pub fn open(storage: S, stream: &str, options: Options) -> Result<(Self, Opened)> {
        Self::open_with(storage, stream, options, &Access::default())
    }

    /// [`Journal::open`] for a journal that may be encrypted. If the last segment was encrypted with
    /// an older key than the newest one, a new segment is begun.
    ///
    /// # Errors
    /// As [`Journal::open`]; also if the key is not there, or the journal is in the clear and must not.
    pub fn open_with(
        mut storage: S,
        stream: &str,
        options: Options,
        access: &Access,
    ) -> Result<(Self, Opened)> {
        check_stream(stream)?;
        let names = storage.names().map_err(io_of("the journal's folder"))?;
        let Some(first) = name::numbers(&names, name::SEGMENT).last().copied() else {
            if name::numbers(&names, name::SNAPSHOT).last().is_some() {
                let problem = "snapshots without a segment";
                return Err(damaged(&name::segment(1), 0, 0, problem));
            }
            let journal = Self::begin(storage, stream, options, access)?;
            let head = journal.head();
            return Ok((journal, Opened { head, torn: 0 }));
        };
        let segment = name::segment(first);
        let bytes = read_whole(&storage, &segment)?;
        let (header, place) = walk(&bytes, &segment, first)?;
        if header.stream != stream {
            return Err(JournalError::OtherStream {
                asked: stream.to_owned(),
                found: header.stream,
            });
        }
        if access.encrypt && header.key.is_none() {
            return Err(JournalError::InTheClear);
        }
        let cipher = Cipher::of(&access.keys, &header, &segment)?;
        check_snapshot(&storage, &names, &bytes, &header, &place)?;
        let rest = place.rest_of(&bytes);
        let torn = torn_length(rest);
        if torn > 0 {
            keep_torn(&mut storage, &names, place.sequence, &rest[..torn])?;
        }
        let length = options.segment_bytes.max(place.offset);
        storage
            .cut(&segment, place.offset, length)
            .map_err(io_of(&segment))?;
        let mut journal = Self {
            keys: access.keys.clone(),
            cipher,
            ..Self::at(storage, stream, options, segment, place, length)
        };
        journal.take_newest_key(header.key)?;
        let head = journal.head();
        let torn = torn as u64;
        Ok((journal, Opened { head, torn }))
    }

    fn begin(mut storage: S, stream: &str, options: Options, access: &Access) -> Result<Self> {
        let header = Header {
            stream: stream.to_owned(),
            first: 1,
            chain: CHAIN_START,
            key: access.first_key()?,
        };
        let segment = name::segment(1);
        let length = options.segment_bytes.max(HEADER as u64);
        storage
            .create(&segment, &header.encode(), length)
            .map_err(io_of(&segment))?;
        Ok(Self {
            keys: access.keys.clone(),
            cipher: Cipher::of(&access.keys, &header, &segment)?,
            ..Self::at(
                storage,
                stream,
                options,
                segment,
                Place::behind(&header),
                length,
            )
        })
    }

    /// A journal that ends at a place, with an empty batch.
    fn at(
        storage: S,
        stream: &str,
        options: Options,
        segment: String,
        place: Place,
        length: u64,
    ) -> Self {
        Self {
            sequence: place.sequence,
            storage,
            stream: stream.to_owned(),
            options,
            keys: KeyRing::default(),
            cipher: None,
            segment,
            place,
            length,
            batch: Vec::new(),
            count: 0,
            ts: 0,
            first_ts: 0,
            has_failed: false,
        }
    }

    /// Leave a segment that was encrypted with an older key.
    fn take_newest_key(&mut self, current: Option<KeyId>) -> Result<()> {
        let newest = self.keys.newest().map(Key::id);
        if current.is_some() && current != newest {
            self.has_failed = true;
            self.turn(0)?;
            self.has_failed = false;
        }
        Ok(())
    }

    /// Add a record to the batch; its sequence. It is durable after the next [`Journal::commit`].
    ///
    /// # Errors
    /// If a kind or the payload's length is not allowed, or an earlier write failed.
    pub fn append(&mut self, kind: u16, version: u16, ts: i64, payload: &[u8]) -> Result<u64> {
        self.check()?;
        if !(1..=KIND_MAX).contains(&kind) {
            return Err(JournalError::Argument {
                argument: "kind",
                problem: "must be between 1 and 65279",
            });
        }
        if payload.len() > PAYLOAD_MAX {
            return Err(JournalError::Argument {
                argument: "payload",
                problem: "must not be longer than 16 MiB",
            });
        }
        let sequence = self.sequence + 1;
        let frame = Frame {
            sequence,
            ts,
            kind,
            version,
            payload,
        };
        frame.encode_into(&mut self.batch);
        (self.sequence, self.ts) = (sequence, ts);
        if self.count == 0 {
            self.first_ts = ts;
        }
        self.count += 1;
        Ok(sequence)
    }

    /// Make durable what was appended; where the journal then ends. Nothing to do is no error.
    ///
    /// # Errors
    /// If a write or a sync fails. Then the journal refuses everything: it is unknown what is
    /// durable, and a second sync could report what the first one lost.
    pub fn commit(&mut self) -> Result<Head> {
        self.check()?;
        if self.count == 0 {
            return Ok(self.head());
        }
        self.has_failed = true;
        let size = (self.size_of_batch() + HEAD + COMMIT_PAYLOAD) as u64;
        if self.place.offset + size > self.length && self.place.offset > HEADER as u64 {
            self.turn(size)?;
        }
        if let Some(cipher) = &self.cipher {
            self.batch = cipher.seal_batch(&self.batch, &self.bound())?;
        }
        let chain = chain_after(&self.place.chain, &self.batch);
        let commit = Commit {
            sequence: self.sequence,
            ts: self.ts,
            count: self.count,
            length: self.batch.len() as u64,
            chain,
        };
        commit.encode_into(&mut self.batch);
        self.storage
            .write(&self.segment, self.place.offset, &self.batch)
            .and_then(|()| self.storage.sync(&self.segment))
            .map_err(io_of(&self.segment))?;
        self.has_failed = false;
        self.place = Place {
            sequence: self.sequence,
            chain,
            offset: self.place.offset + size,
            is_encrypted: self.place.is_encrypted,
        };
        self.length = self.length.max(self.place.offset);
        self.batch.clear();
        self.count = 0;
        Ok(self.head())
    }

    /// What the batch is bound to when it is encrypted.
    fn bound(&self) -> Bound<'_> {
        Bound {
            before: &self.place.chain,
            first: self.place.sequence + 1,
            first_ts: self.first_ts,
            last_ts: self.ts,
            count: self.count,
        }
    }

    /// How long it becomes in the segment, its commit frame apart.
    fn size_of_batch(&self) -> usize {
        match self.cipher {
            Some(_) => sealed_size(self.batch.len()),
            None => self.batch.len(),
        }
    }

    /// Close the segment and begin the next one, with room for a batch.
    fn turn(&mut self, room: u64) -> Result<()> {
        self.storage
            .cut(&self.segment, self.place.offset, self.place.offset)
            .map_err(io_of(&self.segment))?;
        let header = Header {
            stream: self.stream.clone(),
            first: self.place.sequence + 1,
            chain: self.place.chain,
            key: self.cipher.as_ref().and(self.keys.newest()).map(Key::id),
        };
        let segment = name::segment(header.first);
        let length = self.options.segment_bytes.max(HEADER as u64 + room);
        self.storage
            .create(&segment, &header.encode(), length)
            .map_err(io_of(&segment))?;
        self.cipher = Cipher::of(&self.keys, &header, &segment)?;
        (self.segment, self.length) = (segment, length);
        self.place = Place::behind(&header);
        Ok(())
    }

    /// Commit, and keep a state that belongs to the end: a start needs no more than what follows.
    ///
    /// # Errors
    /// As [`Journal::commit`].
    pub fn snapshot(&mut self, version: u16, state: &[u8]) -> Result<Head> {
        let head = self.commit()?;
        self.has_failed = true;
        let keys = self.cipher.as_ref().map(|_| &self.keys);
        let state = (version, state);
        snapshot::write(&mut self.storage, &self.stream, &head, state, keys)?;
        self.has_failed = false;
        Ok(head)
    }

    /// Commit, close the segment, and sign where it ends. `ts` is told in the seal.
    ///
    /// # Errors
    /// If nothing was written yet, or as [`Journal::commit`].
    pub fn seal(&mut self, key: &SecretKey, ts: i64) -> Result<Seal> {
        let head = self.commit()?;
        if head.sequence == 0 {
            return Err(JournalError::Argument {
                argument: "journal",
                problem: "must have a record before it can be sealed",
            });
        }
        self.has_failed = true;
        if self.place.offset > HEADER as u64 {
            self.turn(0)?;
        }
        let seal = Seal::sign(&self.stream, &head, ts, key);
        let name = seal.file_name();
        self.storage
            .create(&name, seal.to_text().as_bytes(), 0)
            .map_err(io_of(&name))?;
        self.has_failed = false;
        Ok(seal)
    }

    /// The newest snapshot, if there is one that verifies.
    ///
    /// # Errors
    /// If one is there and does not verify, or the storage fails.
    pub fn newest_snapshot(&self) -> Result<Option<Snapshot>> {
        let names = self
            .storage
            .names()
            .map_err(io_of("the journal's folder"))?;
        let found = snapshot::newest(&self.storage, &names)?;
        let keys = self.cipher.as_ref().map(|_| &self.keys);
        found.map(|found| found.open(keys)).transpose()
    }

    /// Whether its records are encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.cipher.is_some()
    }

    /// Where it ends, as far as it is durable.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            sequence: self.place.sequence,
            chain: self.place.chain,
        }
    }

    /// What it writes to.
    #[must_use]
    pub fn storage(&self) -> &S {
        &self.storage
    }

    fn check(&self) -> Result<()> {
        if self.has_failed {
            return Err(JournalError::Failed);
        }
        Ok(())
    }
}
