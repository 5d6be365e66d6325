#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;
use test_tiers::sized;

use super::{
    ratio::{t_quantile, wilson},
    split_mix::SplitMix64,
    *,
};
use crate::tests::reference;

/// A standard normal variate: the sum of twelve uniform ones, less six.
fn normal(rng: &mut SplitMix64) -> f64 {
    let uniform = |rng: &mut SplitMix64| rng.bits() as f64 / 2f64.powi(64);
    (0..12).map(|_| uniform(rng)).sum::<f64>() - 6.0
}

fn uniform(rng: &mut SplitMix64) -> f64 {
    (rng.bits() >> 11) as f64 / 2f64.powi(53)
}

/// Records of people, each with its own number of samples and its own effect, distributed around
/// `effect`.
fn people(count: usize, effect: f64, rng: &mut SplitMix64) -> Vec<RecordDifference> {
    (0..count)
        .map(|_| {
            let own = effect + 0.05 * normal(rng);
            let samples = 1 + rng.below(6);
            let mut record = RecordDifference::default();
            for _ in 0..samples {
                let weight = 1.0 + rng.below(3) as f64;
                record.weight += weight;
                record.difference += weight * (own + 0.05 * normal(rng));
            }
            record
        })
        .collect()
}

/// The share of `rounds` comparisons that are significant.
fn significant_rate(count: usize, effect: f64, rounds: usize) -> f64 {
    let mut rng = SplitMix64::new(count as u64);
    let significant = (0..rounds)
        .filter(|_| compare(&people(count, effect, &mut rng)).unwrap().p < 0.05)
        .count();
    significant as f64 / rounds as f64
}

/// Three standard errors of a rate of 5 % among `rounds`.
fn slack(rounds: usize) -> f64 {
    3.0 * (0.05_f64 * 0.95 / rounds as f64).sqrt()
}

#[test]
fn the_false_positive_rate_of_no_change_is_5_percent() {
    for (count, rounds) in sized(
        [(8, 300), (12, 300), (30, 30)],
        [(8, 1_000), (12, 600), (30, 120)],
    ) {
        let rate = significant_rate(count, 0.0, rounds);
        let max = 0.05 + slack(rounds);
        assert!(rate <= max, "{count} people: {rate}");
    }
    // With enough people that p is fine-grained, it is not conservative either.
    let rounds = sized(300, 600);
    assert!(significant_rate(12, 0.0, rounds) >= 0.05 - slack(rounds));
}

/// With samples treated as independent, the same people give four times as many false positives:
/// the reason to count records.
#[test]
fn treating_samples_as_independent_inflates_false_positives() {
    let mut rng = SplitMix64::new(7);
    let rounds = sized(100, 300);
    let wrong = (0..rounds)
        .filter(|_| {
            let samples: Vec<RecordDifference> = (0..3)
                .flat_map(|_| {
                    let own = 0.05 * normal(&mut rng);
                    (0..4)
                        .map(|_| RecordDifference {
                            weight: 1.0,
                            difference: own + 0.01 * normal(&mut rng),
                        })
                        .collect::<Vec<_>>()
                })
                .collect();
            compare(&samples).unwrap().p < 0.05
        })
        .count();
    assert!(wrong as f64 / rounds as f64 > 0.2, "{wrong} of {rounds}");
}

#[test]
fn a_real_difference_is_significant() {
    assert!(significant_rate(12, 0.1, sized(40, 100)) > 0.95);
    assert!(significant_rate(12, -0.1, sized(40, 100)) > 0.95);
    assert!(significant_rate(30, 0.05, sized(20, 60)) > 0.9);
}

#[test]
fn intervals_of_differences_have_95_percent_coverage() {
    let mut rng = SplitMix64::new(1);
    let rounds = sized(30, 60);
    let held = (0..rounds)
        .filter(|_| {
            let [low, high] = compare(&people(25, 0.02, &mut rng))
                .unwrap()
                .interval
                .unwrap();
            low <= 0.02 && 0.02 <= high
        })
        .count();
    assert!(held as f64 / rounds as f64 > 0.86, "{held} of {rounds}");
}

#[test]
fn intervals_of_ratios_have_95_percent_coverage() {
    // Shares near 0, in the middle and near 1; people differ, and so do their numbers of notes.
    for (mean, count) in [(0.02, 20), (0.3, 8), (0.5, 20), (0.9, 12), (0.99, 30)] {
        let mut rng = SplitMix64::new(count as u64);
        let rounds = 1_000;
        let mut held = 0;
        for _ in 0..rounds {
            let mut notes = 0;
            let records: Vec<(f64, f64)> = (0..count)
                .map(|_| {
                    // Uniform around the mean.
                    let own = mean + (uniform(&mut rng) - 0.5) * f64::min(mean, 1.0 - mean);
                    let expected = 5 + rng.below(30);
                    let hit = (0..expected).filter(|_| uniform(&mut rng) < own).count();
                    notes += expected;
                    (10.0 * hit as f64, 10.0 * expected as f64)
                })
                .collect();
            let [low, high] = Ratio::new(records, notes).unwrap().interval.unwrap();
            held += usize::from(low <= mean && mean <= high);
        }
        let share = f64::from(held as u32) / f64::from(rounds);
        assert!(
            (0.92..=0.995).contains(&share),
            "{mean}, {count} people: {share}"
        );
    }
}

