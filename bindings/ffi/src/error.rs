//! The error type of all calls: its variant is the kind of error, its code distinguishes errors of one kind.

mod convert;

macro_rules! error_kinds {
    ($($(#[$docs:meta])* $kind:ident),* $(,)?) => {
        /// An error of any call. The variant is the kind of error. `code` is a stable identifier in kebab case, for programs.
        /// `message` says in one line what failed, on what, why, and what to do; it is for people, and may change.
        #[derive(Debug, thiserror::Error, uniffi::Error)]
        #[uniffi(name = "SordinoError")]
        pub enum Error {
            $(
                $(#[$docs])*
                #[error("{message}")]
                $kind {
                    /// A stable identifier in kebab case.
                    code: String,
                    /// One line for people.
                    message: String,
                },
            )*
        }

        /// A variant of [`Error`].
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum ErrorKind {
            $($kind,)*
        }

        impl Error {
            pub(crate) fn new(kind: ErrorKind, code: &str, message: impl ToString) -> Self {
                let (code, message) = (code.to_owned(), message.to_string());
                match kind {
                    $(ErrorKind::$kind => Self::$kind { code, message },)*
                }
            }

            /// The stable identifier.
            pub fn code(&self) -> &str {
                match self {
                    $(Self::$kind { code, .. } => code,)*
                }
            }
        }
    };
}
error_kinds! {
    /// An argument is invalid: a key, a URL, an id, bytes that are not whole frames.
    Argument,
    /// The engine is closed, or belongs to the process that this one was forked from.
    Closed,
    /// The sampling plan was refused.
    Plan,
    /// The system does not let the app use the microphone.
    PermissionDenied,
    /// There is no microphone, or none with the name or id asked for, or the sound service does not run.
    NoDevice,
    /// Another app has the microphone.
    DeviceBusy,
    /// Capture failed for another reason: an unsupported format, a device that was lost, a source that ended before it
    /// was open, a library without a microphone of its own, or a thread that could not be started.
    Capture,
    /// A capture session is open; an engine has one at a time.
    AlreadyListening,
    /// The capture session was stopped.
    Stopped,
    /// A listener of the app blocked the engine for over 5 s, or called a function that waits for listeners.
    ListenerBlocked,
    /// A mark was refused.
    Mark,
    /// An annotation is out of bounds.
    Annotation,
    /// The recording cannot be a clip: it is empty, has NaN, or an unsupported rate.
    Clip,
    /// Voice removal failed.
    Anonymize,
    /// Consent could not be recorded or changed.
    Consent,
    /// Sealing failed.
    Seal,
    /// The queue of samples: there is no such sample, or no space or budget for it.
    Outbox,
    /// Upload failed.
    Upload,
    /// The state folder cannot be used, is open in another engine, or was written by a newer version.
    State,
    /// The state folder is corrupt or was modified. It grants no consent until `reset` was called on it.
    Damaged,
    /// The folder holds no state of an engine.
    NoState,
    /// A bug in Sordino. The engine is closed; open it again.
    Internal,
}

impl Error {
    pub(crate) fn argument(message: impl ToString) -> Self {
        Self::new(ErrorKind::Argument, "invalid-argument", message)
    }

    pub(crate) fn closed() -> Self {
        let message = "the engine is closed; open it again";
        Self::new(ErrorKind::Closed, "closed", message)
    }

    pub(crate) fn stopped() -> Self {
        let message = "the capture session was stopped; start listening again";
        Self::new(ErrorKind::Stopped, "stopped", message)
    }

    pub(crate) fn panicked(panic: &str) -> Self {
        let message = format!(
            "a bug in Sordino: {panic}; the engine is closed, open it again and report this"
        );
        Self::new(ErrorKind::Internal, "panic", message)
    }
}
