//! Operators along time: the update of one instrument, and the loop over a tile of instruments.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::pack::{Fuse, Pack, Value, WIDTH};

/// Packs of a tile: results go to memory in whole cache lines, for rows hold instruments side by
/// side.
pub const PACKS: usize = 8;
/// Instruments of a tile.
pub const LANES: usize = PACKS * WIDTH;
/// Rows of a tile. Few enough that what the nodes of a program pass on stays in the cache.
pub const ROWS: usize = 32;

/// Values that a node passes on at a time, row by row.
#[derive(Clone)]
pub struct Tile {
    pub rows: Vec<[Pack; PACKS]>,
    /// Of each pack: no value is missing.
    pub defined: [bool; PACKS],
}

impl Tile {
    pub fn new() -> Self {
        Self {
            rows: vec![[Pack::default(); PACKS]; ROWS],
            defined: [false; PACKS],
        }
    }

    /// No rows, for where a tile is taken out.
    pub fn empty() -> Self {
        Self {
            rows: Vec::new(),
            defined: [false; PACKS],
        }
    }
}

/// The state of one instrument, or of a pack of them, and how the next row changes it.
pub trait Series<const N: usize, V = f64> {
    /// Take the next row, of which every value is finite. A result that is not finite counts as NaN.
    fn update(&mut self, inputs: [V; N]) -> V;
}

/// What the state of one instrument can do besides.
pub trait State: Clone + Default + Send + Sync + Serialize + DeserializeOwned + 'static {}

impl<S: Clone + Default + Send + Sync + Serialize + DeserializeOwned + 'static> State for S {}

/// A node of a program over the instruments of one tile.
pub trait SeriesNode: Send + Sync {
    /// Read `rows` rows of each instrument and write as many results.
    fn run(&mut self, inputs: &[&Tile], output: &mut Tile, rows: usize);
    /// Append the states to a snapshot.
    fn save(&self, bytes: &mut Vec<u8>);
    /// Take the states out of a snapshot; says what is wrong with it.
    fn load(&mut self, bytes: &mut &[u8]) -> Result<(), String>;
}

/// The value, or NaN for what is not finite. All our NaN have the same bits.
#[inline(always)]
pub fn clean(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

/// The rows of every input.
#[inline(always)]
fn views<'a, const N: usize>(inputs: &[&'a Tile], rows: usize) -> [&'a [[Pack; PACKS]]; N] {
    std::array::from_fn(|k| &inputs[k].rows[..rows])
}

/// One row of one instrument.
#[inline(always)]
fn step<const N: usize, S: Series<N>>(
    state: &mut S,
    inputs: &[&[[Pack; PACKS]]; N],
    row: usize,
    lane: usize,
) -> f64 {
    let mut values = [0.0; N];
    for (value, input) in values.iter_mut().zip(inputs) {
        *value = input[row][lane / WIDTH].0[lane % WIDTH];
    }
    if values.iter().any(|value| value.is_nan()) {
        f64::NAN
    } else {
        clean(state.update(values))
    }
}

/// Some instruments from some row on, each by itself. The compiler keeps a local state in registers,
/// which it cannot do behind a reference: so states are taken out for as long as they run. Two
/// instruments run at once, for most updates wait for the one before them, and the processor has time
/// for another meanwhile.
#[inline(never)]
fn run_single<const N: usize, S: Series<N> + State>(
    states: &mut [S],
    first: usize,
    inputs: &[&[[Pack; PACKS]]; N],
    output: &mut [[Pack; PACKS]],
    from: usize,
) {
    for (pair, states) in states.chunks_mut(2).enumerate() {
        let lane = first + 2 * pair;
        match states {
            [one, other] => {
                let (mut first, mut second) = (std::mem::take(one), std::mem::take(other));
                for (row, results) in output.iter_mut().enumerate().skip(from) {
                    let result = step(&mut first, inputs, row, lane);
                    results[lane / WIDTH].0[lane % WIDTH] = result;
                    let result = step(&mut second, inputs, row, lane + 1);
                    results[(lane + 1) / WIDTH].0[(lane + 1) % WIDTH] = result;
                }
                (*one, *other) = (first, second);
            }
            [last] => {
                let mut state = std::mem::take(last);
                for (row, results) in output.iter_mut().enumerate().skip(from) {
                    let result = step(&mut state, inputs, row, lane);
                    results[lane / WIDTH].0[lane % WIDTH] = result;
                }
                *last = state;
            }
            _ => {}
        }
    }
}

/// Whether no value of a pack is missing. A sum is NaN if any value was; where it is because of
/// values too large to add up, rows are looked at one by one, with the same results.
#[inline(always)]
pub fn all_defined(results: &[[Pack; PACKS]], pack: usize) -> bool {
    let mut sum = Pack::default();
    for row in results {
        sum = sum + row[pack];
    }
    !sum.0.iter().any(|sum| sum.is_nan())
}

fn encode<S: Serialize>(states: &[S], bytes: &mut Vec<u8>) {
    rmp_serde::encode::write(bytes, states).expect("our states encode");
}

