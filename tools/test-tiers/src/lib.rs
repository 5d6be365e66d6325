//! How many cases a test runs in each tier. In `make test` and `make test-all` they are the same each time, and just enough to
//! reach each behavior. `make soak` sets `SORDINO_SOAK=1`, and the same tests run many random cases, to find rare faults.

/// Whether `make soak` runs this test.
pub fn is_soak() -> bool {
    std::env::var_os("SORDINO_SOAK").is_some_and(|value| value == "1")
}

/// The value for this tier: `soak` in `make soak`, otherwise `ordinary`.
pub fn sized<T>(ordinary: T, soak: T) -> T {
    if is_soak() { soak } else { ordinary }
}
