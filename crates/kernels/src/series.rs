//! Operators along time: the update of one instrument, and the loop over a tile of instruments.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Instruments of a tile: two cache lines of each row, since rows hold instruments side by side.
pub const LANES: usize = 16;
/// Rows of a tile. Short enough that what the nodes of a program pass on stays in the cache.
pub const ROWS: usize = 128;
/// Values that a node passes on at a time: [`LANES`] runs of rows, one for each instrument.
pub type Tile = Vec<[f64; ROWS]>;

pub fn tile() -> Tile {
    vec![[0.0; ROWS]; LANES]
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

/// One row of one instrument.
#[inline(always)]
fn step<const N: usize, S: Series<N>>(
    state: &mut S,
    inputs: &[&[f64; ROWS]; N],
    row: usize,
) -> f64 {
    let mut values = [0.0; N];
    for (value, input) in values.iter_mut().zip(inputs) {
        *value = input[row];
    }
    if values.iter().any(|value| value.is_nan()) {
        f64::NAN
    } else {
        clean(state.update(values))
    }
}

/// The runs of one instrument.
#[inline(always)]
fn runs<'a, const N: usize>(inputs: &[&'a Tile], lane: usize) -> [&'a [f64; ROWS]; N] {
    std::array::from_fn(|k| &inputs[k][lane])
}

// The compiler keeps a local state in registers, which it cannot do behind a reference: so states
// are taken out for as long as they run. Two instruments run at once, for most updates wait for the
// one before them, and the processor has time for another meanwhile.
impl<const N: usize, S: Series<N>> SeriesNode for Lanes<N, S> {
    fn run(&mut self, inputs: &[&Tile], output: &mut Tile, rows: usize) {
        let rows = 0..rows.min(ROWS);
        let both = self.states.chunks_mut(2).zip(output.chunks_mut(2));
        for (pair, (states, results)) in both.enumerate() {
            match (states, results) {
                ([one, other], [one_result, other_result]) => {
                    let (mut first, mut second) = (std::mem::take(one), std::mem::take(other));
                    let one_inputs: [_; N] = runs(inputs, 2 * pair);
                    let other_inputs: [_; N] = runs(inputs, 2 * pair + 1);
                    for row in rows.clone() {
                        one_result[row] = step(&mut first, &one_inputs, row);
                        other_result[row] = step(&mut second, &other_inputs, row);
                    }
                    (*one, *other) = (first, second);
                }
                ([last], [result, ..]) => {
                    let mut state = std::mem::take(last);
                    let inputs: [_; N] = runs(inputs, 2 * pair);
                    for row in rows.clone() {
                        result[row] = step(&mut state, &inputs, row);
                    }
                    *last = state;
                }
                _ => {}
            }
        }
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
