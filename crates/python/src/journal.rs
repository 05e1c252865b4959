//! The journal: writing it, following it, checking it.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use quantvista_journal::{self as journal, Access, JournalError, Options};

use crate::disk::{Place, Store};
use crate::keys::KeyRing;
use crate::seals::{Seal, SecretKey};

/// A record as it was written; the payload is not decoded.
#[pyclass(frozen, get_all, module = "quantvista._native")]
pub struct Record {
    sequence: u64,
    ts: i64,
    kind: u16,
    version: u16,
    payload: Py<PyBytes>,
}

impl Record {
    fn read(py: Python<'_>, record: &journal::Record) -> Self {
        Self {
            sequence: record.sequence,
            ts: record.ts,
            kind: record.kind,
            version: record.version,
            payload: PyBytes::new(py, &record.payload).unbind(),
        }
    }
}

#[pymethods]
impl Record {
    /// As it would be read.
    #[new]
    fn new(sequence: u64, ts: i64, kind: u16, version: u16, payload: Py<PyBytes>) -> Self {
        Self {
            sequence,
            ts,
            kind,
            version,
            payload,
        }
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!(
            "Record(sequence={}, ts={}, kind={}, version={}, payload=<{} bytes>)",
            self.sequence,
            self.ts,
            self.kind,
            self.version,
            self.payload.bind(py).as_bytes().len(),
        )
    }
}

/// Where a journal ends, or a reader is: the last record, and the hash over everything up to it.
#[pyclass(frozen, eq, hash, module = "quantvista._native")]
#[derive(PartialEq, Eq, Hash)]
pub struct Head {
    #[pyo3(get)]
    sequence: u64,
    chain: journal::Chain,
}

impl From<journal::Head> for Head {
    fn from(head: journal::Head) -> Self {
        Self {
            sequence: head.sequence,
            chain: head.chain,
        }
    }
}

#[pymethods]
impl Head {
    #[getter]
    fn chain<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.chain)
    }

    fn __repr__(&self) -> String {
        let [a, b, c, d, ..] = self.chain;
        format!(
            "Head(sequence={}, chain={a:02x}{b:02x}{c:02x}{d:02x}..)",
            self.sequence
        )
    }
}

/// A state, and the last record that is in it.
#[pyclass(frozen, get_all, module = "quantvista._native")]
pub struct Snapshot {
    head: Py<Head>,
    version: u16,
    state: Py<PyBytes>,
}

/// Appends records and makes them durable, a batch at a time; use `quantvista.journal` instead.
#[pyclass(name = "RawJournal", frozen, subclass, module = "quantvista._native")]
pub struct Journal {
    /// None when it is closed. A commit holds it without the interpreter's lock, so whoever
    /// appends meanwhile waits without it, too.
    writer: Mutex<Option<journal::Journal<Store>>>,
    label: String,
    #[pyo3(get)]
    stream: String,
    #[pyo3(get)]
    torn: u64,
}

impl Journal {
    /// Do something with the journal, if it is open.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut journal::Journal<Store>) -> journal::Result<T> + Send,
    ) -> PyResult<T> {
        let mut writer = self.lock(py);
        let Some(open) = writer.as_mut() else {
            return Err(self.closed());
        };
        act(open).map_err(|error| raise(&self.label, error))
    }

    /// The same for what writes to the disk: others may run meanwhile.
    fn with_disk<T: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut journal::Journal<Store>) -> journal::Result<T> + Send,
    ) -> PyResult<T> {
        let done = py.detach(|| {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.as_mut().map(act)
        });
        match done {
            Some(result) => result.map_err(|error| raise(&self.label, error)),
            None => Err(self.closed()),
        }
    }

    fn lock<'a>(&'a self, py: Python<'_>) -> MutexGuard<'a, Option<journal::Journal<Store>>> {
        loop {
            match self.writer.try_lock() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                // Another thread commits; it may need the interpreter before it lets go.
                Err(TryLockError::WouldBlock) => py.detach(|| {
                    drop(self.writer.lock());
                }),
            }
        }
    }

    fn closed(&self) -> PyErr {
        let text = format!("the journal {} is closed; open it anew", self.label);
        crate::raise_as("JournalError", text)
    }
}

