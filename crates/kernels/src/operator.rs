//! What an operator is, before it has a state: names, limits, words, and how to build it.

use crate::cross::CrossRule;
use crate::error::{KernelError, Result};
use crate::series::{Lanes, Series, SeriesNode};

/// Whether a parameter counts values or measures something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Float,
}

/// One parameter with the values that it may have.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub least: f64,
    pub most: f64,
    pub default: Option<f64>,
}

/// What an operator remembers of the rows before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Nothing.
    None,
    /// A fixed number of defined values.
    Window,
    /// Everything, be it with fading weights.
    Recursive,
}

/// The longest window. A state holds its window, so this bounds memory as well.
pub const WINDOW_MOST: f64 = 1_000_000.0;

/// A window of values.
pub const fn count(name: &'static str, least: f64) -> Parameter {
    Parameter {
        name,
        kind: Kind::Int,
        least,
        most: WINDOW_MOST,
        default: None,
    }
}

/// A number within limits.
pub const fn number(name: &'static str, least: f64, most: f64) -> Parameter {
    Parameter {
        name,
        kind: Kind::Float,
        least,
        most,
        default: None,
    }
}

impl Parameter {
    pub(crate) const fn or(mut self, value: f64) -> Self {
        self.default = Some(value);
        self
    }

    fn problem(&self, value: f64) -> Option<String> {
        let Self {
            name, least, most, ..
        } = self;
        let whole = self.kind == Kind::Float || value.fract() == 0.0;
        if whole && value >= *least && value <= *most {
            return None;
        }
        let kind = match self.kind {
            Kind::Int => "a whole number",
            Kind::Float => "a number",
        };
        Some(format!(
            "`{name}` must be {kind} in [{least}, {most}]; found {value}"
        ))
    }
}

/// How the state of an operator is made, for a number of instruments.
#[derive(Clone, Copy)]
pub enum Build {
    Series(fn(&[f64], usize) -> Box<dyn SeriesNode>),
    Cross(CrossRule),
}

/// A quicker way to the same bits where a program computes `results`, operators on the same inputs
/// with the same parameters, before: from those, and from inputs of its own.
#[derive(Clone, Copy)]
pub struct Shortcut {
    pub results: &'static [&'static str],
    pub inputs: &'static [usize],
    pub build: fn(&[f64], usize) -> Box<dyn SeriesNode>,
}

/// One entry of the table of operators.
#[derive(Clone, Copy)]
pub struct Operator {
    pub name: &'static str,
    pub inputs: &'static [&'static str],
    pub parameters: &'static [Parameter],
    pub memory: Memory,
    pub doc: &'static str,
    pub formula: &'static str,
    pub source: &'static str,
    warm_up: fn(&[f64]) -> u64,
    settle: fn(&[f64]) -> Option<u64>,
    rule: fn(&[f64]) -> Option<&'static str>,
    pub(crate) build: Build,
    pub(crate) shortcut: Option<Shortcut>,
}

/// A parameter that counts, as a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "parameters that count were checked to be whole and in [0, WINDOW_MOST]"
)]
pub fn size(value: f64) -> usize {
    value as usize
}

/// The first parameter, as the number of values until the first defined result.
pub fn first(parameters: &[f64]) -> u64 {
    size(parameters[0]) as u64
}

/// As [`first`], with one value more before it.
pub fn first_and_one(parameters: &[f64]) -> u64 {
    first(parameters) + 1
}

/// Values until a weight that shrinks by `factor` a value is below 1e-9.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 1e9 or so, and positive"
)]
pub fn fading(factor: f64) -> u64 {
    if factor <= 0.0 {
        return 1;
    }
    (1e-9_f64.ln() / factor.ln()).ceil() as u64
}

