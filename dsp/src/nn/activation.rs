//! The network's curves, without a call into libm, so that a loop over them becomes vector code.

/// 1 / (1 + e^-x); NaN for NaN.
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent; NaN for NaN.
pub(crate) fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// e^x for x within ±87, clamped beyond, where both curves have long been flat. The whole power of
/// two goes into the exponent's bits, the rest through the Taylor series around 0 up to x^6 / 720,
/// whose remainder on ±ln 2 / 2 is below 2e-7.
fn exp(x: f32) -> f32 {
    /// Adding it rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const BIAS: u32 = 127;
    const FRACTION_BITS: u32 = 23;

    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let series = 1.0 / 720.0;
    let series = series * rest + 1.0 / 120.0;
    let series = series * rest + 1.0 / 24.0;
    let series = series * rest + 1.0 / 6.0;
    let series = series * rest + 0.5;
    let series = series * rest + 1.0;
    let series = series * rest + 1.0;
    series * f32::from_bits(shifted.to_bits().wrapping_add(BIAS) << FRACTION_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curves_are_those_of_libm() {
        for step in -200_000..=200_000 {
            let x = step as f32 * 1e-3;
            let wanted = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!(
                (f64::from(sigmoid(x)) - wanted).abs() < 3e-7,
                "sigmoid({x})"
            );
            assert!(
                (f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 6e-7,
                "tanh({x})"
            );
        }
    }

    #[test]
    fn no_number_stays_no_number() {
        assert!(sigmoid(f32::NAN).is_nan());
        assert!(tanh(f32::NAN).is_nan());
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-30);
    }
}
