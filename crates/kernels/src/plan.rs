//! From a specification to stages: which nodes run together, and where each value waits.

use serde::{Deserialize, Serialize};

use crate::error::{KernelError, Result};
use crate::operator::{Build, Operator};
use crate::table::operator;

/// One use of an operator. Inputs are indices: columns first, then nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeSpec {
    pub op: String,
    #[serde(default)]
    pub inputs: Vec<usize>,
    #[serde(default)]
    pub params: Vec<f64>,
}

/// Columns, nodes that use what stands before them, and the values to give out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    pub columns: Vec<String>,
    pub nodes: Vec<NodeSpec>,
    pub outputs: Vec<usize>,
}

impl Spec {
    /// The operators of the nodes.
    ///
    /// # Errors
    ///
    /// [`KernelError::Spec`] for a node that cannot be.
    pub fn operators(&self) -> Result<Vec<&'static Operator>> {
        let values = self.columns.len() + self.nodes.len();
        if let Some(found) = self.outputs.iter().find(|output| **output >= values) {
            return Err(KernelError::Spec(format!(
                "`outputs` must be below {values}, the columns and nodes there are; found {found}"
            )));
        }
        let check = |(place, node): (usize, &NodeSpec)| self.check(place, node);
        self.nodes.iter().enumerate().map(check).collect()
    }

    fn check(&self, place: usize, node: &NodeSpec) -> Result<&'static Operator> {
        let refuse = |text: String| Err(KernelError::Spec(format!("`nodes[{place}]`: {text}")));
        let Some(found) = operator(&node.op) else {
            return refuse(format!(
                "`op` must be one of FEATURE_OPERATORS; found '{}'",
                node.op
            ));
        };
        if node.inputs.len() != found.inputs.len() {
            return refuse(format!(
                "`inputs` of '{}' must be {} ({}); found {}",
                node.op,
                found.inputs.len(),
                found.inputs.join(", "),
                node.inputs.len()
            ));
        }
        let before = self.columns.len() + place;
        if let Some(later) = node.inputs.iter().find(|input| **input >= before) {
            return refuse(format!(
                "`inputs` must be below {before}, the columns and the nodes before this one; \
                 found {later}"
            ));
        }
        match found.check(&node.params) {
            Ok(()) => Ok(found),
            Err(error) => refuse(error.to_string()),
        }
    }
}

/// The nodes as they run: those with a shortcut take results that others have, bit for bit the same.
pub fn shorten(spec: &Spec, operators: &[&'static Operator]) -> (Spec, Vec<Operator>) {
    let mut short = spec.clone();
    let mut run: Vec<Operator> = operators.iter().map(|operator| **operator).collect();
    for (place, (node, operator)) in spec.nodes.iter().zip(operators).enumerate() {
        let Some(shortcut) = &operator.shortcut else {
            continue;
        };
        let before = |name: &&str| {
            let same = |other: &NodeSpec| {
                other.op == **name && other.inputs == node.inputs && other.params == node.params
            };
            let found = spec.nodes[..place].iter().position(same)?;
            Some(spec.columns.len() + found)
        };
        if let Some(mut inputs) = shortcut
            .results
            .iter()
            .map(before)
            .collect::<Option<Vec<_>>>()
        {
            inputs.extend(shortcut.inputs.iter().map(|input| node.inputs[*input]));
            short.nodes[place].inputs = inputs;
            run[place].build = Build::Series(shortcut.build);
        }
    }
    (short, run)
}

/// What a stage does with the tile of one block of instruments, in order.
#[derive(Debug)]
pub enum Step {
    /// Bring a column or a shared value in.
    Load { value: usize, slot: usize },
    /// Run a node of the block; store the result where others find it.
    Run {
        node: usize,
        inputs: Vec<usize>,
        slot: usize,
        stores: Vec<Target>,
    },
}

/// Where a result goes besides the tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Output(usize),
    Shared(usize),
}

/// A node across instruments.
#[derive(Debug)]
pub struct CrossStep {
    pub node: usize,
    pub inputs: Vec<usize>,
    pub stores: Vec<Target>,
}

/// Series nodes, then the cross-sectional nodes that can follow them.
#[derive(Debug, Default)]
pub struct Stage {
    pub steps: Vec<Step>,
    pub across: Vec<CrossStep>,
}

impl Stage {
    /// The shared values that the series nodes write.
    pub fn writes(&self) -> impl Iterator<Item = usize> {
        let stores = self.steps.iter().flat_map(|step| match step {
            Step::Run { stores, .. } => stores.as_slice(),
            Step::Load { .. } => &[],
        });
        stores.filter_map(|target| match target {
            Target::Shared(place) => Some(*place),
            Target::Output(_) => None,
        })
    }
}

/// How a program runs.
#[derive(Debug)]
pub struct Plan {
    pub stages: Vec<Stage>,
    /// Buffers that a tile needs.
    pub slots: usize,
    /// Values that wait for other stages.
    pub shared: usize,
    /// By value: its place among those that wait.
    pub shared_place: Vec<Option<usize>>,
    /// Outputs that are columns as they came.
    pub echoes: Vec<(usize, usize)>,
}

