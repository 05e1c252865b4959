//! Seals of journals, and the keys that sign them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use quantvista_journal as journal;

/// The 32 bytes of an Ed25519 key that signs. They cannot be read back.
#[pyclass(frozen, module = "quantvista._native")]
pub struct SecretKey(pub journal::SecretKey);

#[pymethods]
impl SecretKey {
    #[new]
    fn new(content: &[u8]) -> PyResult<Self> {
        let bytes: &[u8; 32] = content.try_into().map_err(|_| {
            PyValueError::new_err(format!(
                "`content` must have 32 bytes; found {}",
                content.len()
            ))
        })?;
        Ok(Self(journal::SecretKey::new(bytes)))
    }

    /// The key that checks what this one signed.
    #[getter]
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.public())
    }

    #[expect(clippy::unused_self, reason = "what it holds is not to be shown")]
    fn __repr__(&self) -> &'static str {
        "SecretKey(..)"
    }
}

/// A signed statement that a stream had these records and no others up to a place.
#[pyclass(frozen, module = "quantvista._native")]
pub struct Seal(pub journal::Seal);

#[pymethods]
impl Seal {
    /// Read a seal's file; the signature is not checked yet.
    #[staticmethod]
    fn from_text(text: &str) -> PyResult<Self> {
        let seal = journal::Seal::from_text(text);
        seal.map(Self).map_err(|e| refuse(&e))
    }

    /// Check that the statement is what its key signed.
    fn check(&self) -> PyResult<()> {
        self.0.check().map_err(|e| refuse(&e))
    }

    #[getter]
    fn text(&self) -> String {
        self.0.to_text()
    }

    #[getter]
    fn file_name(&self) -> String {
        self.0.file_name()
    }

    #[getter]
    fn stream(&self) -> &str {
        &self.0.stream
    }

    /// Of the last record that it covers.
    #[getter]
    fn sequence(&self) -> u64 {
        self.0.head.sequence
    }

    #[getter]
    fn chain<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.head.chain)
    }

    #[getter]
    fn ts(&self) -> i64 {
        self.0.ts
    }

    /// The public key that it says it is signed with.
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.key)
    }

    fn __repr__(&self) -> String {
        format!(
            "Seal(stream={:?}, sequence={})",
            self.0.stream, self.0.head.sequence
        )
    }
}

fn refuse(error: &journal::JournalError) -> PyErr {
    crate::raise_as("JournalDamagedError", error.to_string())
}
