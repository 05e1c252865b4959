//! Operators along time: the update of one instrument, and the loop over a tile of instruments.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Instruments of a tile: two cache lines of each row, since rows hold instruments side by side.
pub const LANES: usize = 16;
/// Rows of a tile. Short enough that what the nodes of a program pass on stays in the cache.
pub const ROWS: usize = 128;

/// Values that a node passes on at a time.
#[derive(Clone, Default)]
pub struct Tile {
    /// [`LANES`] runs of rows, one for each instrument.
    pub runs: Vec<[f64; ROWS]>,
    /// By instrument, whether no value is missing.
    whole: [bool; LANES],
}

impl Tile {
    pub fn new() -> Self {
        Self {
            runs: vec![[0.0; ROWS]; LANES],
            whole: [false; LANES],
        }
    }

    /// Make what is not finite NaN, and keep in mind which of the first runs have none.
    pub fn clean(&mut self, lanes: usize, rows: usize) {
        for (run, whole) in self.runs.iter_mut().zip(&mut self.whole).take(lanes) {
            let run = &mut run[..rows];
            *whole = all_finite(run);
            if !*whole {
                for value in run {
                    *value = clean(*value);
                }
            }
        }
    }
}

/// The state of one instrument, and how the next row changes it.
pub trait Series<const N: usize>:
    Clone + Default + Send + Sync + Serialize + DeserializeOwned + 'static
{
    /// Take the next row, of which every value is finite. A result that is not finite counts as NaN.
    fn update(&mut self, inputs: [f64; N]) -> f64;
}

/// A node of a program over the instruments of one tile.
pub trait SeriesNode: Send + Sync {
    /// Read `rows` rows of each instrument and write as many results.
    fn run(&mut self, inputs: &[&Tile], output: &mut Tile, rows: usize);
    /// Append the states to a snapshot.
    fn save(&self, bytes: &mut Vec<u8>);
    /// Take the states out of a snapshot; says what is wrong with it.
    fn load(&mut self, bytes: &mut &[u8]) -> Result<(), String>;
}

/// The states of the instruments of one tile.
pub struct Lanes<const N: usize, S> {
    states: Vec<S>,
}

impl<const N: usize, S: Series<N>> Lanes<N, S> {
    pub fn new(state: S, count: usize) -> Self {
        Self {
            states: vec![state; count],
        }
    }
}

/// The value, or NaN for what is not finite. All our NaN have the same bits.
#[inline(always)]
pub fn clean(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

/// Whether all are finite. A value times 0 is 0 then, or else NaN, and so is the sum; four sums at once
/// are quickest.
#[inline(always)]
fn all_finite(values: &[f64]) -> bool {
    let (quads, rest) = values.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for quad in quads {
        for (sum, value) in sums.iter_mut().zip(quad) {
            *sum += value * 0.0;
        }
    }
    let rest: f64 = rest.iter().map(|value| value * 0.0).sum();
    !((sums[0] + sums[1]) + (sums[2] + sums[3]) + rest).is_nan()
}

/// One row of one instrument; with a missing value it gives NaN and changes nothing.
#[inline(always)]
fn step<const WHOLE: bool, const N: usize, S: Series<N>>(
    state: &mut S,
    inputs: &[&[f64; ROWS]; N],
    row: usize,
) -> f64 {
    let mut values = [0.0; N];
    for (value, input) in values.iter_mut().zip(inputs) {
        *value = input[row];
    }
    if !WHOLE && values.iter().any(|value| value.is_nan()) {
        f64::NAN
    } else {
        state.update(values)
    }
}

/// The runs of one instrument.
#[inline(always)]
fn runs<'a, const N: usize>(inputs: &[&'a Tile], lane: usize) -> [&'a [f64; ROWS]; N] {
    std::array::from_fn(|k| &inputs[k].runs[lane])
}

// The compiler keeps a local state in registers, which it cannot do behind a reference: so states
// are taken out for as long as they run. Two instruments run at once, for most updates wait for the
// one before them, and the processor has time for another meanwhile.
#[inline(never)]
fn run_two<const WHOLE: bool, const N: usize, S: Series<N>>(
    [one, other]: [&mut S; 2],
    [one_inputs, other_inputs]: [[&[f64; ROWS]; N]; 2],
    [one_results, other_results]: [&mut [f64; ROWS]; 2],
    rows: usize,
) {
    let (mut first, mut second) = (std::mem::take(one), std::mem::take(other));
    for row in 0..rows.min(ROWS) {
        one_results[row] = step::<WHOLE, N, S>(&mut first, &one_inputs, row);
        other_results[row] = step::<WHOLE, N, S>(&mut second, &other_inputs, row);
    }
    (*one, *other) = (first, second);
}

impl<const N: usize, S: Series<N>> SeriesNode for Lanes<N, S> {
    fn run(&mut self, inputs: &[&Tile], output: &mut Tile, rows: usize) {
        let whole = |lane: usize| inputs[..N].iter().all(|input| input.whole[lane]);
        let pairs = self.states.chunks_mut(2).zip(output.runs.chunks_mut(2));
        for (pair, (states, results)) in pairs.enumerate() {
            let lane = 2 * pair;
            match (states, results) {
                ([one, other], [first, second]) => {
                    let inputs = [runs(inputs, lane), runs(inputs, lane + 1)];
                    if whole(lane) && whole(lane + 1) {
                        run_two::<true, N, S>([one, other], inputs, [first, second], rows);
                    } else {
                        run_two::<false, N, S>([one, other], inputs, [first, second], rows);
                    }
                }
                ([last], [results, ..]) => {
                    let mut state = std::mem::take(last);
                    let inputs = runs(inputs, lane);
                    for (row, result) in results.iter_mut().enumerate().take(rows) {
                        *result = step::<false, N, S>(&mut state, &inputs, row);
                    }
                    *last = state;
                }
                _ => {}
            }
        }
        output.clean(self.states.len(), rows);
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        rmp_serde::encode::write(bytes, &self.states).expect("our states encode");
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Result<(), String> {
        let states: Vec<S> = rmp_serde::from_read(bytes).map_err(|error| error.to_string())?;
        if states.len() != self.states.len() {
            return Err("it has another number of instruments".to_owned());
        }
        self.states = states;
        Ok(())
    }
}
