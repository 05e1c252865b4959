//! Every operator of the table: however a run is cut, it gives the same bits.

mod programs;

use proptest::prelude::*;
use quantvista_kernels::{Kind, Memory, NodeSpec, Operator, Program, Spec, operators};

/// More than a tile has room for, so that some instruments share one that is not full.
const INSTRUMENTS: usize = 19;

/// Parameters within their limits, small where the limits are wide.
fn parameters(operator: &Operator, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        f64::from(u32::try_from(state >> 33).expect("31 bits")) / f64::from(1_u32 << 31)
    };
    for _ in 0..1000 {
        let value = |parameter: &quantvista_kernels::Parameter| {
            let most = parameter.most.min(parameter.least.max(-10.0) + 20.0);
            let least = parameter.least.max(-10.0);
            let value = least + next() * (most - least);
            match parameter.kind {
                Kind::Int => value.floor(),
                Kind::Float => value,
            }
        };
        let found: Vec<f64> = operator.parameters.iter().map(value).collect();
        if operator.check(&found).is_ok() {
            return found;
        }
    }
    panic!("no parameters for `{}`", operator.name);
}

fn columns_of(operator: &Operator) -> Vec<String> {
    operator
        .inputs
        .iter()
        .map(|&name| name.to_owned())
        .collect()
}

/// The operator on columns of its own, once more on its own result, and ranked across.
fn program(operator: &Operator, seed: u64, instruments: usize) -> Program {
    let columns = operator.inputs.len();
    let node = |op: &str, inputs: Vec<usize>, params: Vec<f64>| NodeSpec {
        op: op.to_owned(),
        inputs,
        params,
    };
    let params = parameters(operator, seed);
    let again: Vec<usize> = (0..columns)
        .map(|i| if i == 0 { columns } else { i })
        .collect();
    let nodes = vec![
        node(operator.name, (0..columns).collect(), params.clone()),
        node(operator.name, again, params),
        node("rank", vec![columns], vec![]),
        node("mean", vec![columns + 2], vec![3.0]),
    ];
    let spec = Spec {
        columns: columns_of(operator),
        nodes,
        outputs: vec![columns, columns + 1, columns + 3],
    };
    Program::new(spec, instruments).expect("a program of one operator")
}

fn hostile() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => 50.0..150.0,
        2 => -10.0..10.0,
        2 => prop::sample::select(vec![1.0, 2.0, 100.0, 0.0]),
        1 => Just(f64::NAN),
        1 => prop::sample::select(vec![
            f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 1e300, -1e300, 1e-310, 5e-324, -0.0,
            1e160, 1e-160,
        ]),
    ]
}

/// Prices with gaps, or anything at all.
fn cell() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 90.0..110.0, 1 => Just(100.0), 1 => Just(f64::NAN)]
}

#[derive(Debug, Clone)]
struct Case {
    rows: usize,
    cells: Vec<f64>,
    cuts: Vec<usize>,
    seed: u64,
    groups: Vec<i32>,
}

const COLUMNS_MOST: usize = 6;

fn case() -> impl Strategy<Value = Case> {
    (1..60_usize, any::<bool>()).prop_flat_map(|(rows, calm)| {
        let size = rows * INSTRUMENTS * COLUMNS_MOST;
        let cells = if calm {
            prop::collection::vec(cell().boxed(), size)
        } else {
            prop::collection::vec(hostile().boxed(), size)
        };
        let cuts = prop::collection::vec(0..=rows, 0..4);
        let groups = prop::collection::vec(-1..3, INSTRUMENTS);
        (cells, cuts, any::<u64>(), groups).prop_map(move |(cells, mut cuts, seed, groups)| {
            cuts.push(0);
            cuts.push(rows);
            cuts.sort_unstable();
            Case {
                rows,
                cells,
                cuts,
                seed,
                groups,
            }
        })
    })
}

impl Case {
    fn column(&self, column: usize) -> &[f64] {
        let size = self.rows * INSTRUMENTS;
        &self.cells[column * size..][..size]
    }

    /// Rows `from..to` of every output, one output after another.
    fn advance(&self, program: &mut Program, from: usize, to: usize) -> Vec<f64> {
        let columns: Vec<&[f64]> = (0..program.spec().columns.len())
            .map(|column| &self.column(column)[from * INSTRUMENTS..to * INSTRUMENTS])
            .collect();
        let outputs = program.spec().outputs.len();
        let mut result = vec![0.0; outputs * (to - from) * INSTRUMENTS];
        program
            .advance(&columns, to - from, Some(&self.groups), &mut result)
            .expect("sizes that fit");
        result
    }