fn decode<S: DeserializeOwned>(bytes: &mut &[u8], count: usize) -> Result<Vec<S>, String> {
    let states: Vec<S> = rmp_serde::from_read(bytes).map_err(|error| error.to_string())?;
    if states.len() == count {
        Ok(states)
    } else {
        Err("it has another number of instruments".to_owned())
    }
}

/// The states of the instruments of one tile, each by itself.
pub struct Lanes<const N: usize, S> {
    states: Vec<S>,
}

impl<const N: usize, S: Series<N> + State> Lanes<N, S> {
    pub fn new(state: S, count: usize) -> Self {
        Self {
            states: vec![state; count],
        }
    }
}

impl<const N: usize, S: Series<N> + State> SeriesNode for Lanes<N, S> {
    fn run(&mut self, inputs: &[&Tile], output: &mut Tile, rows: usize) {
        let inputs: [_; N] = views(inputs, rows);
        let results = &mut output.rows[..rows];
        run_single(&mut self.states, 0, &inputs, results, 0);
        let packs = self.states.len() / WIDTH;
        for (pack, defined) in output.defined.iter_mut().enumerate().take(packs) {
            *defined = all_defined(results, pack);
        }
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        encode(&self.states, bytes);
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Result<(), String> {
        self.states = decode(bytes, self.states.len())?;
        Ok(())
    }
}

/// The states of the instruments of one tile, in packs where they can be.
pub struct Packs<const N: usize, S: Fuse> {
    /// Of each full pack its state; `None` where each instrument has its own.
    wide: Vec<Option<S::Wide>>,
    /// Of each instrument; not valid where its pack has one.
    states: Vec<S>,
}

impl<const N: usize, S> Packs<N, S>
where
    S: Series<N> + State + Fuse,
    S::Wide: Series<N, Pack>,
{
    pub fn new(state: S, count: usize) -> Self {
        Self {
            wide: (0..count / WIDTH).map(|_| None).collect(),
            states: vec![state; count],
        }
    }

    /// Make one state of a pack's own ones, unless they stand at different places.
    #[inline(never)]
    fn fuse(&mut self, pack: usize) {
        let states = &mut self.states[pack * WIDTH..][..WIDTH];
        let mut all = [&states[0]; WIDTH];
        for (one, state) in all.iter_mut().zip(&*states) {
            *one = state;
        }
        self.wide[pack] = S::fuse(all);
        if self.wide[pack].is_some() {
            states.fill(S::default());
        }
    }

    /// Give each instrument of a pack its own state again.
    #[inline(never)]
    fn part(&mut self, pack: usize) {
        if let Some(wide) = self.wide[pack].take() {
            for (lane, state) in self.states[pack * WIDTH..][..WIDTH].iter_mut().enumerate() {
                *state = S::lane(&wide, lane);
            }
        }
    }

    /// Run a pack at once; the first row that was not, for only some instruments miss something there.
    #[inline(always)]
    fn run_wide(
        wide: &mut S::Wide,
        pack: usize,
        inputs: &[&[[Pack; PACKS]]; N],
        output: &mut [[Pack; PACKS]],
        defined: bool,
    ) -> usize {
        for (row, results) in output.iter_mut().enumerate() {
            let mut values = [Pack::default(); N];
            for (value, input) in values.iter_mut().zip(inputs) {
                *value = input[row][pack];
            }
            if !defined {
                let missing = |lane: &usize| values.iter().any(|value| value.0[*lane].is_nan());
                match (0..WIDTH).filter(missing).count() {
                    0 => {}
                    WIDTH => {
                        results[pack] = Pack::of(f64::NAN);
                        continue;
                    }
                    _ => return row,
                }
            }
            results[pack] = wide.update(values).map(clean);
        }
        output.len()
    }
}

impl<const N: usize, S> SeriesNode for Packs<N, S>
where
    S: Series<N> + State + Fuse,
    S::Wide: Series<N, Pack> + Send + Sync,
{
    fn run(&mut self, inputs: &[&Tile], output: &mut Tile, rows: usize) {
        let views: [_; N] = views(inputs, rows);
        let results = &mut output.rows[..rows];
        for pack in 0..self.wide.len() {
            let defined = inputs[..N].iter().all(|input| input.defined[pack]);
            if defined && self.wide[pack].is_none() {
                self.fuse(pack);
            }
            let done = match &mut self.wide[pack] {
                Some(wide) => Self::run_wide(wide, pack, &views, results, defined),
                None => 0,
            };
            if done < rows {
                self.part(pack);
                let states = &mut self.states[pack * WIDTH..][..WIDTH];
                run_single(states, pack * WIDTH, &views, results, done);
            }
            output.defined[pack] = all_defined(results, pack);
        }
        let rest = self.wide.len() * WIDTH;
        run_single(&mut self.states[rest..], rest, &views, results, 0);
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        let mut states = self.states.clone();
        for (wide, states) in self.wide.iter().zip(states.chunks_mut(WIDTH)) {
            for (lane, state) in states.iter_mut().enumerate() {
                if let Some(wide) = wide {
                    *state = S::lane(wide, lane);
                }
            }
        }
        encode(&states, bytes);
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Result<(), String> {
        self.states = decode(bytes, self.states.len())?;
        self.wide.fill_with(|| None);
        Ok(())
    }
}
