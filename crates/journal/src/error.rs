//! What can be wrong with a journal.

use std::io;

use thiserror::Error;

/// Why a journal refuses.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Bytes that were durable do not verify. Nothing is read behind this place.
    #[error(
        "segment {segment}, byte {offset}, after record {after}: {problem}; restore this segment from a backup"
    )]
    Damaged {
        segment: String,
        offset: u64,
        /// The last record before the damage, 0 if there is none.
        after: u64,
        problem: &'static str,
    },
    #[error("{name}: {source}")]
    Io { name: String, source: io::Error },
    #[error("{0} is being written by another process")]
    Locked(String),
    /// A write or a sync has failed: what is durable is unknown until the journal is opened anew.
    #[error("an earlier write of this journal failed; end this process and open the journal anew")]
    Failed,
    #[error("`{argument}` {problem}")]
    Argument {
        argument: &'static str,
        problem: &'static str,
    },
    /// It is encrypted with a key that was not given.
    #[error("{name} is encrypted with key {key}, which is not among the {given} that were given")]
    NoKey {
        name: String,
        key: String,
        given: usize,
    },
    #[error("the journal is not encrypted")]
    InTheClear,
    #[error("the journal is of stream {found:?}, not of {asked:?}")]
    OtherStream { asked: String, found: String },
    /// The seal's signature, or what it says, does not fit.
    #[error("the seal {0}")]
    Seal(&'static str),
    #[error("the check was stopped")]
    Stopped,
}

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, JournalError>;

pub(crate) fn io_of(name: &str) -> impl FnOnce(io::Error) -> JournalError + '_ {
    move |source| JournalError::Io {
        name: name.to_owned(),
        source,
    }
}