#[test]
fn too_few_records_give_no_interval_and_no_significance() {
    let record = |difference| RecordDifference {
        weight: 1.0,
        difference,
    };
    assert_eq!(min_records_for_significance(0.05), 6);
    for count in 1..6 {
        let found = compare(&vec![record(-1.0); count]).unwrap();
        assert!(found.p >= 0.05);
        assert_eq!(found.interval.is_some(), count >= MIN_RECORDS);
        let ratio = Ratio::new(vec![(1.0, 2.0); count], 2 * count).unwrap();
        assert_eq!(ratio.interval.is_some(), count >= MIN_RECORDS);
    }
    assert!(compare(&[record(-1.0); 6]).unwrap().p < 0.05);
    assert_eq!(compare(&[]), None);
    assert_eq!(Ratio::new([(0.0, 0.0)], 0), None);
}

#[test]
fn p_values_t_quantiles_and_wilson_intervals_match_scipy() {
    let mut rng = SplitMix64::new(3);
    let flips: Vec<Vec<f64>> = (0..60)
        .map(|round| {
            let count = 2 + rng.below(11);
            // Also integers, many of whose sums are equal.
            let draw = |rng: &mut SplitMix64| match round % 3 {
                0 => rng.below(7) as f64 - 3.0,
                _ => normal(rng) + 0.5,
            };
            (0..count).map(|_| draw(&mut rng)).collect()
        })
        .collect();
    let degrees: Vec<usize> = (4..60).chain([100, 1_000, 100_000]).collect();
    let shares: Vec<(usize, usize, f64)> = [(0, 10), (3, 10), (10, 10), (1, 200), (77, 150)]
        .iter()
        .map(|&(found, size)| (found, size, t_quantile(9)))
        .collect();
    let asked = json!({"sign_flips": flips, "student": degrees, "wilson": shares});
    let test = "p_values_t_quantiles_and_wilson_intervals_match_scipy";
    let Some(answered) = reference::run(&asked, test) else {
        return;
    };
    let figures =
        |name: &str| -> Vec<f64> { serde_json::from_value(answered[name].clone()).unwrap() };
    for (differences, due) in flips.iter().zip(figures("sign_flips")) {
        let records: Vec<RecordDifference> = differences
            .iter()
            .map(|&difference| RecordDifference {
                weight: 1.0,
                difference,
            })
            .collect();
        let found = compare(&records).unwrap();
        assert!(found.exact);
        assert!(
            (found.p - due).abs() < 1e-12,
            "{differences:?}: {} {due}",
            found.p
        );
    }
    for (degrees, due) in degrees.into_iter().zip(figures("student")) {
        let found = t_quantile(degrees);
        assert!((found / due - 1.0).abs() < 1e-5, "{degrees}: {found} {due}");
    }
    let ends: Vec<[f64; 2]> = serde_json::from_value(answered["wilson"].clone()).unwrap();
    for ((found, size, quantile), due) in shares.into_iter().zip(ends) {
        let [low, high] = wilson(found as f64 / size as f64, size as f64, quantile);
        assert!(
            (low - due[0]).abs() < 1e-9 && (high - due[1]).abs() < 1e-9,
            "{found} of {size}"
        );
    }
}

proptest! {
    /// No interval is outside the range of a share or excludes its estimate.
    #[test]
    fn an_interval_contains_its_estimate_within_0_and_1(
        records in prop::collection::vec((0.0..=1.0f64, 0.0..1e6f64), 5..40),
        counted in 1usize..1000,
    ) {
        let pairs = records.iter().map(|&(share, whole)| (share * whole, whole));
        if let Some(Ratio { value, interval: Some([low, high]) }) = Ratio::new(pairs, counted) {
            prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0);
        }
    }

    /// Scaling all weights changes nothing; swapping before and after changes only the sign.
    #[test]
    fn comparison_is_invariant_to_scale_and_antisymmetric(
        found in prop::collection::vec((0.1..10.0f64, -1.0..1.0f64), 1..12), scale in 0.01..100.0f64,
    ) {
        let of = |factor: f64, sign: f64| {
            let records: Vec<RecordDifference> = found
                .iter()
                .map(|&(weight, difference)| RecordDifference { weight: weight * factor, difference: sign * weight * factor * difference })
                .collect();
            compare(&records).unwrap()
        };
        let (plain, scaled, turned) = (of(1.0, 1.0), of(scale, 1.0), of(1.0, -1.0));
        prop_assert!((plain.difference - scaled.difference).abs() < 1e-9);
        prop_assert_eq!(plain.p, scaled.p);
        prop_assert!((plain.difference + turned.difference).abs() < 1e-9);
        prop_assert_eq!(plain.p, turned.p);
    }
}