impl Operator {
    const fn new(name: &'static str, inputs: &'static [&'static str], build: Build) -> Self {
        Self {
            name,
            inputs,
            parameters: &[],
            memory: Memory::None,
            doc: "",
            formula: "",
            source: "Definition.",
            warm_up: |_| 1,
            settle: |_| Some(0),
            rule: |_| None,
            build,
            shortcut: None,
        }
    }

    /// An operator along time, each instrument by itself.
    pub(crate) const fn series(
        name: &'static str,
        inputs: &'static [&'static str],
        build: fn(&[f64], usize) -> Box<dyn SeriesNode>,
    ) -> Self {
        Self::new(name, inputs, Build::Series(build))
    }

    /// An operator across instruments, each row by itself.
    pub(crate) const fn cross(
        name: &'static str,
        inputs: &'static [&'static str],
        rule: CrossRule,
    ) -> Self {
        Self::new(name, inputs, Build::Cross(rule))
    }

    pub(crate) const fn parameters(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    /// The state holds so many values and nothing else.
    pub(crate) const fn window(mut self, warm_up: fn(&[f64]) -> u64) -> Self {
        self.memory = Memory::Window;
        self.warm_up = warm_up;
        self
    }

    /// The state depends on all values; the start weighs less than 1e-9 after `settle` of them, or
    /// always weighs something.
    pub(crate) const fn recursive(
        mut self,
        warm_up: fn(&[f64]) -> u64,
        settle: fn(&[f64]) -> Option<u64>,
    ) -> Self {
        self.memory = Memory::Recursive;
        self.warm_up = warm_up;
        self.settle = settle;
        self
    }

    /// What several parameters must fulfil together: `Some` says what, where they do not.
    pub(crate) const fn rule(mut self, rule: fn(&[f64]) -> Option<&'static str>) -> Self {
        self.rule = rule;
        self
    }

    /// Another way to its results, which must have the same bits for every input.
    pub(crate) const fn shortcut(mut self, shortcut: Shortcut) -> Self {
        self.shortcut = Some(shortcut);
        self
    }

    pub(crate) const fn words(mut self, doc: &'static str, formula: &'static str) -> Self {
        self.doc = doc;
        self.formula = formula;
        self
    }

    pub(crate) const fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    /// Whether it works across instruments.
    #[must_use]
    pub const fn is_cross(&self) -> bool {
        matches!(self.build, Build::Cross(_))
    }

    /// Refuse parameters that are too many, too few, or outside their limits.
    ///
    /// # Errors
    ///
    /// [`KernelError::Spec`] with the parameter, what it must be, and what it was.
    pub fn check(&self, parameters: &[f64]) -> Result<()> {
        let refuse = |text: String| Err(KernelError::Spec(format!("`{}`: {text}", self.name)));
        if parameters.len() != self.parameters.len() {
            let names: Vec<_> = self.parameters.iter().map(|p| p.name).collect();
            return refuse(format!(
                "`params` must be {} numbers ({}); found {}",
                names.len(),
                names.join(", "),
                parameters.len()
            ));
        }
        for (parameter, value) in self.parameters.iter().zip(parameters) {
            if let Some(problem) = parameter.problem(*value) {
                return refuse(problem);
            }
        }
        match (self.rule)(parameters) {
            Some(problem) => refuse(format!("{problem}; found {parameters:?}")),
            None => Ok(()),
        }
    }

    /// Defined values that must be given until the first defined result; 1 is at once.
    ///
    /// # Errors
    ///
    /// As [`Operator::check`].
    pub fn warm_up(&self, parameters: &[f64]) -> Result<u64> {
        self.check(parameters)?;
        Ok((self.warm_up)(parameters))
    }

    /// Values after which the start of a recursive operator weighs less than 1e-9: 0 where nothing
    /// but the window counts, `None` where the start never fades.
    ///
    /// # Errors
    ///
    /// As [`Operator::check`].
    pub fn settle(&self, parameters: &[f64]) -> Result<Option<u64>> {
        self.check(parameters)?;
        Ok((self.settle)(parameters))
    }
}

/// A node of so many instruments that all start from `state`.
pub fn lanes<const N: usize, S: Series<N>>(state: S, count: usize) -> Box<dyn SeriesNode> {
    Box::new(Lanes::new(state, count))
}