#[pymethods]
impl Journal {
    /// `place` is a folder, made if need be, or a `MemoryDisk`; with `encrypt` it must be encrypted.
    #[new]
    #[pyo3(signature = (place, stream, *, segment_bytes = None, keys = None, encrypt = false))]
    fn new(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        stream: String,
        segment_bytes: Option<u64>,
        keys: Option<&KeyRing>,
        encrypt: bool,
    ) -> PyResult<Self> {
        let access = Access {
            keys: keys.map(|ring| ring.0.clone()).unwrap_or_default(),
            encrypt,
        };
        let place = Place::of(place)?;
        let label = place.label();
        let options = Options {
            segment_bytes: segment_bytes.unwrap_or(place.segment_bytes()),
        };
        let opened = py.detach(|| {
            let store = place.writing().map_err(|source| match source.kind() {
                io::ErrorKind::WouldBlock => JournalError::Locked(label.clone()),
                _ => JournalError::Io {
                    name: "its folder".to_owned(),
                    source,
                },
            })?;
            journal::Journal::open_with(store, &stream, options, &access)
        });
        let (writer, opened) = opened.map_err(|error| raise(&label, error))?;
        Ok(Self {
            writer: Mutex::new(Some(writer)),
            label,
            stream,
            torn: opened.torn,
        })
    }

    /// Add a record to the batch; its sequence. It is durable after the next `commit`.
    fn append(
        &self,
        py: Python<'_>,
        kind: u16,
        version: u16,
        ts: i64,
        payload: &[u8],
    ) -> PyResult<u64> {
        self.with(py, |writer| writer.append(kind, version, ts, payload))
    }

    /// Make durable what was appended; where the journal then ends.
    fn commit(&self, py: Python<'_>) -> PyResult<Head> {
        Ok(self.with_disk(py, journal::Journal::commit)?.into())
    }

    /// Commit, and keep a state that belongs to the end.
    fn snapshot(&self, py: Python<'_>, version: u16, state: &[u8]) -> PyResult<Head> {
        let head = self.with_disk(py, |writer| writer.snapshot(version, state))?;
        Ok(head.into())
    }

    /// The newest snapshot, if there is one.
    fn newest_snapshot(&self, py: Python<'_>) -> PyResult<Option<Snapshot>> {
        let found = self.with_disk(py, |writer| writer.newest_snapshot())?;
        found
            .map(|found| {
                Ok(Snapshot {
                    head: Py::new(py, Head::from(found.head))?,
                    version: found.version,
                    state: PyBytes::new(py, &found.state).unbind(),
                })
            })
            .transpose()
    }

    /// Commit, close the segment, and sign where it ends.
    fn seal(&self, py: Python<'_>, key: &SecretKey, ts: i64) -> PyResult<Seal> {
        self.with_disk(py, |writer| writer.seal(&key.0, ts))
            .map(Seal)
    }

    /// Where it ends, as far as it is durable.
    #[getter]
    fn head(&self, py: Python<'_>) -> PyResult<Head> {
        self.with(py, |writer| Ok(writer.head().into()))
    }

    /// Whether its records are.
    #[getter]
    fn encrypted(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |writer| Ok(writer.is_encrypted()))
    }

    /// Let go of the journal; what was not committed is not kept.
    fn close(&self, py: Python<'_>) {
        let writer = self.lock(py).take();
        py.detach(|| drop(writer));
    }
}

/// Reads whole batches in order; use `quantvista.journal` instead.
#[pyclass(name = "RawReader", subclass, module = "quantvista._native")]
pub struct Reader {
    follower: journal::Reader<Store>,
    label: String,
}

#[pymethods]
impl Reader {
    #[new]
    #[pyo3(signature = (place, start = 1, *, keys = None))]
    fn new(place: &Bound<'_, PyAny>, start: u64, keys: Option<&KeyRing>) -> PyResult<Self> {
        let place = Place::of(place)?;
        let keys = keys.map(|ring| ring.0.clone()).unwrap_or_default();
        Ok(Self {
            follower: journal::Reader::new(place.reading(), start).with_keys(keys),
            label: place.label(),
        })
    }

    /// The records of the next batch; none at the end, for now. Never waits.
    fn read<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let follower = &mut self.follower;
        let batch = py.detach(|| follower.next_batch());
        let batch = batch.map_err(|error| raise(&self.label, error))?;
        let Some(batch) = batch else {
            return Ok(None);
        };
        let records = batch.iter().map(|record| Record::read(py, record));
        PyList::new(py, records.collect::<Vec<_>>()).map(Some)
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        self.read(py)
    }

    /// Say what is wrong behind the last batch. Only for a journal that nobody writes.
    fn check_end(&self, py: Python<'_>) -> PyResult<()> {
        let follower = &self.follower;
        let checked = py.detach(|| follower.check_end());
        checked.map_err(|error| raise(&self.label, error))
    }

    /// Where it is; none before a segment was found.
    #[getter]
    fn head(&self) -> Option<Head> {
        self.follower.head().map(Head::from)
    }

    #[getter]
    fn stream(&self) -> Option<&str> {
        self.follower.stream()
    }
}

