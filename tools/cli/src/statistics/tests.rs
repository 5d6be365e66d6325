#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;
use test_tiers::sized;

use super::{
    draws::Draws,
    ratio::{t_quantile, wilson},
    *,
};
use crate::oracle;

/// A standard normal draw: the sum of twelve uniform ones, less six.
fn normal(draws: &mut Draws) -> f64 {
    let uniform = |draws: &mut Draws| draws.bits() as f64 / 2f64.powi(64);
    (0..12).map(|_| uniform(draws)).sum::<f64>() - 6.0
}

fn uniform(draws: &mut Draws) -> f64 {
    (draws.bits() >> 11) as f64 / 2f64.powi(53)
}

/// People of whom each has its own number of samples and its own liking for the change, around
/// `effect`.
fn people(count: usize, effect: f64, draws: &mut Draws) -> Vec<Record> {
    (0..count)
        .map(|_| {
            let own = effect + 0.05 * normal(draws);
            let samples = 1 + draws.below(6);
            let mut record = Record::default();
            for _ in 0..samples {
                let weight = 1.0 + draws.below(3) as f64;
                record.weight += weight;
                record.difference += weight * (own + 0.05 * normal(draws));
            }
            record
        })
        .collect()
}

/// How often, of a thousand comparisons, one is called significant.
fn called(count: usize, effect: f64, rounds: usize) -> f64 {
    let mut draws = Draws::new(count as u64);
    let significant = (0..rounds)
        .filter(|_| compare(&people(count, effect, &mut draws)).unwrap().p < 0.05)
        .count();
    significant as f64 / rounds as f64
}

/// Three standard errors of a rate of 5 % among `rounds`.
fn slack(rounds: usize) -> f64 {
    3.0 * (0.05_f64 * 0.95 / rounds as f64).sqrt()
}

#[test]
fn a_change_that_changes_nothing_is_called_one_in_five_of_a_hundred() {
    for (count, rounds) in sized(
        [(8, 300), (12, 300), (30, 30)],
        [(8, 1_000), (12, 600), (30, 120)],
    ) {
        let rate = called(count, 0.0, rounds);
        let most = 0.05 + slack(rounds);
        assert!(rate <= most, "{count} people: {rate}");
    }
    // With enough people that p is fine-grained, no fewer either.
    let rounds = sized(300, 600);
    assert!(called(12, 0.0, rounds) >= 0.05 - slack(rounds));
}

