//! Feature programs over `NumPy` arrays.

use numpy::ndarray::ArrayView2;
use numpy::{PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use quantvista_kernels::{
    KernelError, Kind, Memory, Operator, Parameter, Program, Spec, operator, operators,
};

/// A program's error as the Python exception of its family.
pub fn raise(error: &KernelError) -> PyErr {
    let family = match error {
        KernelError::Spec(_) | KernelError::Snapshot(_) => "ConfigError",
        KernelError::Rows(_) | KernelError::Recording(_) => "MarketDataError",
    };
    crate::raise_as(family, error.to_string())
}

/// Streaming features of several instruments; use `quantvista.features` instead.
#[pyclass(module = "quantvista._native")]
pub struct FeatureProgram {
    program: Program,
}

#[pymethods]
impl FeatureProgram {
    #[new]
    fn new(spec: &Bound<'_, PyDict>, n: usize) -> PyResult<Self> {
        let spec: Spec = pythonize::depythonize(spec)
            .map_err(|error| crate::raise_as("ConfigError", format!("`spec` {error}")))?;
        let program = Program::new(spec, n).map_err(|error| raise(&error))?;
        Ok(Self { program })
    }

    /// Take the next rows: each column (rows, n), results (outputs, rows, n), written into `out`
    /// if it is given.
    #[pyo3(signature = (columns, groups = None, out = None))]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the binding hands the arrays over"
    )]
    fn advance<'py>(
        &mut self,
        py: Python<'py>,
        columns: Vec<PyReadonlyArray2<'py, f64>>,
        groups: Option<PyReadonlyArray1<'py, i32>>,
        out: Option<Bound<'py, PyArray3<f64>>>,
    ) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let n = self.program.instruments();
        let rows = columns
            .first()
            .map_or(0, |column| column.as_array().nrows());
        for (place, column) in columns.iter().enumerate() {
            check(&column.as_array(), place, rows, n)?;
        }
        let views: Vec<&[f64]> = columns
            .iter()
            .map(|column| column.as_array().to_slice())
            .collect::<Option<_>>()
            .ok_or_else(|| PyTypeError::new_err("`columns` must be C-contiguous"))?;
        let groups = groups
            .as_ref()
            .map(PyReadonlyArray1::as_slice)
            .transpose()
            .map_err(|_| PyTypeError::new_err("`groups` must be contiguous"))?;
        let wanted = [self.program.spec().outputs.len(), rows, n];
        let result = match out {
            Some(out) if out.shape() == wanted => out,
            Some(out) => {
                let text = format!(
                    "`out` must have the shape {wanted:?} (outputs, rows, instruments); found {:?}",
                    out.shape()
                );
                return Err(crate::raise_as("MarketDataError", text));
            }
            None => PyArray3::<f64>::zeros(py, wanted, false),
        };
        let refuse = |error: &dyn std::fmt::Display| {
            PyTypeError::new_err(format!(
                "`out` must be writable, C-contiguous and apart from the columns; found one that \
                 is not ({error})"
            ))
        };
        let mut writable = result.try_readwrite().map_err(|error| refuse(&error))?;
        // A slice would also do for columns side by side, which are another order.
        let mut view = writable.as_array_mut();
        let values = view
            .as_slice_mut()
            .ok_or_else(|| refuse(&"rows are not contiguous"))?;
        let program = &mut self.program;
        py.detach(|| program.advance(&views, rows, groups, values))
            .map_err(|error| raise(&error))?;
        drop(writable);
        Ok(result)
    }

    /// The states of all operators, as bytes.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let program = &self.program;
        PyBytes::new(py, &py.detach(|| program.snapshot()))
    }

    /// Go on from a snapshot of the same specification and number of instruments.
    fn restore(&mut self, py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
        let program = &mut self.program;
        py.detach(|| program.restore(snapshot))
            .map_err(|error| raise(&error))
    }

    /// Rows seen since the start.
    #[getter]
    fn rows(&self) -> u64 {
        self.program.rows()
    }
}

fn check(column: &ArrayView2<'_, f64>, place: usize, rows: usize, n: usize) -> PyResult<()> {
    let found = column.dim();
    if found == (rows, n) {
        return Ok(());
    }
    let text = format!(
        "`columns[{place}]` must have the shape ({rows}, {n}) (rows, instruments); found {found:?}"
    );
    Err(crate::raise_as("MarketDataError", text))
}

/// Defined values until the first defined result, and after how many more the start is forgotten.
fn known(name: &str) -> PyResult<&'static Operator> {
    operator(name).ok_or_else(|| {
        let text = format!("`name` must be one of FEATURE_OPERATORS; found '{name}'");
        crate::raise_as("ConfigError", text)
    })
}

/// Defined values that must be given until the first defined result; 1 is at once.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "the binding hands a new list over"
)]
pub fn operator_warm_up(name: &str, params: Vec<f64>) -> PyResult<u64> {
    known(name)?.warm_up(&params).map_err(|error| raise(&error))
}

/// Values after which the start weighs less than 1e-9; 0 for windows, `None` where it always counts.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "the binding hands a new list over"
)]
pub fn operator_settle(name: &str, params: Vec<f64>) -> PyResult<Option<u64>> {
    known(name)?.settle(&params).map_err(|error| raise(&error))
}

/// The table of operators.
pub fn feature_operators(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for operator in operators() {
        let row = PyDict::new(py);
        row.set_item("name", operator.name)?;
        row.set_item("inputs", operator.inputs.len())?;
        row.set_item("input_names", operator.inputs)?;
        row.set_item("params", parameters(py, operator.parameters)?)?;
        row.set_item("cross", operator.is_cross())?;
        let memory = match operator.memory {
            Memory::None => "none",
            Memory::Window => "window",
            Memory::Recursive => "recursive",
        };
        row.set_item("memory", memory)?;
        row.set_item("doc", operator.doc)?;
        row.set_item("formula", operator.formula)?;
        row.set_item("source", operator.source)?;
        list.append(row)?;
    }
    Ok(list)
}

fn parameters<'py>(py: Python<'py>, parameters: &[Parameter]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for parameter in parameters {
        let row = PyDict::new(py);
        row.set_item("name", parameter.name)?;
        let kind = match parameter.kind {
            Kind::Int => "int",
            Kind::Float => "float",
        };
        row.set_item("kind", kind)?;
        row.set_item("least", parameter.least)?;
        row.set_item("most", parameter.most)?;
        row.set_item("default", parameter.default)?;
        list.append(row)?;
    }
    Ok(list)
}
