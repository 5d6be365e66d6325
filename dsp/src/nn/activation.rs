//! Activation functions. They do not call libm, so that the compiler vectorizes loops over them.

/// The rectified linear unit; NaN for NaN. `f32::max` would turn NaN into 0, and so hide that the input was not finite.
pub(crate) fn relu(value: f32) -> f32 {
    if value < 0.0 { 0.0 } else { value }
}

/// [`relu`] of all `values`.
pub(crate) fn relu_in_place(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = relu(*value));
}

/// The logistic function, 1 / (1 + e^-x); NaN for NaN.
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent; NaN for NaN.
pub(crate) fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// e^x, with x clamped to ±87, beyond which both functions have saturated.
///
/// Range reduction by Cody and Waite: x = n ln 2 + r. The integer n becomes the exponent's bits; e^r is the Taylor
/// series around 0 up to r^6 / 720, whose error on ±ln 2 / 2 is below 2e-7.
fn exp(x: f32) -> f32 {
    /// 1.5 · 2^23: adding it rounds to an integer, which is then in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts; the product of the first with n is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    /// The exponent bias and the fraction bits of binary32.
    const EXPONENT_BIAS: u32 = 127;
    const FRACTION_BITS: u32 = 23;

    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let series = 1.0 / 720.0;
    let series = series * r + 1.0 / 120.0;
    let series = series * r + 1.0 / 24.0;
    let series = series * r + 1.0 / 6.0;
    let series = series * r + 0.5;
    let series = series * r + 1.0;
    let series = series * r + 1.0;
    series * f32::from_bits(shifted.to_bits().wrapping_add(EXPONENT_BIAS) << FRACTION_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_and_tanh_match_libm() {
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
    fn nan_stays_nan_and_infinity_saturates() {
        assert!(sigmoid(f32::NAN).is_nan());
        assert!(tanh(f32::NAN).is_nan());
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-30);
    }
}
