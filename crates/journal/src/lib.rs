//! A durable, hash-chained, append-only log: `docs/journal.md` is its contract.
//!
//! A [`Journal`] appends records to segments and makes them durable in batches, each closed by a
//! commit frame with `chain = BLAKE3(previous chain ‖ batch)`. A [`Reader`] follows it from another
//! process, [`verify`] checks every byte, and a [`Seal`] signs where it ends.
//!
//! With a [`KeyRing`] batches and snapshots are encrypted; chain, checksums and seals are over what
//! is on the disk, so that all of it can be checked without a key.
//!
//! The crate reads no clock. What it reads and writes goes through [`Storage`], so that tests and
//! simulations can lose, tear and reorder writes.

mod cipher;
mod error;
mod format;
mod found;
mod key;
mod memory;
mod name;
mod reader;
mod scan;
mod seal;
mod snapshot;
mod storage;
mod verify;
mod writer;

pub use error::{JournalError, Result};
pub use format::{CHAIN_START, Chain, KIND_MAX, Record};
pub use key::{Key, KeyId, KeyRing};
pub use memory::Memory;
pub use reader::Reader;
pub use seal::{PublicKey, Seal, SecretKey};
pub use snapshot::Snapshot;
pub use storage::{Files, Storage, exchange};
pub use verify::{Verified, verify, verify_with};
pub use writer::{Access, Head, Journal, Opened, Options};