    /// The whole run in chunks, with something done to the program between them.
    fn chunked(
        &self,
        program: &mut Program,
        cuts: &[usize],
        between: impl Fn(&mut Program),
    ) -> Vec<f64> {
        let outputs = program.spec().outputs.len();
        let mut whole = vec![Vec::new(); outputs];
        for pair in cuts.windows(2) {
            let part = self.advance(program, pair[0], pair[1]);
            let size = (pair[1] - pair[0]) * INSTRUMENTS;
            for (output, rows) in whole.iter_mut().zip(part.chunks(size.max(1))) {
                output.extend_from_slice(rows);
            }
            between(program);
        }
        whole.concat()
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// All operators, in the order of the table, with a seed that differs.
fn each(
    case: &Case,
    test: impl Fn(&'static Operator, u64) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    for (place, operator) in (0_u64..).zip(operators()) {
        test(operator, case.seed.wrapping_add(place))?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn however_a_run_is_cut_the_bits_are_the_same(case in case()) {
        each(&case, |operator, seed| {
            let new = || program(operator, seed, INSTRUMENTS);
            let batch = case.advance(&mut new(), 0, case.rows);
            let chunked = case.chunked(&mut new(), &case.cuts, |_| ());
            prop_assert_eq!(bits(&batch), bits(&chunked), "{} in chunks", operator.name);

            let single: Vec<usize> = (0..=case.rows).collect();
            let streamed = case.chunked(&mut new(), &single, |_| ());
            prop_assert_eq!(bits(&batch), bits(&streamed), "{} by rows", operator.name);

            let restarted = case.chunked(&mut new(), &case.cuts, |program| {
                let snapshot = program.snapshot();
                let rows = program.rows();
                *program = new();
                program.restore(&snapshot).expect("a snapshot of our own");
                assert_eq!(program.rows(), rows);
            });
            prop_assert_eq!(bits(&batch), bits(&restarted), "{} restarted", operator.name);
            Ok(())
        })?;
    }

    #[test]
    fn permuted_instruments_permute_results(case in case(), turn in 1..INSTRUMENTS) {
        let from = |instrument: usize| (instrument * 7 + turn) % INSTRUMENTS;
        let permute = |values: &[f64]| -> Vec<f64> {
            let row = |row: &[f64]| (0..INSTRUMENTS).map(|i| row[from(i)]).collect::<Vec<_>>();
            values.chunks(INSTRUMENTS).flat_map(row).collect()
        };
        let mut permuted = case.clone();
        permuted.cells = permute(&case.cells);
        permuted.groups = (0..INSTRUMENTS).map(|i| case.groups[from(i)]).collect();
        each(&case, |operator, seed| {
            let before = case.advance(&mut program(operator, seed, INSTRUMENTS), 0, case.rows);
            let after = permuted.advance(&mut program(operator, seed, INSTRUMENTS), 0, case.rows);
            prop_assert_eq!(bits(&permute(&before)), bits(&after), "{}", operator.name);
            Ok(())
        })?;
    }

    #[test]
    fn the_future_changes_nothing_before(case in case(), share in 0.0..1.0) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let until = (share * case.rows as f64) as usize;
        let mut other = case.clone();
        for column in 0..COLUMNS_MOST {
            for row in until..case.rows {
                for instrument in 0..INSTRUMENTS {
                    let at = (column * case.rows + row) * INSTRUMENTS + instrument;
                    other.cells[at] = 1.0 + other.cells[(at * 31) % other.cells.len()];
                }
            }
        }
        each(&case, |operator, seed| {
            let known = case.advance(&mut program(operator, seed, INSTRUMENTS), 0, case.rows);
            let changed = other.advance(&mut program(operator, seed, INSTRUMENTS), 0, case.rows);
            let size = case.rows * INSTRUMENTS;
            for (known, changed) in known.chunks(size).zip(changed.chunks(size)) {
                let until = until * INSTRUMENTS;
                prop_assert_eq!(bits(&known[..until]), bits(&changed[..until]), "{}", operator.name);
            }
            Ok(())
        })?;
    }

    #[test]
    fn nothing_is_infinite_and_every_nan_is_the_same(case in case()) {
        each(&case, |operator, seed| {
            for value in case.advance(&mut program(operator, seed, INSTRUMENTS), 0, case.rows) {
                let fine = value.is_finite() || value.to_bits() == f64::NAN.to_bits();
                prop_assert!(fine, "{} gave {value} ({:x})", operator.name, value.to_bits());
            }
            Ok(())
        })?;
    }

    /// A row with a gap gives NaN, and the rows after it are as if it had not been.
    #[test]
    fn a_gap_leaves_the_state_as_it_was(case in case(), gap in 0..60_usize, column in 0..COLUMNS_MOST) {
        let gap = gap % case.rows;
        each(&case, |operator, seed| {
            if operator.is_cross() || operator.inputs.is_empty() {
                return Ok(());
            }
            let column = column % operator.inputs.len();
            let columns = operator.inputs.len();
            let mut run = program(operator, seed, INSTRUMENTS);
            let mut gapped = program(operator, seed, INSTRUMENTS);
            for row in 0..case.rows {
                let rows: Vec<Vec<f64>> = (0..columns)
                    .map(|c| case.column(c)[row * INSTRUMENTS..][..INSTRUMENTS].to_vec())
                    .collect();
                let advance = |program: &mut Program, rows: &[Vec<f64>]| {
                    let columns: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
                    let mut result = vec![0.0; 3 * INSTRUMENTS];
                    program.advance(&columns, 1, None, &mut result).expect("one row");
                    result
                };
                if row == gap {
                    let mut holes = rows.clone();
                    holes[column].fill(f64::NAN);
                    let result = advance(&mut gapped, &holes);
                    prop_assert!(result[..INSTRUMENTS].iter().all(|v| v.is_nan()), "{}", operator.name);
                }
                let (one, other) = (advance(&mut run, &rows), advance(&mut gapped, &rows));
                prop_assert_eq!(bits(&one[..INSTRUMENTS]), bits(&other[..INSTRUMENTS]), "{}", operator.name);
            }
            Ok(())
        })?;
    }
}

/// A walk of prices with highs, lows and volumes that fit, so that every operator is defined.
fn walk(names: &[&str], rows: usize) -> Vec<Vec<f64>> {
    let mut state = 7_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        f64::from(u32::try_from(state >> 33).expect("31 bits")) / f64::from(1_u32 << 31) - 0.5
    };
    let mut columns = vec![Vec::new(); names.len()];
    let mut price = 100.0;
    for row in 0..rows {
        let open = price + next();
        let close = open + 2.0 * next();
        let high = f64::max(open, close) + 0.6 + next();
        let low = f64::min(open, close) - 0.6 + next();
        price = close;
        for (column, name) in columns.iter_mut().zip(names) {
            column.push(match *name {
                "open" => open,
                "high" => high,
                "low" => low,
                "condition" => f64::from(u8::from(row % 3 == 0)),
                "volume" | "buy_volume" | "sell_volume" => 1000.0 + 500.0 * next(),
                "bid_size" | "ask_size" => 10.0 + 5.0 * next(),
                "signed_volume" => 1000.0 * next(),
                "bid" => close - 0.01,
                "ask" => close + 0.01,
                "y" => 50.0 + next(),
                _ => close,
            });
        }
    }
    columns
}

fn run_one(operator: &Operator, params: &[f64], columns: &[Vec<f64>]) -> Vec<f64> {
    let spec = Spec {
        columns: columns_of(operator),
        nodes: vec![NodeSpec {
            op: operator.name.to_owned(),
            inputs: (0..operator.inputs.len()).collect(),
            params: params.to_vec(),
        }],
        outputs: vec![operator.inputs.len()],
    };
    let rows = columns.first().map_or(400, Vec::len);
    let mut program = Program::new(spec, 1).expect("a program");
    let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut result = vec![0.0; rows];
    program
        .advance(&views, rows, None, &mut result)
        .expect("rows");
    result
}

#[test]
fn the_first_result_comes_when_the_table_says() {
    for operator in operators().filter(|operator| !operator.is_cross()) {
        for seed in 0..10 {
            let params = parameters(operator, seed);
            let result = run_one(operator, &params, &walk(operator.inputs, 400));
            let first = result
                .iter()
                .position(|value| value.is_finite())
                .map_or(0, |row| row + 1);
            let warm_up = operator.warm_up(&params).expect("parameters that fit");
            let wanted = usize::try_from(warm_up).expect("short");
            // Roll's spread is not defined where prices trend, a ratio not where nothing moved.
            let moods = ["roll_spread", "log", "sqrt", "power"];
            if moods.contains(&operator.name) {
                assert!(
                    first >= wanted,
                    "{} {params:?}: {first} < {wanted}",
                    operator.name
                );
            } else {
                assert_eq!(first, wanted, "{} {params:?}", operator.name);
            }
        }
    }
}

#[test]
fn what_settles_forgets_how_it_began() {
    for operator in operators().filter(|operator| operator.memory == Memory::Recursive) {
        let params = parameters(operator, 3);
        let Some(settle) = operator.settle(&params).expect("parameters that fit") else {
            continue;
        };
        let warm_up = operator.warm_up(&params).expect("parameters that fit");
        let skip = usize::try_from(settle + warm_up).expect("bounded");
        if skip > 200_000 {
            continue;
        }
        let columns = walk(operator.inputs, skip + 300);
        let long = run_one(operator, &params, &columns);
        let late: Vec<Vec<f64>> = columns
            .iter()
            .map(|column| column[200..].to_vec())
            .collect();
        let short = run_one(operator, &params, &late);
        for (row, (long, short)) in long[200..].iter().zip(&short).enumerate().skip(skip) {
            let scale = long.abs().max(1.0);
            assert!(
                (long - short).abs() <= 1e-6 * scale || (long.is_nan() && short.is_nan()),
                "{} {params:?} row {row}: {long} and {short}",
                operator.name
            );
        }
    }
}

#[test]
fn names_are_unique_and_words_are_there() {
    let mut names: Vec<_> = operators().map(|operator| operator.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for operator in operators() {
        assert!(operator.inputs.len() <= COLUMNS_MOST, "{}", operator.name);
        for words in [operator.doc, operator.formula, operator.source] {
            assert!(!words.is_empty(), "{}", operator.name);
        }
    }
}
