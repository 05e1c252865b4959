//! A disk in memory that loses power, for simulations.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::Storage;

const SECTOR: usize = 512;

#[derive(Debug, Default, Clone)]
struct File {
    /// What a reader sees.
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Numbers of the sectors that were written since the last sync.
    dirty: BTreeSet<usize>,
}

impl File {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            durable: bytes.clone(),
            now: bytes,
            dirty: BTreeSet::new(),
        }
    }

    fn write(&mut self, from: usize, bytes: &[u8]) {
        let end = from + bytes.len();
        if self.now.len() < end {
            self.now.resize(end, 0);
        }
        self.now[from..end].copy_from_slice(bytes);
        self.dirty.extend(from / SECTOR..end.div_ceil(SECTOR));
    }

    /// Make those unsynced sectors durable that are chosen, and forget the others.
    fn settle(&mut self, mut keep: impl FnMut() -> bool) {
        for number in std::mem::take(&mut self.dirty) {
            if keep() {
                let from = number * SECTOR;
                let end = (from + SECTOR).min(self.now.len());
                if self.durable.len() < end {
                    self.durable.resize(end, 0);
                }
                self.durable[from..end].copy_from_slice(&self.now[from..end]);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<String, File>,
    /// How many calls that change something still work.
    budget: Option<u32>,
}

/// Shared by its clones, so that a journal can be dropped and the disk looked at.
///
/// It has no lock: a simulation decides itself how many writers there are.
#[derive(Debug, Default, Clone)]
pub struct Memory(Arc<Mutex<Inner>>);

impl Memory {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Let so many further changes happen, then none. A write that fails writes its first half.
    pub fn fail_after(&self, changes: u32) {
        self.inner().budget = Some(changes);
    }

    /// Lose what was not synced, but for the sectors that `keep` chooses; it works again then.
    pub fn lose_power(&self, mut keep: impl FnMut() -> bool) {
        let mut inner = self.inner();
        inner.budget = None;
        for file in inner.files.values_mut() {
            file.settle(&mut keep);
            file.now.clone_from(&file.durable);
        }
    }

    /// Another disk with the same files.
    #[must_use]
    pub fn copy(&self) -> Self {
        let files = self.inner().files.clone();
        Self(Arc::new(Mutex::new(Inner {
            files,
            budget: None,
        })))
    }

    #[must_use]
    pub fn file_names(&self) -> Vec<String> {
        self.inner().files.keys().cloned().collect()
    }

    /// The bytes of a file, its reserve included.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        self.inner().files.get(name).map(|file| file.now.clone())
    }

    /// Make or replace a file, durably.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        self.inner().files.insert(name.to_owned(), File::new(bytes));
    }

    pub fn remove(&self, name: &str) {
        self.inner().files.remove(name);
    }

    /// What a thread that panicked left is as whole as a disk needs to be.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> io::Result<()> {
        match &mut self.inner().budget {
            Some(0) => Err(io::Error::other("the disk has failed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut File) -> T) -> io::Result<T> {
        let mut inner = self.inner();
        let file = inner.files.get_mut(name);
        Ok(act(file.ok_or(io::ErrorKind::NotFound)?))
    }
}

/// A place in a file that is in memory.
fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("the file is in memory")
}

impl Storage for Memory {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.file_names())
    }

    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.with(name, |file| {
            let rest = file.now.get(place(offset)..).unwrap_or(&[]);
            let count = rest.len().min(into.len());
            into[..count].copy_from_slice(&rest[..count]);
            count
        })
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        self.with(name, |file| file.now.len() as u64)
    }

    fn create(&mut self, name: &str, content: &[u8], length: u64) -> io::Result<()> {
        self.change()?;
        let mut bytes = content.to_vec();
        bytes.resize(content.len().max(place(length)), 0);
        self.put(name, bytes);
        Ok(())
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let works = self.change();
        let part = if works.is_ok() {
            bytes
        } else {
            &bytes[..bytes.len() / 2]
        };
        self.with(name, |file| file.write(place(offset), part))?;
        works
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.change()?;
        self.with(name, |file| file.settle(|| true))
    }

    fn cut(&mut self, name: &str, keep: u64, length: u64) -> io::Result<()> {
        self.change()?;
        self.with(name, |file| {
            let mut bytes = std::mem::take(&mut file.now);
            bytes.truncate(place(keep));
            bytes.resize(place(keep.max(length)), 0);
            *file = File::new(bytes);
        })
    }
}
