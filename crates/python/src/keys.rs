//! Keys that journals are encrypted with.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use quantvista_journal as journal;

/// Keys of 32 bytes, oldest first, which cannot be read back; the last one encrypts.
#[pyclass(frozen, module = "quantvista._native")]
pub struct KeyRing(pub journal::KeyRing);

#[pymethods]
impl KeyRing {
    #[new]
    fn new(keys: Vec<Vec<u8>>) -> PyResult<Self> {
        let made = keys.into_iter().map(|key| {
            let bytes: [u8; 32] = key.try_into().map_err(|key: Vec<u8>| {
                let text = format!("`keys` must have 32 bytes each; found {}", key.len());
                PyValueError::new_err(text)
            })?;
            Ok(journal::Key::new(&bytes))
        });
        Ok(Self(journal::KeyRing::new(made.collect::<PyResult<_>>()?)))
    }

    /// What the keys are called.
    #[getter]
    fn ids(&self) -> Vec<String> {
        self.0.ids().map(|id| id.to_string()).collect()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("KeyRing({})", self.ids().join(", "))
    }
}

/// Give two folders each other's names, both or neither, durably.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "the binding hands the arguments over"
)]
pub fn exchange_folders(one: PathBuf, other: PathBuf) -> PyResult<()> {
    Ok(journal::exchange(&one, &other)?)
}
