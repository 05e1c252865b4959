//! A disk in memory that loses power.

#![allow(dead_code)]
#![allow(clippy::cast_possible_truncation)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use quantvista_journal::Storage;

const SECTOR: usize = 512;

#[derive(Debug, Default, Clone)]
struct File {
    durable: Vec<u8>,
    /// Sectors that were written since the last sync, by number.
    pending: BTreeMap<usize, Vec<u8>>,
}

impl File {
    fn seen(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (number, sector) in &self.pending {
            let from = number * SECTOR;
            let end = from + sector.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[from..end].copy_from_slice(sector);
        }
        bytes
    }
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<String, File>,
    /// How many calls that change something still work.
    budget: Option<u32>,
}

/// Shared, so that a journal can be dropped and the disk looked at.
#[derive(Debug, Default, Clone)]
pub struct Disk(Rc<RefCell<Inner>>);

impl Disk {
    pub fn new() -> Self {
        Self::default()
    }

    /// Let so many further changes happen, then none.
    pub fn fail_after(&self, changes: u32) {
        self.0.borrow_mut().budget = Some(changes);
    }

    /// Lose what was not synced, but for the sectors that `keep` chooses.
    pub fn lose_power(&self, mut keep: impl FnMut() -> bool) {
        let mut inner = self.0.borrow_mut();
        inner.budget = None;
        for file in inner.files.values_mut() {
            for (number, sector) in std::mem::take(&mut file.pending) {
                if keep() {
                    let from = number * SECTOR;
                    let end = from + sector.len();
                    if file.durable.len() < end {
                        file.durable.resize(end, 0);
                    }
                    file.durable[from..end].copy_from_slice(&sector);
                }
            }
        }
    }

    /// Another disk with the same files.
    pub fn copy(&self) -> Self {
        let inner = Inner {
            files: self.0.borrow().files.clone(),
            budget: None,
        };
        Self(Rc::new(RefCell::new(inner)))
    }

    pub fn file_names(&self) -> Vec<String> {
        self.0.borrow().files.keys().cloned().collect()
    }

    pub fn content(&self, name: &str) -> Vec<u8> {
        self.0.borrow().files[name].seen()
    }

    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let file = File {
            durable: bytes,
            pending: BTreeMap::new(),
        };
        self.0.borrow_mut().files.insert(name.to_owned(), file);
    }

    pub fn remove(&self, name: &str) {
        self.0.borrow_mut().files.remove(name);
    }

    fn change(&self) -> io::Result<()> {
        match &mut self.0.borrow_mut().budget {
            Some(0) => Err(io::Error::other("the disk has failed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut File) -> T) -> io::Result<T> {
        let mut inner = self.0.borrow_mut();
        let file = inner.files.get_mut(name);
        Ok(act(file.ok_or(io::ErrorKind::NotFound)?))
    }
}

impl Storage for Disk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.file_names())
    }

    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.with(name, |file| {
            let bytes = file.seen();
            let rest = bytes.get(offset as usize..).unwrap_or(&[]);
            let count = rest.len().min(into.len());
            into[..count].copy_from_slice(&rest[..count]);
            count
        })
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        self.with(name, |file| file.seen().len() as u64)
    }

    fn create(&mut self, name: &str, content: &[u8], length: u64) -> io::Result<()> {
        self.change()?;
        let mut bytes = content.to_vec();
        bytes.resize(content.len().max(length as usize), 0);
        self.put(name, bytes);
        Ok(())
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        // A write that fails may have written a part.
        let works = self.change();
        let part = if works.is_ok() {
            bytes
        } else {
            &bytes[..bytes.len() / 2]
        };
        self.with(name, |file| {
            let mut seen = file.seen();
            let (from, end) = (offset as usize, offset as usize + part.len());
            if seen.len() < end {
                seen.resize(end, 0);
            }
            seen[from..end].copy_from_slice(part);
            for number in from / SECTOR..end.div_ceil(SECTOR) {
                let to = ((number + 1) * SECTOR).min(seen.len());
                file.pending
                    .insert(number, seen[number * SECTOR..to].to_vec());
            }
        })?;
        works
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.change()?;
        self.with(name, |file| {
            file.durable = file.seen();
            file.pending.clear();
        })
    }

    fn cut(&mut self, name: &str, keep: u64, length: u64) -> io::Result<()> {
        self.change()?;
        self.with(name, |file| {
            let mut bytes = file.seen();
            bytes.truncate(keep as usize);
            bytes.resize(keep.max(length) as usize, 0);
            file.durable = bytes;
            file.pending.clear();
        })
    }
}
