//! Features of 500 instruments over 2,520 rows, and one row after another: `cargo run --release
//! --example features_speed -p quantvista-kernels [operator]`.

use std::time::Instant;

use quantvista_kernels::{Kind, NodeSpec, Operator, Program, Spec, operators};

const INSTRUMENTS: usize = 500;
const ROWS: usize = 2_520;
const COLUMNS: [&str; 5] = ["open", "high", "low", "close", "volume"];

fn prices() -> Vec<Vec<f64>> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        f64::from(u32::try_from(state >> 33).expect("31 bits")) / f64::from(1_u32 << 31) - 0.5
    };
    let mut last = vec![100.0; INSTRUMENTS];
    let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(ROWS * INSTRUMENTS); COLUMNS.len()];
    for _ in 0..ROWS {
        for price in &mut last {
            let open: f64 = *price * (1.0 + 0.01 * next());
            let close = open * (1.0 + 0.02 * next());
            let (high, low) = (open.max(close) * 1.003, open.min(close) * 0.997);
            *price = close;
            for (column, value) in columns
                .iter_mut()
                .zip([open, high, low, close, 1e6 + next()])
            {
                column.push(value);
            }
        }
    }
    columns
}

/// The column that an operator's input most likely means.
fn column(name: &str) -> usize {
    let named = COLUMNS.iter().position(|column| *column == name);
    named.unwrap_or(if name == "y" { 1 } else { 3 })
}

fn node(operator: &Operator) -> NodeSpec {
    let value = |p: &quantvista_kernels::Parameter| match (p.default, p.kind) {
        (Some(value), _) => value,
        (None, Kind::Int) => p.least.max(20.0),
        (None, Kind::Float) => f64::midpoint(p.least.max(-1.0), p.most.min(1.0)),
    };
    NodeSpec {
        op: operator.name.to_owned(),
        inputs: operator.inputs.iter().map(|name| column(name)).collect(),
        params: operator.parameters.iter().map(value).collect(),
    }
}

fn program(nodes: Vec<NodeSpec>) -> Program {
    let spec = Spec {
        columns: COLUMNS.map(str::to_owned).to_vec(),
        outputs: (COLUMNS.len()..COLUMNS.len() + nodes.len()).collect(),
        nodes,
    };
    Program::new(spec, INSTRUMENTS).expect("operators of the table")
}

/// The best of three, in nanoseconds a result.
fn measure(nodes: &[NodeSpec], columns: &[&[f64]], step: usize, threads: usize) -> f64 {
    let mut best = f64::INFINITY;
    let mut result = vec![0.0; nodes.len() * step * INSTRUMENTS];
    for _ in 0..3 {
        let mut program = program(nodes.to_vec()).with_threads(threads);
        let start = Instant::now();
        for from in (0..ROWS / step * step).step_by(step) {
            let range = from * INSTRUMENTS..(from + step) * INSTRUMENTS;
            let views: Vec<&[f64]> = columns.iter().map(|c| &c[range.clone()]).collect();
            program
                .advance(&views, step, None, &mut result)
                .expect("rows that fit");
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    let results = (nodes.len() * (ROWS / step * step) * INSTRUMENTS) as f64;
    best * 1e9 / results
}

fn main() {
    let only = std::env::args().nth(1);
    let prices = prices();
    let views: Vec<&[f64]> = prices.iter().map(Vec::as_slice).collect();
    println!("{:<18} {:>10} {:>10}", "operator", "batch ns", "stream ns");
    for operator in operators() {
        if only.as_ref().is_none_or(|only| only == operator.name) {
            let nodes = [node(operator)];
            let batch = measure(&nodes, &views, ROWS, 1);
            let stream = measure(&nodes, &views, 1, 1);
            println!("{:<18} {batch:>10.2} {stream:>10.2}", operator.name);
        }
    }
}
