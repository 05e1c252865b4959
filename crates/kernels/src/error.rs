//! What makes a program refuse.

use thiserror::Error;

/// A specification, a chunk of rows or a snapshot that a program cannot use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KernelError {
    #[error("{0}")]
    Spec(String),
    #[error("{0}")]
    Rows(String),
    #[error("`snapshot` must be one of this program; found that {0}")]
    Snapshot(String),
}

pub type Result<T> = std::result::Result<T, KernelError>;
