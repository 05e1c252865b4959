//! Instruments that are updated together, as a pack, give what each gives that is alone.

mod common;

use common::{bits, parameters};
use proptest::prelude::*;
use quantvista_kernels::{NodeSpec, Operator, Program, Spec, operators};

/// No operator has more inputs.
const COLUMNS_MOST: usize = 6;
/// Whole packs and some instruments beside them, over more rows than a tile has.
const TOGETHER: usize = 19;
const TOGETHER_ROWS: usize = 90;

/// Values without gaps but for a few: of one instrument, or of all in that row.
#[derive(Debug, Clone)]
struct Together {
    cells: Vec<f64>,
    gaps: Vec<(usize, Option<usize>)>,
    seed: u64,
}

fn together() -> impl Strategy<Value = Together> {
    let cell = prop_oneof![
        200 => 50.0..150.0,
        3 => prop::sample::select(vec![100.0, 0.0, -0.0, -3.0]),
        1 => prop::sample::select(vec![f64::MAX, f64::MIN, 1e300, -1e160, 5e-324]),
    ];
    let cells = prop::collection::vec(cell, TOGETHER * TOGETHER_ROWS * COLUMNS_MOST);
    let calm = prop::collection::vec(90.0..110.0, TOGETHER * TOGETHER_ROWS * COLUMNS_MOST);
    let gap = (0..TOGETHER_ROWS, prop::option::of(0..TOGETHER));
    let gaps = prop::collection::vec(gap, 0..4);
    let cells = prop_oneof![1 => calm.boxed(), 1 => cells.boxed()];
    (cells, gaps, any::<u64>()).prop_map(|(cells, gaps, seed)| Together { cells, gaps, seed })
}

impl Together {
    /// Each column of the operator, (rows, instruments).
    fn columns(&self, operator: &Operator) -> Vec<Vec<f64>> {
        let size = TOGETHER * TOGETHER_ROWS;
        let columns = self.cells.chunks(size).take(operator.inputs.len());
        let mut columns: Vec<Vec<f64>> = columns.map(<[f64]>::to_vec).collect();
        for (row, instrument) in &self.gaps {
            for column in columns.iter_mut().take(1) {
                let row = &mut column[row * TOGETHER..][..TOGETHER];
                match instrument {
                    Some(instrument) => row[*instrument] = f64::NAN,
                    None => row.fill(f64::NAN),
                }
            }
        }
        columns
    }
}

/// The operator, and once more on its own result.
fn twice(operator: &Operator, params: &[f64], instruments: usize) -> Program {
    let columns = operator.inputs.len();
    let node = |inputs: Vec<usize>| NodeSpec {
        op: operator.name.to_owned(),
        inputs,
        params: params.to_vec(),
    };
    let again = (0..columns).map(|i| if i == 0 { columns } else { i });
    let spec = Spec {
        columns: (0..columns).map(|column| column.to_string()).collect(),
        nodes: vec![node((0..columns).collect()), node(again.collect())],
        outputs: vec![columns, columns + 1],
    };
    Program::new(spec, instruments).expect("a program of one operator")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Instruments that are updated at once give what each gives that is alone.
    #[test]
    fn packs_are_as_instruments_by_themselves(case in together()) {
        for (place, operator) in (0_u64..).zip(operators()) {
            if operator.is_cross() || operator.inputs.is_empty() {
                continue;
            }
            let params = parameters(operator, case.seed.wrapping_add(place));
            let columns = case.columns(operator);
            let mut all = vec![0.0; 2 * TOGETHER * TOGETHER_ROWS];
            let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let mut program = twice(operator, &params, TOGETHER);
            program.advance(&views, TOGETHER_ROWS, None, &mut all).expect("rows that fit");
            for instrument in 0..TOGETHER {
                let of = |values: &[f64]| -> Vec<f64> {
                    values.chunks(TOGETHER).map(|row| row[instrument]).collect()
                };
                let own: Vec<Vec<f64>> = columns.iter().map(|column| of(column)).collect();
                let own: Vec<&[f64]> = own.iter().map(Vec::as_slice).collect();
                let mut alone = vec![0.0; 2 * TOGETHER_ROWS];
                let mut program = twice(operator, &params, 1);
                program.advance(&own, TOGETHER_ROWS, None, &mut alone).expect("rows that fit");
                prop_assert_eq!(bits(&of(&all)), bits(&alone), "{} of {}", operator.name, instrument);
            }
        }
    }
}

/// More instruments than a tile holds: each result lands where its instrument is.
#[test]
fn tiles_lie_side_by_side() {
    const MANY: usize = 150;
    const ROWS: usize = 70;
    let cells: Vec<f64> = (0..3 * MANY * ROWS)
        .map(|place| {
            let step = u32::try_from(place * 7_919 % 10_007).expect("below 10,007");
            90.0 + f64::from(step) / 500.0
        })
        .collect();
    let columns: Vec<&[f64]> = cells.chunks(MANY * ROWS).collect();
    for name in ["sqrt", "mean", "std", "ema", "plus_di", "median"] {
        let operator = quantvista_kernels::operator(name).expect("an operator of ours");
        let params = parameters(operator, 3);
        let run = |columns: &[&[f64]], instruments: usize| {
            let mut result = vec![0.0; 2 * ROWS * instruments];
            let mut program = twice(operator, &params, instruments).with_threads(1);
            let columns = &columns[..operator.inputs.len()];
            program
                .advance(columns, ROWS, None, &mut result)
                .expect("rows that fit");
            result
        };
        let all = run(&columns, MANY);
        for instrument in 0..MANY {
            let of = |values: &[f64]| -> Vec<f64> {
                values.chunks(MANY).map(|row| row[instrument]).collect()
            };
            let own: Vec<Vec<f64>> = columns.iter().map(|column| of(column)).collect();
            let own: Vec<&[f64]> = own.iter().map(Vec::as_slice).collect();
            assert_eq!(
                bits(&of(&all)),
                bits(&run(&own, 1)),
                "{name} of {instrument}"
            );
        }
    }
}
