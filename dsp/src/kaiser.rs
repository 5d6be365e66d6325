//! The Kaiser window (J. F. Kaiser and R. W. Schafer, "On the use of the I0-sinh window for spectrum analysis", IEEE
//! Trans. Acoust., Speech, Signal Process. 28(1), 1980), under which sinc filters are designed.

/// The Kaiser window of shape `beta` at `x`; it spans [-1, 1] and is 1 at 0.
pub(crate) fn kaiser(beta: f64, x: f64) -> f64 {
    if x.abs() >= 1.0 {
        return 0.0;
    }
    bessel_i0(beta * (1.0 - x * x).sqrt()) / bessel_i0(beta)
}

/// The modified Bessel function of the first kind and order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    /// Enough terms for full double precision at the arguments of the filters here, at most 8.
    const TERMS: u32 = 40;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..TERMS {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}
