//! Features of many instruments at once, a chunk of rows at a time.

use std::num::NonZero;
use std::thread;

use crate::error::{KernelError, Result};
use crate::operator::{Build, Operator};
use crate::plan::{CrossStep, Plan, Spec, Stage, Target, shorten};
use crate::series::{LANES, clean};
use crate::snapshot;
use crate::stage::{Block, Sinks, Sources, Tiles, across, along, cut};

/// Rows that the stages hand on at a time where there are several; bounds the memory of a chunk.
const STAGE_ROWS: usize = 256;
/// Rows of a single stage at a time.
const CHUNK_ROWS: usize = 4096;
/// Threads pay off from so many results on.
const RESULTS_PER_THREAD: usize = 100_000;
/// More threads than this would wait for memory.
const THREADS_MOST: usize = 8;

/// A compiled specification with the states of all instruments.
pub struct Program {
    spec: Spec,
    operators: Vec<Operator>,
    plan: Plan,
    blocks: Vec<Block>,
    instruments: usize,
    rows: u64,
    threads: usize,
    /// Buffers of each thread, kept so that single rows need not make them anew.
    tiles: Vec<Tiles>,
}

impl Program {
    /// Compile a specification for a number of instruments.
    ///
    /// # Errors
    ///
    /// [`KernelError::Spec`] for an unknown operator, wrong inputs or parameters.
    pub fn new(spec: Spec, instruments: usize) -> Result<Self> {
        let (short, operators) = shorten(&spec, &spec.operators()?);
        let plan = Plan::new(&short, &operators);
        let blocks = blocks(&spec, &operators, instruments);
        Ok(Self {
            plan,
            blocks,
            operators,
            spec,
            instruments,
            rows: 0,
            threads: thread::available_parallelism().map_or(1, NonZero::get),
            tiles: Vec::new(),
        })
    }

    /// Use at most so many threads. Results do not depend on it.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    #[must_use]
    pub fn instruments(&self) -> usize {
        self.instruments
    }

    /// Rows seen since the start.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Take the next rows. Each column and each output is (rows, instruments), outputs one after
    /// another; `groups` names the group of every instrument, a negative one being none.
    ///
    /// # Errors
    ///
    /// [`KernelError::Rows`] where the sizes do not fit; the state is then as it was.
    pub fn advance(
        &mut self,
        columns: &[&[f64]],
        rows: usize,
        groups: Option<&[i32]>,
        outputs: &mut [f64],
    ) -> Result<()> {
        self.check(columns, rows, groups, outputs.len())?;
        let size = rows * self.instruments;
        if size > 0 {
            let mut outputs: Vec<&mut [f64]> = outputs.chunks_exact_mut(size).collect();
            let step = if self.plan.shared == 0 {
                CHUNK_ROWS
            } else {
                STAGE_ROWS
            };
            for from in (0..rows).step_by(step) {
                let range = from * self.instruments..rows.min(from + step) * self.instruments;
                let columns: Vec<_> = columns.iter().map(|c| &c[range.clone()]).collect();
                let chunk = outputs.iter_mut().map(|o| &mut o[range.clone()]).collect();
                self.chunk(&columns, groups, chunk);
            }
        }
        self.rows += rows as u64;
        Ok(())
    }

    fn check(
        &self,
        columns: &[&[f64]],
        rows: usize,
        groups: Option<&[i32]>,
        outputs: usize,
    ) -> Result<()> {
        let wanted = self.spec.columns.len();
        if columns.len() != wanted {
            return Err(KernelError::Rows(format!(
                "`columns` must be {wanted} ({}); found {}",
                self.spec.columns.join(", "),
                columns.len()
            )));
        }
        let size = rows * self.instruments;
        for (name, column) in self.spec.columns.iter().zip(columns) {
            if column.len() != size {
                return Err(KernelError::Rows(format!(
                    "`columns` must each hold {rows} rows of {} instruments; '{name}' holds {} \
                     values",
                    self.instruments,
                    column.len()
                )));
            }
        }
        if let Some(groups) = groups
            && groups.len() != self.instruments
        {
            return Err(KernelError::Rows(format!(
                "`groups` must name the group of each of {} instruments; found {}",
                self.instruments,
                groups.len()
            )));
        }
        if outputs != size * self.spec.outputs.len() {
            return Err(KernelError::Rows(format!(
                "`outputs` must hold {} values; found {outputs}",
                size * self.spec.outputs.len()
            )));
        }
        Ok(())
    }

    fn chunk(&mut self, columns: &[&[f64]], groups: Option<&[i32]>, mut outputs: Vec<&mut [f64]>) {
        let Some(size) = outputs.first().map(|output| output.len()) else {
            let size = columns.first().map_or(0, |column| column.len());
            return self.stages(columns, groups, &mut [], size);
        };
        for (output, column) in &self.plan.echoes {
            for (to, value) in outputs[*output].iter_mut().zip(columns[*column]) {
                *to = clean(*value);
            }
        }
        self.stages(columns, groups, &mut outputs, size);
    }

    fn stages(
        &mut self,
        columns: &[&[f64]],
        groups: Option<&[i32]>,
        outputs: &mut [&mut [f64]],
        size: usize,
    ) {
        let mut shared = vec![vec![0.0; size]; self.plan.shared];
        let rows = size / self.instruments;
        let stages = std::mem::take(&mut self.plan.stages);
        for stage in &stages {
            self.run_along(stage, columns, &mut shared, outputs, rows);
            for step in &stage.across {
                self.run_across(step, columns, groups, &mut shared, outputs);
            }
        }
        self.plan.stages = stages;
    }