struct Planner<'a> {
    spec: &'a Spec,
    operators: &'a [Operator],
    /// By value: the stage in which it runs, and the stage from which others can use it.
    runs: Vec<usize>,
    ready: Vec<usize>,
    shared_place: Vec<Option<usize>>,
    slots: usize,
}

impl Plan {
    pub fn new(spec: &Spec, operators: &[Operator]) -> Self {
        let mut planner = Planner {
            spec,
            operators,
            runs: vec![0; spec.columns.len()],
            ready: vec![0; spec.columns.len()],
            shared_place: vec![None; spec.columns.len() + spec.nodes.len()],
            slots: 0,
        };
        let shared = planner.place();
        let last = planner.runs.iter().copied().max().unwrap_or(0);
        let stages = (0..=last).map(|stage| planner.stage(stage)).collect();
        let echo = |(output, value): (usize, &usize)| {
            (*value < spec.columns.len()).then_some((output, *value))
        };
        Self {
            stages,
            slots: planner.slots,
            shared,
            echoes: spec.outputs.iter().enumerate().filter_map(echo).collect(),
            shared_place: planner.shared_place,
        }
    }
}

impl Planner<'_> {
    fn columns(&self) -> usize {
        self.spec.columns.len()
    }

    fn is_cross(&self, value: usize) -> bool {
        let node = value.checked_sub(self.columns());
        node.is_some_and(|node| matches!(self.operators[node].build, Build::Cross(_)))
    }

    /// Put every node into a stage; the number of values that wait for another stage.
    fn place(&mut self) -> usize {
        for (node, spec) in self.spec.nodes.iter().enumerate() {
            let stage = spec.inputs.iter().map(|input| self.ready[*input]).max();
            let stage = stage.unwrap_or(0);
            self.runs.push(stage);
            let across = self.is_cross(self.columns() + node);
            self.ready.push(stage + usize::from(across));
        }
        let mut shared = 0;
        for (node, spec) in self.spec.nodes.iter().enumerate() {
            let value = self.columns() + node;
            for input in &spec.inputs {
                let apart = self.is_cross(value)
                    || self.is_cross(*input)
                    || self.runs[*input] != self.runs[value];
                let waits = *input >= self.columns() && apart;
                if waits && self.shared_place[*input].is_none() {
                    self.shared_place[*input] = Some(shared);
                    shared += 1;
                }
            }
        }
        shared
    }

    fn stores(&self, value: usize) -> Vec<Target> {
        let outputs = self.spec.outputs.iter().enumerate();
        outputs
            .filter(|(_, output)| **output == value)
            .map(|(output, _)| Target::Output(output))
            .chain(self.shared_place[value].map(Target::Shared))
            .collect()
    }

    fn stage(&mut self, stage: usize) -> Stage {
        let mut made = Stage::default();
        let columns = self.columns();
        let here = |planner: &Self, value: usize| planner.runs[value] == stage;
        let nodes = (columns..self.runs.len()).filter(|value| here(self, *value));
        let (across, along): (Vec<usize>, Vec<usize>) = nodes.partition(|v| self.is_cross(*v));
        let mut slots = Slots::new(self.runs.len());
        for (place, value) in along.iter().enumerate() {
            let inputs = &self.spec.nodes[value - columns].inputs;
            for input in inputs {
                if slots.of[*input].is_none() {
                    let slot = slots.take(*input);
                    made.steps.push(Step::Load {
                        value: *input,
                        slot,
                    });
                }
            }
            let slot = slots.take(*value);
            made.steps.push(Step::Run {
                node: value - columns,
                inputs: inputs.iter().filter_map(|input| slots.of[*input]).collect(),
                slot,
                stores: self.stores(*value),
            });
            let later = &along[place + 1..];
            let used = |v: usize| {
                let uses = |other: &usize| self.spec.nodes[other - columns].inputs.contains(&v);
                later.iter().any(uses)
            };
            for done in inputs.iter().chain([value]) {
                if !used(*done) {
                    slots.give_back(*done);
                }
            }
        }
        self.slots = self.slots.max(slots.count);
        made.across = across
            .iter()
            .map(|value| CrossStep {
                node: value - columns,
                inputs: self.spec.nodes[value - columns].inputs.clone(),
                stores: self.stores(*value),
            })
            .collect();
        made
    }
}

/// Buffers of a tile, used again once nobody needs what is in them.
struct Slots {
    of: Vec<Option<usize>>,
    free: Vec<usize>,
    count: usize,
}

impl Slots {
    fn new(values: usize) -> Self {
        Self {
            of: vec![None; values],
            free: Vec::new(),
            count: 0,
        }
    }

    fn take(&mut self, value: usize) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        });
        self.of[value] = Some(slot);
        slot
    }

    fn give_back(&mut self, value: usize) {
        // The same input may stand twice in one node.
        if let Some(slot) = self.of[value].take() {
            self.free.push(slot);
        }
    }
}
