//! Where a journal is: a folder, or a disk in memory that loses power.

use std::io;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use quantvista_journal::{Files, Memory, Options, Storage};

/// A disk in memory that loses power, for simulations; a folder where one is expected.
#[pyclass(frozen, module = "quantvista._native")]
pub struct MemoryDisk(Memory);

#[pymethods]
impl MemoryDisk {
    #[new]
    fn new() -> Self {
        Self(Memory::new())
    }

    /// Let so many further changes happen, then none. A write that fails writes its first half.
    fn fail_after(&self, changes: u32) {
        self.0.fail_after(changes);
    }

    /// Lose what was not synced, but for the sectors that a generator of this seed chooses, half
    /// of them; it works again then.
    fn lose_power(&self, seed: u64) {
        let mut state = seed;
        // Splitmix64: the next state, mixed.
        self.0.lose_power(|| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (mixed ^ (mixed >> 31)) & 1 == 1
        });
    }

    /// Another disk with the same files.
    fn copy(&self) -> Self {
        Self(self.0.copy())
    }

    fn names(&self) -> Vec<String> {
        self.0.file_names()
    }

    /// The bytes of a file, its reserve included; none if it is not there.
    fn content<'py>(&self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyBytes>> {
        self.0.content(name).map(|bytes| PyBytes::new(py, &bytes))
    }

    /// Make or replace a file, durably.
    fn put(&self, name: &str, content: &[u8]) {
        self.0.put(name, content.to_vec());
    }

    fn remove(&self, name: &str) {
        self.0.remove(name);
    }
}

/// What a caller named: a path, or a disk in memory.
pub enum Place {
    Folder(PathBuf),
    Memory(Memory),
}

impl Place {
    pub fn of(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(disk) = value.cast::<MemoryDisk>() {
            return Ok(Self::Memory(disk.get().0.clone()));
        }
        Ok(Self::Folder(value.extract()?))
    }

    /// How it is called in messages.
    pub fn label(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::Memory(_) => "in memory".to_owned(),
        }
    }

    /// The space for a segment, unless a caller says another: memory is not for reserves.
    pub fn segment_bytes(&self) -> u64 {
        match self {
            Self::Folder(_) => Options::default().segment_bytes,
            Self::Memory(_) => 256 << 10,
        }
    }

    /// To read from.
    pub fn reading(&self) -> Store {
        match self {
            Self::Folder(path) => Store::Files(Files::new(path)),
            Self::Memory(disk) => Store::Memory(disk.clone()),
        }
    }

    /// To write to, locked if it is a folder.
    pub fn writing(&self) -> io::Result<Store> {
        Ok(match self {
            Self::Folder(path) => Store::Files(Files::locked(path)?),
            Self::Memory(disk) => Store::Memory(disk.clone()),
        })
    }
}

/// The storage of a place.
#[derive(Debug)]
pub enum Store {
    Files(Files),
    Memory(Memory),
}

impl Storage for Store {
    fn names(&self) -> io::Result<Vec<String>> {
        match self {
            Self::Files(files) => files.names(),
            Self::Memory(disk) => disk.names(),
        }
    }

    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Files(files) => files.read(name, offset, into),
            Self::Memory(disk) => disk.read(name, offset, into),
        }
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        match self {
            Self::Files(files) => files.length(name),
            Self::Memory(disk) => disk.length(name),
        }
    }

    fn create(&mut self, name: &str, content: &[u8], length: u64) -> io::Result<()> {
        match self {
            Self::Files(files) => files.create(name, content, length),
            Self::Memory(disk) => disk.create(name, content, length),
        }
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Files(files) => files.write(name, offset, bytes),
            Self::Memory(disk) => disk.write(name, offset, bytes),
        }
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        match self {
            Self::Files(files) => files.sync(name),
            Self::Memory(disk) => disk.sync(name),
        }
    }

    fn cut(&mut self, name: &str, keep: u64, length: u64) -> io::Result<()> {
        match self {
            Self::Files(files) => files.cut(name, keep, length),
            Self::Memory(disk) => disk.cut(name, keep, length),
        }
    }
}
