//! The table of all operators, one family after another.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::operator::Operator;
use crate::{
    averages, channels, cross, directional, extremes, microstructure, moments, oscillators, pairs,
    pointwise, rolling, running, shifts, volatility, volume,
};

const FAMILIES: &[&[Operator]] = &[
    pointwise::OPERATORS,
    shifts::OPERATORS,
    rolling::OPERATORS,
    moments::OPERATORS,
    extremes::OPERATORS,
    averages::OPERATORS,
    oscillators::OPERATORS,
    pairs::OPERATORS,
    directional::OPERATORS,
    channels::OPERATORS,
    volume::OPERATORS,
    volatility::OPERATORS,
    running::OPERATORS,
    microstructure::OPERATORS,
    cross::OPERATORS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Operator>> =
    LazyLock::new(|| operators().map(|entry| (entry.name, entry)).collect());

/// All operators, in the order of their families.
pub fn operators() -> impl Iterator<Item = &'static Operator> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The operator of that name.
#[must_use]
pub fn operator(name: &str) -> Option<&'static Operator> {
    BY_NAME.get(name).copied()
}
