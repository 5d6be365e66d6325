//! How much a test does in each tier. In the ordinary ones its cases are the same each time, and as few as it takes to meet
//! everything that matters; `make soak` sets `SORDINO_SOAK=1`, and the same test repeats, at random, for as long as it
//! takes to find rare faults.

/// Whether `make soak` runs the test.
pub fn is_soak() -> bool {
    std::env::var_os("SORDINO_SOAK").is_some_and(|value| value == "1")
}

/// How much of something a test does: `ordinary`, or `soak` where `make soak` runs it.
pub fn sized<T>(ordinary: T, soak: T) -> T {
    if is_soak() { soak } else { ordinary }
}
