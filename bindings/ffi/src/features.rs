//! The features of a build of the library. What it exports is the same in every build.

/// The features of this build of the library. A call that needs a missing one raises an error that names it.
#[derive(uniffi::Record)]
pub struct LibraryFeatures {
    /// Whether it can open the microphone: `listen_to_microphone` and `input_devices` raise `Capture`
    /// otherwise. Without it, use `listen_to_pcm_source`.
    pub microphone: bool,
    /// Whether it has an HTTP client: `upload` and `accesses` raise `Upload` otherwise. Without it the app sends the
    /// requests of `next_upload_task`.
    pub http: bool,
}

/// The features of this build of the library.
#[uniffi::export]
pub fn library_features() -> LibraryFeatures {
    LibraryFeatures {
        microphone: cfg!(feature = "microphone"),
        http: cfg!(feature = "http"),
    }
}
