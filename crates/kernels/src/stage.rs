//! One stage of a program over a chunk of rows: along time in tiles, then across instruments.

use crate::cross::{CrossRow, CrossScratch};
use crate::plan::{Step, Target};
use crate::series::{LANES, ROWS, SeriesNode, Tile};

/// No operator has more inputs.
const INPUTS_MOST: usize = 8;
/// Blocks that take turns node by node, so that results are written in long runs of each row: the
/// values of one block alone make memory wait for every one of their two cache lines.
const GROUP_MOST: usize = 16;
/// Tiles that a group may have in its slots; with more of them they would leave the cache.
const TILES_MOST: usize = 128;
/// Rows that are written block by block: as many as a cache line of a tile holds.
const STRIP: usize = 8;

/// The series nodes of neighbouring instruments; `None` stands for a node across instruments.
pub struct Block {
    pub nodes: Vec<Option<Box<dyn SeriesNode>>>,
    pub lanes: usize,
}

/// What the nodes of a group of blocks pass on.
pub struct Tiles {
    /// Blocks of a group.
    group: usize,
    /// For each slot the tiles of the blocks.
    slots: Vec<Vec<Tile>>,
}

impl Tiles {
    pub fn new(slots: usize, blocks: usize) -> Self {
        let group = (TILES_MOST / slots.max(1)).clamp(1, GROUP_MOST);
        Self {
            group,
            slots: vec![vec![Tile::new(); group.min(blocks)]; slots],
        }
    }
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
    tiles: &mut Tiles,
) {
    let Tiles { group, slots } = tiles;
    for (place, blocks) in blocks.chunks_mut(*group).enumerate() {
        let first = place * *group * LANES;
        for row in (0..sources.rows).step_by(ROWS) {
            let rows = ROWS.min(sources.rows - row);
            for step in steps {
                match step {
                    Step::Load { value, slot } => {
                        let at = row * sources.instruments + from + first;
                        let source = &sources.values[*value][at..];
                        for (place, (block, tile)) in
                            blocks.iter().zip(&mut slots[*slot]).enumerate()
                        {
                            let source = &source[place * LANES..];
                            load(source, sources.instruments, block.lanes, rows, tile);
                        }
                    }
                    Step::Run {
                        node,
                        inputs,
                        slot,
                        stores,
                    } => {
                        for (place, block) in blocks.iter_mut().enumerate() {
                            if let Some(node) = &mut block.nodes[*node] {
                                run(node.as_mut(), inputs, *slot, slots, place, rows);
                            }
                        }
                        for target in stores {
                            let sink = &mut sinks.of(*target)[row..row + rows];
                            store(blocks, &slots[*slot], first, sink);
                        }
                    }
                }
            }
        }
    }
}

/// Run a node of the block whose tiles stand at `place` in every slot.
fn run(
    node: &mut dyn SeriesNode,
    inputs: &[usize],
    slot: usize,
    slots: &mut [Vec<Tile>],
    place: usize,
    rows: usize,
) {
    let mut result = std::mem::take(&mut slots[slot][place]);
    let empty = Tile::default();
    let mut views: [&Tile; INPUTS_MOST] = [&empty; INPUTS_MOST];
    for (view, input) in views.iter_mut().zip(inputs) {
        *view = &slots[*input][place];
    }
    node.run(&views[..inputs.len()], &mut result, rows);
    slots[slot][place] = result;
}

/// Turn rows of instruments into runs of rows by instrument.
fn load(source: &[f64], instruments: usize, lanes: usize, rows: usize, tile: &mut Tile) {
    for (row, values) in source.chunks(instruments).take(rows.min(ROWS)).enumerate() {
        if let Some(values) = values.first_chunk::<LANES>()
            && let Some(runs) = tile.runs.first_chunk_mut::<LANES>()
            && lanes == LANES
        {
            for lane in 0..LANES {
                runs[lane][row] = values[lane];
            }
        } else {
            for (run, value) in tile.runs.iter_mut().zip(&values[..lanes]) {
                run[row] = *value;
            }
        }
    }
    tile.clean(lanes, rows);
}

/// The way back, for neighbouring blocks.
fn store(blocks: &[Block], tiles: &[Tile], first: usize, rows: &mut [&mut [f64]]) {
    for (strip, rows) in rows.chunks_mut(STRIP).enumerate() {
        for (place, (block, tile)) in blocks.iter().zip(tiles).enumerate() {
            let first = first + place * LANES;
            store_block(tile, strip * STRIP, first, block.lanes, rows);
        }
    }
}

/// The rows of a tile from one on.
fn store_block(tile: &Tile, from: usize, first: usize, lanes: usize, rows: &mut [&mut [f64]]) {
    for (row, values) in (from..ROWS).zip(rows) {
        let values = &mut values[first..];
        if let Some(values) = values.first_chunk_mut::<LANES>()
            && let Some(tile) = tile.runs.first_chunk::<LANES>()
            && lanes == LANES
        {
            for (value, run) in values.iter_mut().zip(tile) {
                *value = run[row];
            }
        } else {
            for (value, run) in values[..lanes].iter_mut().zip(&tile.runs) {
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
