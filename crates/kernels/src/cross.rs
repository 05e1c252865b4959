//! Operators across instruments. A NaN is left out and stays NaN. Sums run over values by size, so
//! that the order of the instruments has no say in their bits.

use crate::operator::{Operator, Parameter, count, number};
use crate::series::clean;
use crate::window::quantile;

/// One row of all instruments.
pub struct CrossRow<'a> {
    pub inputs: &'a [&'a [f64]],
    /// The group of each instrument; a negative one is none.
    pub groups: Option<&'a [i32]>,
    pub parameters: &'a [f64],
}

/// Memory that rows share one after another.
#[derive(Default)]
pub struct CrossScratch {
    members: Vec<Member>,
    values: Vec<f64>,
}

#[derive(Clone, Copy)]
struct Member {
    group: i32,
    value: f64,
    place: u32,
}

pub type CrossRule = fn(&CrossRow<'_>, &mut CrossScratch, &mut [f64]);

impl CrossRow<'_> {
    /// The members by group and value.
    fn members<'s>(&self, scratch: &'s mut CrossScratch, grouped: bool) -> &'s mut [Member] {
        scratch.members.clear();
        for (place, value) in (0_u32..).zip(self.inputs[0]) {
            let groups = self.groups.filter(|_| grouped);
            let group = groups.map_or(0, |groups| groups[place as usize]);
            if value.is_finite() && group >= 0 {
                // Both zeros are one value.
                let value = value + 0.0;
                scratch.members.push(Member {
                    group,
                    value,
                    place,
                });
            }
        }
        let key = |a: &Member, b: &Member| a.value.total_cmp(&b.value);
        if grouped {
            let by_group = |a: &Member, b: &Member| a.group.cmp(&b.group).then(key(a, b));
            scratch.members.sort_unstable_by(by_group);
        } else {
            scratch.members.sort_unstable_by(key);
        }
        &mut scratch.members
    }

    /// The members' values, least first.
    fn values<'s>(&self, scratch: &'s mut CrossScratch) -> &'s [f64] {
        scratch.values.clear();
        let finite = self.inputs[0].iter().filter(|value| value.is_finite());
        scratch.values.extend(finite.map(|value| value + 0.0));
        scratch.values.sort_unstable_by(f64::total_cmp);
        &scratch.values
    }

    /// Write what each member becomes; the others become NaN.
    fn write(&self, result: &mut [f64], formula: impl Fn(f64) -> f64) {
        for (result, value) in result.iter_mut().zip(self.inputs[0]) {
            *result = if value.is_finite() {
                clean(formula(*value))
            } else {
                f64::NAN
            };
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are not 2^52 instruments")]
fn float(count: usize) -> f64 {
    count as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / float(values.len())
}

/// The mean rank of every member, 1 being the least.
fn ranks(members: &[Member], mut write: impl FnMut(u32, f64)) {
    let mut from = 0;
    for equals in members.chunk_by(|a, b| a.value.total_cmp(&b.value).is_eq()) {
        let rank = float(from) + f64::midpoint(float(equals.len()), 1.0);
        for member in equals {
            write(member.place, rank);
        }
        from += equals.len();
    }
}

fn rank(row: &CrossRow<'_>, scratch: &mut CrossScratch, result: &mut [f64]) {
    result.fill(f64::NAN);
    let members = row.members(scratch, false);
    let count = float(members.len());
    ranks(members, |place, rank| result[place as usize] = rank / count);
}

fn quantile_bucket(row: &CrossRow<'_>, scratch: &mut CrossScratch, result: &mut [f64]) {
    result.fill(f64::NAN);
    let buckets = row.parameters[0];
    let members = row.members(scratch, false);
    let count = float(members.len());
    ranks(members, |place, rank| {
        result[place as usize] = ((rank - 0.5) / count * buckets).floor().min(buckets - 1.0);
    });
}

fn demean(row: &CrossRow<'_>, scratch: &mut CrossScratch, result: &mut [f64]) {
    let mean = mean(row.values(scratch));
    row.write(result, |value| value - mean);
}

fn total(row: &CrossRow<'_>, scratch: &mut CrossScratch, result: &mut [f64]) {
    let total: f64 = row.values(scratch).iter().sum();
    row.write(result, |_| total);
}

fn zscore(row: &CrossRow<'_>, scratch: &mut CrossScratch, result: &mut [f64]) {
    let values = row.values(scratch);
    let mean = mean(values);
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let one_value = values.first() == values.last();
    let deviation = if one_value {
        0.0
    } else {
        (squares / (float(values.len()) - 1.0)).sqrt()
    };
    row.write(result, |value| (value - mean) / deviation);
}

fn scale(row: &CrossRow<'_>, scratch: &mut CrossScratch, result: &mut [f64]) {
    let values = row.values(scratch);
    let total: f64 = values.iter().map(|value| value.abs()).sum();
    row.write(result, |value| value / total);
}

fn winsorise(row: &CrossRow<'_>, scratch: &mut CrossScratch, result: &mut [f64]) {
    let values = row.values(scratch);
    let low = quantile(values, row.parameters[0]);
    let high = quantile(values, 1.0 - row.parameters[0]);
    row.write(result, |value| {
        if value < low {
            low
        } else if value > high {
            high
        } else {
            value
        }
    });
}

fn neutralise(row: &CrossRow<'_>, scratch: &mut CrossScratch, result: &mut [f64]) {
    result.fill(f64::NAN);
    for group in row
        .members(scratch, true)
        .chunk_by(|a, b| a.group == b.group)
    {
        let total: f64 = group.iter().map(|member| member.value).sum();
        let mean = total / float(group.len());
        for member in group {
            result[member.place as usize] = clean(member.value - mean);
        }
    }
}

const X: &[&str] = &["x"];
const SHARE: &[Parameter] = &[number("q", 0.0, 0.5)];

pub const OPERATORS: &[Operator] = &[
    Operator::cross("rank", X, rank).words(
        "Rank across instruments, from 1/count to 1; equals share their mean rank.",
        "(#{x' < x} + (#{x' = x} + 1) / 2) / count",
    ),
    Operator::cross("zscore_cs", X, zscore).words(
        "Distance from the mean across instruments, in standard deviations (divisor count - 1).",
        "(x - mean) / std",
    ),
    Operator::cross("demean", X, demean)
        .words("Distance from the mean across instruments.", "x - mean"),
    Operator::cross("cs_sum", X, total).words("Sum across instruments.", "sum(x')"),
    Operator::cross("scale", X, scale)
        .words(
            "Multiple of the value such that the magnitudes across instruments add up to 1.",
            "x / sum(|x|)",
        )
        .source("Kakushadze (2016), 101 Formulaic Alphas, appendix A."),
    Operator::cross("winsorise", X, winsorise)
        .parameters(SHARE)
        .words(
            "The value, kept within the quantiles q and 1 - q across instruments.",
            "min(max(x, quantile(q)), quantile(1 - q))",
        ),
    Operator::cross("neutralise", X, neutralise).words(
        "Distance from the mean of the instrument's group; NaN where it has none.",
        "x - mean(x of the group)",
    ),
    Operator::cross("quantile_bucket", X, quantile_bucket)
        .parameters(&[count("k", 1.0)])
        .words(
            "One of k buckets of the same size by rank, from 0 (least) to k - 1; equals share one.",
            "floor(k (rank - 1/2) / count)",
        ),
];