/// Check every byte of a journal, and seals against it; `progress` is told bytes done and in all.
#[pyfunction]
#[pyo3(signature = (place, seals = Vec::new(), progress = None, keys = None))]
#[expect(
    clippy::needless_pass_by_value,
    reason = "the binding hands the arguments over"
)]
pub fn verify_journal<'py>(
    py: Python<'py>,
    place: &Bound<'py, PyAny>,
    seals: Vec<Py<Seal>>,
    progress: Option<Py<PyAny>>,
    keys: Option<&KeyRing>,
) -> PyResult<Bound<'py, PyDict>> {
    let place = Place::of(place)?;
    let keys = keys.map(|ring| ring.0.clone()).unwrap_or_default();
    let seals: Vec<journal::Seal> = seals.iter().map(|seal| seal.get().0.clone()).collect();
    let store = place.reading();
    let mut refused = None;
    let tell = |done: u64, all: u64| {
        Python::attach(|py| {
            let told = match &progress {
                Some(progress) => progress.call1(py, (done, all)).map(drop),
                None => Ok(()),
            };
            // So that Ctrl-C is heard, too.
            told.and_then(|()| py.check_signals())
                .inspect_err(|error| refused = Some(error.clone_ref(py)))
                .is_ok()
        })
    };
    let checked = py.detach(|| journal::verify_with(&store, &seals, &keys, tell));
    if let Some(error) = refused {
        return Err(error);
    }
    let found = checked.map_err(|error| raise(&place.label(), error))?;
    let dict = PyDict::new(py);
    dict.set_item("stream", found.stream)?;
    dict.set_item("segments", found.segments)?;
    dict.set_item("records", found.records)?;
    dict.set_item("batches", found.batches)?;
    dict.set_item("bytes", found.bytes)?;
    dict.set_item("first_ts", found.span.map(|span| span.0))?;
    dict.set_item("last_ts", found.span.map(|span| span.1))?;
    dict.set_item("head", Head::from(found.head))?;
    dict.set_item("torn_bytes", found.torn)?;
    let ids: Vec<String> = found.keys.iter().map(ToString::to_string).collect();
    dict.set_item("keys", PyTuple::new(py, ids)?)?;
    dict.set_item("opened", found.opened)?;
    Ok(dict)
}

/// The journal's error as the Python exception of its family.
pub fn raise(label: &str, error: JournalError) -> PyErr {
    use JournalError as E;
    let of = |text: &dyn std::fmt::Display| format!("the journal {label}: {text}");
    match error {
        E::Damaged {
            ref segment,
            offset,
            after,
            problem,
        } => damaged(&of(&error), segment, offset, after, problem),
        E::Io { name, source } => io_failure(label, &name, &source),
        E::Locked(_) => crate::raise_as(
            "JournalLockedError",
            format!(
                "the journal {label} is being written by another process; end that one first, or \
                 read without writing"
            ),
        ),
        E::Failed => crate::raise_as("JournalError", of(&error)),
        E::Argument { argument, problem } => {
            crate::raise_as("ConfigError", format!("`{argument}` {problem}"))
        }
        E::OtherStream { asked, found } => crate::raise_as(
            "ConfigError",
            format!("`stream` must be {found:?}, which the journal {label} is of; found {asked:?}"),
        ),
        E::NoKey { .. } => crate::raise_as(
            "ConfigError",
            format!(
                "{}; name the file of its key ring with `qv --key-ring FILE ...`, or in the \
                 environment variable QV_KEY_RING",
                of(&error)
            ),
        ),
        E::InTheClear => crate::raise_as(
            "ConfigError",
            format!(
                "the journal {label} must be encrypted; found it in the clear; `qv journal encrypt \
                 {label}` encrypts it"
            ),
        ),
        E::Seal(_) => damaged(&of(&error), "", 0, 0, "the seal does not verify"),
        E::Stopped => crate::raise_as("RunInterruptedError", of(&error)),
    }
}

fn damaged(text: &str, segment: &str, offset: u64, after: u64, problem: &str) -> PyErr {
    Python::attach(|py| {
        let made = py.import("quantvista.errors").and_then(|module| {
            let place = (text, segment, offset, after, problem);
            module.getattr("JournalDamagedError")?.call1(place)
        });
        made.map_or_else(|failure| failure, PyErr::from_value)
    })
}

fn io_failure(label: &str, name: &str, source: &io::Error) -> PyErr {
    let reason = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full; free some space and start again".to_owned()
        }
        io::ErrorKind::FileTooLarge => {
            "no file may be so large here; raise the limit (ulimit -f) and start again".to_owned()
        }
        io::ErrorKind::NotFound => "not there; name the folder of a journal".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; run as the user whose journal it is".to_owned()
        }
        _ => source.to_string(),
    };
    let family = match source.kind() {
        io::ErrorKind::NotFound => "ConfigError",
        _ => "OutputError",
    };
    crate::raise_as(family, format!("the journal {label}: {name}: {reason}"))
}