/// Its samples taken for independent, the same people make it be called four times as often: what
/// counting records is for.
#[test]
fn samples_taken_for_independent_call_what_is_not_there() {
    let mut draws = Draws::new(7);
    let rounds = sized(100, 300);
    let wrong = (0..rounds)
        .filter(|_| {
            let samples: Vec<Record> = (0..3)
                .flat_map(|_| {
                    let own = 0.05 * normal(&mut draws);
                    (0..4)
                        .map(|_| Record {
                            weight: 1.0,
                            difference: own + 0.01 * normal(&mut draws),
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
fn a_real_difference_is_found() {
    assert!(called(12, 0.1, sized(40, 100)) > 0.95);
    assert!(called(12, -0.1, sized(40, 100)) > 0.95);
    assert!(called(30, 0.05, sized(20, 60)) > 0.9);
}

#[test]
fn the_interval_of_a_difference_holds_the_truth_some_95_times_in_a_hundred() {
    let mut draws = Draws::new(1);
    let rounds = sized(30, 60);
    let held = (0..rounds)
        .filter(|_| {
            let [low, high] = compare(&people(25, 0.02, &mut draws))
                .unwrap()
                .interval
                .unwrap();
            low <= 0.02 && 0.02 <= high
        })
        .count();
    assert!(held as f64 / rounds as f64 > 0.86, "{held} of {rounds}");
}

#[test]
fn the_interval_of_a_share_holds_the_truth_some_95_times_in_a_hundred() {
    // Shares near 0, in the middle and near 1; people differ, and so do their numbers of notes.
    for (mean, count) in [(0.02, 20), (0.3, 8), (0.5, 20), (0.9, 12), (0.99, 30)] {
        let mut draws = Draws::new(count as u64);
        let rounds = 1_000;
        let mut held = 0;
        for _ in 0..rounds {
            let mut notes = 0;
            let records: Vec<(f64, f64)> = (0..count)
                .map(|_| {
                    // Half of people at twice the odds' distance from the mean, evenly.
                    let own = mean + (uniform(&mut draws) - 0.5) * f64::min(mean, 1.0 - mean);
                    let expected = 5 + draws.below(30);
                    let hit = (0..expected).filter(|_| uniform(&mut draws) < own).count();
                    notes += expected;
                    (10.0 * hit as f64, 10.0 * expected as f64)
                })
                .collect();
            let [low, high] = Ratio::of(records, notes).unwrap().interval.unwrap();
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
fn of_too_few_people_no_interval_is_given_and_no_difference_is_significant() {
    let record = |difference| Record {
        weight: 1.0,
        difference,
    };
    assert_eq!(fewest_for_significance(0.05), 6);
    for count in 1..6 {
        let found = compare(&vec![record(-1.0); count]).unwrap();
        assert!(found.p >= 0.05);
        assert_eq!(found.interval.is_some(), count >= FEWEST_RECORDS);
        let ratio = Ratio::of(vec![(1.0, 2.0); count], 2 * count).unwrap();
        assert_eq!(ratio.interval.is_some(), count >= FEWEST_RECORDS);
    }
    assert!(compare(&[record(-1.0); 6]).unwrap().p < 0.05);
    assert_eq!(compare(&[]), None);
    assert_eq!(Ratio::of([(0.0, 0.0)], 0), None);
}

#[test]
fn exact_p_student_s_quantiles_and_wilson_s_ends_are_scipy_s() {
    let mut draws = Draws::new(3);
    let flips: Vec<Vec<f64>> = (0..60)
        .map(|round| {
            let count = 2 + draws.below(11);
            // Whole numbers too, of which many sums are alike.
            let draw = |draws: &mut Draws| match round % 3 {
                0 => draws.below(7) as f64 - 3.0,
                _ => normal(draws) + 0.5,
            };
            (0..count).map(|_| draw(&mut draws)).collect()
        })
        .collect();
    let degrees: Vec<usize> = (4..60).chain([100, 1_000, 100_000]).collect();
    let shares: Vec<(usize, usize, f64)> = [(0, 10), (3, 10), (10, 10), (1, 200), (77, 150)]
        .iter()
        .map(|&(found, size)| (found, size, t_quantile(9)))
        .collect();
    let asked = json!({"sign_flips": flips, "student": degrees, "wilson": shares});
    let test = "exact_p_student_s_quantiles_and_wilson_s_ends_are_scipy_s";
    let Some(answered) = oracle::ask(&asked, test) else {
        return;
    };
    let figures =
        |name: &str| -> Vec<f64> { serde_json::from_value(answered[name].clone()).unwrap() };
    for (differences, due) in flips.iter().zip(figures("sign_flips")) {
        let records: Vec<Record> = differences
            .iter()
            .map(|&difference| Record {
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
        assert!((found / due - 1.0).abs() < 4e-4, "{degrees}: {found} {due}");
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
    /// Not one record's interval is outside what a share can be, or without its estimate.
    #[test]
    fn an_interval_holds_its_estimate_and_stays_within_0_and_1(
        records in prop::collection::vec((0.0..=1.0f64, 0.0..1e6f64), 5..40),
        counted in 1usize..1000,
    ) {
        let pairs = records.iter().map(|&(share, whole)| (share * whole, whole));
        if let Some(Ratio { value, interval: Some([low, high]) }) = Ratio::of(pairs, counted) {
            prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0);
        }
    }

    /// Scaling all weights changes nothing, and exchanging before and after only the sign.
    #[test]
    fn only_the_proportions_of_weights_count_and_both_sides_are_alike(
        found in prop::collection::vec((0.1..10.0f64, -1.0..1.0f64), 1..12), scale in 0.01..100.0f64,
    ) {
        let of = |factor: f64, sign: f64| {
            let records: Vec<Record> = found
                .iter()
                .map(|&(weight, difference)| Record { weight: weight * factor, difference: sign * weight * factor * difference })
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
