//! One stage of a program over a chunk of rows: along time in tiles, then across instruments.

use crate::cross::{CrossRow, CrossScratch};
use crate::plan::{Step, Target};
use crate::series::{LANES, ROWS, SeriesNode, Tile, clean};

/// No operator has more inputs.
const INPUTS_MOST: usize = 8;

/// The series nodes of neighbouring instruments; `None` stands for a node across instruments.
pub struct Block {
    pub nodes: Vec<Option<Box<dyn SeriesNode>>>,
    pub lanes: usize,
}

/// Where the values are that a stage reads: one slice (rows, instruments) for each value.
pub struct Sources<'a> {
    pub values: Vec<&'a [f64]>,
    pub instruments: usize,
    pub rows: usize,
}

/// The part of the rows that one thread writes: for every target its rows, cut to its instruments.
pub struct Sinks<'a> {
    pub outputs: Vec<Vec<&'a mut [f64]>>,
    pub shared: Vec<Vec<&'a mut [f64]>>,
}

impl<'a> Sinks<'a> {
    fn of(&mut self, target: Target) -> &mut Vec<&'a mut [f64]> {
        match target {
            Target::Output(place) => &mut self.outputs[place],
            Target::Shared(place) => &mut self.shared[place],
        }
    }
}

/// Cut each row of the buffers at the bounds: for each part, for each buffer, its pieces.
pub fn cut<'a>(
    buffers: impl Iterator<Item = &'a mut [f64]>,
    instruments: usize,
    bounds: &[usize],
) -> Vec<Vec<Vec<&'a mut [f64]>>> {
    let mut parts: Vec<Vec<Vec<&mut [f64]>>> = bounds.iter().map(|_| Vec::new()).collect();
    for buffer in buffers {
        for part in &mut parts {
            part.push(Vec::with_capacity(buffer.len() / instruments));
        }
        for mut row in buffer.chunks_exact_mut(instruments) {
            let mut from = 0;
            for (bound, part) in bounds.iter().zip(&mut parts) {
                let (head, rest) = row.split_at_mut(bound - from);
                if let Some(pieces) = part.last_mut() {
                    pieces.push(head);
                }
                row = rest;
                from = *bound;
            }
        }
    }
    parts
}

/// Run the series nodes of a stage for some blocks, of which the first begins at instrument `from`.
pub fn along(
    steps: &[Step],
    blocks: &mut [Block],
    from: usize,
    sources: &Sources<'_>,
    sinks: &mut Sinks<'_>,
    tiles: &mut [Tile],
) {
    for (place, block) in blocks.iter_mut().enumerate() {
        let first = place * LANES;
        let lanes = block.lanes;
        let mut row = 0;
        while row < sources.rows {
            let rows = ROWS.min(sources.rows - row);
            for step in steps {
                match step {
                    Step::Load { value, slot } => {
                        let at = row * sources.instruments + from + first;
                        let source = &sources.values[*value][at..];
                        load(source, sources.instruments, lanes, rows, &mut tiles[*slot]);
                    }
                    Step::Run {
                        node,
                        inputs,
                        slot,
                        stores,
                    } => {
                        let mut result = std::mem::take(&mut tiles[*slot]);
                        let empty = Tile::new();
                        let mut views: [&Tile; INPUTS_MOST] = [&empty; INPUTS_MOST];
                        for (view, input) in views.iter_mut().zip(inputs) {
                            *view = &tiles[*input];
                        }
                        if let Some(node) = &mut block.nodes[*node] {
                            node.run(&views[..inputs.len()], &mut result, rows);
                        }
                        for target in stores {
                            let sink = &mut sinks.of(*target)[row..row + rows];
                            store(&result, first, lanes, sink);
                        }
                        tiles[*slot] = result;
                    }
                }
            }
            row += rows;
        }
    }
}

/// Turn rows of instruments into runs of rows by instrument.
fn load(source: &[f64], instruments: usize, lanes: usize, rows: usize, tile: &mut Tile) {
    for (row, values) in source.chunks(instruments).take(rows.min(ROWS)).enumerate() {
        if let Some(values) = values.first_chunk::<LANES>()
            && let Some(tile) = tile.first_chunk_mut::<LANES>()
            && lanes == LANES
        {
            for lane in 0..LANES {
                tile[lane][row] = clean(values[lane]);
            }
        } else {
            for (run, value) in tile.iter_mut().zip(&values[..lanes]) {
                run[row] = clean(*value);
            }
        }
    }
}

/// The way back.
fn store(tile: &Tile, first: usize, lanes: usize, rows: &mut [&mut [f64]]) {
    for (row, values) in rows.iter_mut().take(ROWS).enumerate() {
        let values = &mut values[first..];
        if let Some(values) = values.first_chunk_mut::<LANES>()
            && let Some(tile) = tile.first_chunk::<LANES>()
            && lanes == LANES
        {
            for (value, run) in values.iter_mut().zip(tile) {
                *value = run[row];
            }
        } else {
            for (value, run) in values[..lanes].iter_mut().zip(tile) {
                *value = run[row];
            }
        }
    }
}

/// Run one node across instruments, row by row.
pub fn across(
    run: crate::cross::CrossRule,
    parameters: &[f64],
    inputs: &[&[f64]],
    groups: Option<&[i32]>,
    instruments: usize,
    result: &mut [f64],
) {
    let mut scratch = CrossScratch::default();
    for (row, result) in result.chunks_exact_mut(instruments).enumerate() {
        let mut views: [&[f64]; INPUTS_MOST] = [&[]; INPUTS_MOST];
        for (view, input) in views.iter_mut().zip(inputs) {
            *view = &input[row * instruments..][..instruments];
        }
        let members = CrossRow {
            inputs: &views[..inputs.len()],
            groups,
            parameters,
        };
        run(&members, &mut scratch, result);
    }
}