    fn threads(&self, results: usize) -> usize {
        let useful = results / RESULTS_PER_THREAD + 1;
        self.threads.min(THREADS_MOST).min(useful)
    }

    fn run_along(
        &mut self,
        stage: &Stage,
        columns: &[&[f64]],
        shared: &mut [Vec<f64>],
        outputs: &mut [&mut [f64]],
        rows: usize,
    ) {
        if stage.steps.is_empty() {
            return;
        }
        let instruments = self.instruments;
        let threads = self.threads(stage.steps.len() * rows * instruments);
        let per_thread = self.blocks.len().div_ceil(threads);
        let bounds: Vec<usize> = (1..=self.blocks.len().div_ceil(per_thread))
            .map(|part| (part * per_thread * LANES).min(instruments))
            .collect();
        // A stage writes some of the shared values and reads others.
        let mut written = vec![Vec::new(); shared.len()];
        for place in stage.writes() {
            written[place] = std::mem::take(&mut shared[place]);
        }
        let sources = Sources {
            values: self.values(columns, shared),
            instruments,
            rows,
        };
        let outputs = outputs.iter_mut().map(|output| &mut **output);
        let outputs = cut(outputs, instruments, &bounds);
        let waiting = cut(
            written.iter_mut().map(Vec::as_mut_slice),
            instruments,
            &bounds,
        );
        let parts = outputs.into_iter().zip(waiting);
        let parts = parts.map(|(outputs, shared)| Sinks { outputs, shared });
        while self.tiles.len() < bounds.len() {
            self.tiles
                .push(Tiles::new(self.plan.slots, self.blocks.len()));
        }
        let blocks = self.blocks.chunks_mut(per_thread);
        thread::scope(|scope| {
            let work = blocks.zip(parts).zip(&mut self.tiles).enumerate();
            for (part, ((blocks, mut sinks), tiles)) in work {
                let sources = &sources;
                let from = part * per_thread * LANES;
                let mut run = move || along(&stage.steps, blocks, from, sources, &mut sinks, tiles);
                if part + 1 == bounds.len() {
                    run();
                } else {
                    scope.spawn(run);
                }
            }
        });
        for place in stage.writes() {
            shared[place] = std::mem::take(&mut written[place]);
        }
    }

    /// For each value where it is; an empty slice for what only tiles hold.
    fn values<'a>(&self, columns: &[&'a [f64]], shared: &'a [Vec<f64>]) -> Vec<&'a [f64]> {
        let nodes = &self.plan.shared_place[self.spec.columns.len()..];
        let place = |place: &Option<usize>| place.map_or(&[][..], |place| &shared[place][..]);
        columns
            .iter()
            .copied()
            .chain(nodes.iter().map(place))
            .collect()
    }

    fn run_across(
        &self,
        step: &CrossStep,
        columns: &[&[f64]],
        groups: Option<&[i32]>,
        shared: &mut [Vec<f64>],
        outputs: &mut [&mut [f64]],
    ) {
        let Build::Cross(rule) = self.operators[step.node].build else {
            return;
        };
        let parameters = &self.spec.nodes[step.node].params;
        let values = self.values(columns, shared);
        let inputs: Vec<&[f64]> = step.inputs.iter().map(|input| values[*input]).collect();
        let instruments = self.instruments;
        let mut result = vec![0.0; inputs.first().map_or(0, |input| input.len())];
        let rows = result.len() / instruments;
        let per_thread = rows.div_ceil(self.threads(result.len())).max(1) * instruments;
        thread::scope(|scope| {
            for (part, result) in result.chunks_mut(per_thread).enumerate() {
                let from = part * per_thread;
                let to = from + result.len();
                let inputs: Vec<_> = inputs.iter().map(|input| &input[from..to]).collect();
                let mut run =
                    move || across(rule, parameters, &inputs, groups, instruments, result);
                if to == rows * instruments {
                    run();
                } else {
                    scope.spawn(run);
                }
            }
        });
        for target in &step.stores {
            match target {
                Target::Output(place) => outputs[*place].copy_from_slice(&result),
                Target::Shared(place) => shared[*place].copy_from_slice(&result),
            }
        }
    }

    /// The states, with the specification that they belong to.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(&self.spec, self.instruments, self.rows, &self.blocks)
    }

    /// Go on from a snapshot of the same specification and number of instruments.
    ///
    /// # Errors
    ///
    /// [`KernelError::Snapshot`] with what is wrong; the state is then as it was.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        let mut blocks = blocks(&self.spec, &self.operators, self.instruments);
        self.rows = snapshot::read(bytes, &self.spec, self.instruments, &mut blocks)?;
        self.blocks = blocks;
        Ok(())
    }
}

fn blocks(spec: &Spec, operators: &[Operator], instruments: usize) -> Vec<Block> {
    let block = |first: usize| {
        let lanes = LANES.min(instruments - first);
        let node = |(operator, node): (&Operator, &crate::plan::NodeSpec)| match operator.build {
            Build::Series(build) => Some(build(&node.params, lanes)),
            Build::Cross(_) => None,
        };
        Block {
            nodes: operators.iter().zip(&spec.nodes).map(node).collect(),
            lanes,
        }
    };
    (0..instruments).step_by(LANES).map(block).collect()
}
