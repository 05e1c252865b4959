//! Programs of many operators and instruments: how they are divided does not show.

use proptest::prelude::*;
use quantvista_kernels::{NodeSpec, Operator, Program, Spec, operators};

use super::{INSTRUMENTS, bits, case, parameters, walk};

#[test]
fn threads_do_not_show() {
    const MANY: usize = 203;
    const ROWS: usize = 700;
    let columns: Vec<&str> = vec!["a", "b", "c", "d", "e", "f"];
    let cells: Vec<f64> = walk(&["close"], MANY * ROWS * columns.len()).concat();
    let views: Vec<&[f64]> = cells.chunks(MANY * ROWS).collect();
    let node = |operator: &'static Operator| NodeSpec {
        op: operator.name.to_owned(),
        inputs: (0..operator.inputs.len()).collect(),
        params: parameters(operator, 5),
    };
    let mut nodes: Vec<NodeSpec> = operators().map(node).collect();
    for input in 0..operators().count() {
        let (op, params) = if input % 7 == 0 {
            ("rank", vec![])
        } else {
            ("ema", vec![3.0])
        };
        nodes.push(NodeSpec {
            op: op.to_owned(),
            inputs: vec![columns.len() + input],
            params,
        });
    }
    let spec = Spec {
        outputs: (0..columns.len() + nodes.len()).collect(),
        columns: columns.into_iter().map(str::to_owned).collect(),
        nodes,
    };
    let run = |threads: usize| {
        let mut program = Program::new(spec.clone(), MANY)
            .expect("a program")
            .with_threads(threads);
        let mut result = vec![0.0; spec.outputs.len() * ROWS * MANY];
        program
            .advance(&views, ROWS, None, &mut result)
            .expect("rows");
        bits(&result)
    };
    let one = run(1);
    assert!(one == run(2));
    assert!(one == run(8));
}

/// More instruments than are written together, in more rows than a tile has.
#[test]
fn instruments_side_by_side_are_as_each_alone() {
    const MANY: usize = 300;
    const ROWS: usize = 150;
    let names = ["high", "low", "close"];
    let node = |op: &str, inputs: &[usize], params: &[f64]| NodeSpec {
        op: op.to_owned(),
        inputs: inputs.to_vec(),
        params: params.to_vec(),
    };
    let spec = Spec {
        columns: names.map(str::to_owned).to_vec(),
        nodes: vec![
            node("atr", &[0, 1, 2], &[14.0]),
            node("mean", &[3], &[5.0]),
            node("delta", &[2], &[9.0]),
        ],
        outputs: vec![4, 5],
    };
    let columns = walk(&names, MANY * ROWS);
    let run = |columns: &[Vec<f64>], instruments: usize| {
        let mut program = Program::new(spec.clone(), instruments).expect("a program");
        let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut result = vec![0.0; 2 * ROWS * instruments];
        program
            .advance(&views, ROWS, None, &mut result)
            .expect("rows");
        bits(&result)
    };
    let together = run(&columns, MANY);
    for instrument in 0..MANY {
        let columns: Vec<Vec<f64>> = columns.iter().map(|c| own(c, instrument, MANY)).collect();
        let found = own(&together, instrument, MANY);
        assert!(run(&columns, 1) == found, "instrument {instrument}");
    }
}

/// The values of one instrument out of those of `many`.
fn own<T: Copy>(values: &[T], instrument: usize, many: usize) -> Vec<T> {
    let values = values.iter().skip(instrument);
    values.step_by(many).copied().collect()
}

/// A program of operators on bars, all of the same window.
fn on_bars(names: &[&str], window: f64) -> Program {
    let node = |name: &&str| NodeSpec {
        op: (*name).to_owned(),
        inputs: vec![0, 1, 2],
        params: vec![window],
    };
    let spec = Spec {
        columns: ["high", "low", "close"].map(str::to_owned).to_vec(),
        nodes: names.iter().map(node).collect(),
        outputs: (3..3 + names.len()).collect(),
    };
    Program::new(spec, INSTRUMENTS).expect("a program of bars")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Some take results of others, which must not show, be the run in one piece or restarted.
    #[test]
    fn operators_together_are_as_each_alone(case in case(), window in 1..8_u8) {
        let names = &["atr", "natr", "plus_di", "minus_di", "dx", "adx"];
        let together = case.advance(&mut on_bars(names, window.into()), 0, case.rows);
        let restarted = case.chunked(&mut on_bars(names, window.into()), &case.cuts, |program| {
            let snapshot = program.snapshot();
            *program = on_bars(names, window.into());
            program.restore(&snapshot).expect("a snapshot of our own");
        });
        prop_assert_eq!(bits(&together), bits(&restarted));
        for (name, found) in names.iter().zip(together.chunks(case.rows * INSTRUMENTS)) {
            let alone = case.advance(&mut on_bars(&[name], window.into()), 0, case.rows);
            prop_assert_eq!(bits(&alone), bits(found), "{}", name);
        }
    }
}
