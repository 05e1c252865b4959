//! What is refused.

use thiserror::Error;

/// A specification, rows or a snapshot that a program cannot use, or an unreadable recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KernelError {
    #[error("{0}")]
    Spec(String),
    #[error("{0}")]
    Rows(String),
    #[error("`snapshot` must be one of this program; found that {0}")]
    Snapshot(String),
    #[error("{0}")]
    Recording(String),
}

pub type Result<T> = std::result::Result<T, KernelError>;
