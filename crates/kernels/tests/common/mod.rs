//! What the tests of operators share.

use quantvista_kernels::{Kind, Operator};

/// Parameters within their limits, small where the limits are wide.
pub fn parameters(operator: &Operator, seed: u64) -> Vec<f64> {
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

pub fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}
