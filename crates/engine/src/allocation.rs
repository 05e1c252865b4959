//! Exact division of a whole among parts.

/// Divide `total` lots in proportion to `weights` by the largest remainder.
///
/// Each part first gets the floor of its share; the lots left go one each to the largest
/// remainders, the earlier part winning ties. The parts sum to `total`, and none exceeds its
/// weight as long as `total` does not exceed the sum of weights.
///
/// # Panics
///
/// If a weight or the total is negative, or the total is positive while all weights are zero.
#[must_use]
pub fn allocate(total: i64, weights: &[i64]) -> Vec<i64> {
    assert!(
        total >= 0 && weights.iter().all(|w| *w >= 0),
        "negative lots"
    );
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if total == 0 {
        return vec![0; weights.len()];
    }
    assert!(sum > 0, "nothing to allocate to");
    if i128::from(total) == sum {
        return weights.to_vec();
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = total;
    for (index, weight) in weights.iter().enumerate() {
        let product = i128::from(total) * i128::from(*weight);
        let part = i64::try_from(product / sum).expect("a part is at most the total");
        left -= part;
        parts.push(part);
        remainders.push((std::cmp::Reverse(product % sum), index));
    }
    remainders.sort_unstable();
    for (_, index) in remainders
        .iter()
        .take(usize::try_from(left).expect("fewer lots are left than there are parts"))
    {
        parts[*index] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_go_to_the_earlier_part() {
        assert_eq!(allocate(1, &[1, 1, 1]), [1, 0, 0]);
        assert_eq!(allocate(2, &[1, 1, 1]), [1, 1, 0]);
        assert_eq!(allocate(60, &[100, 50]), [40, 20]);
        assert_eq!(allocate(7, &[3, 2, 0]), [4, 3, 0]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_total_and_stay_near_their_share(
            weights in prop::collection::vec(0..1_000_000_i64, 1..8), total in 0..2_000_000_i64,
        ) {
            let sum: i64 = weights.iter().sum();
            prop_assume!(sum > 0);
            let total = total.min(sum);
            let parts = allocate(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(part <= weight);
                let share = i128::from(total) * i128::from(*weight);
                let diff = (i128::from(*part) * i128::from(sum) - share).abs();
                prop_assert!(diff < i128::from(sum));
            }
        }
    }
}
