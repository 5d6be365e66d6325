//! What app stores ask.
//!
//! Google Play: "Provide information for Google Play's Data safety section" (Play Console help). Apple:
//! "App privacy details on the App Store", "Describing data use in privacy manifests", "Describing use of
//! required reason API".

use super::evidence::Evidence;

/// A kind of data, in the words of either store.
#[derive(Clone, Copy, Debug)]
pub struct StoreData {
    /// What it is.
    pub what: &'static str,
    /// Google's category and type.
    pub google: (&'static str, &'static str),
    /// Google's purposes.
    pub google_purposes: &'static [&'static str],
    /// Apple's category and type.
    pub apple: (&'static str, &'static str),
    /// Apple's name for the type in a privacy manifest.
    pub apple_constant: &'static str,
    /// Apple's purposes, and their names in a privacy manifest.
    pub apple_purposes: &'static [(&'static str, &'static str)],
    /// Why these types and not others.
    pub because: &'static str,
    /// Why Google's purposes.
    pub because_google: &'static str,
    /// Why Apple's purposes.
    pub because_apple: &'static str,
}

/// An API that Apple wants a reason for.
#[derive(Clone, Copy, Debug)]
pub struct AppleApi {
    /// Apple's name for the category.
    pub category: &'static str,
    /// The code of the reason; none where the library calls nothing of the category.
    pub reason: Option<&'static str>,
    /// What calls it, and for what.
    pub because: &'static str,
    /// Where.
    pub evidence: &'static [Evidence],
}

const ANALYTICS: (&str, &str) = ("Analytics", "NSPrivacyCollectedDataTypePurposeAnalytics");
const OTHER: (&str, &str) = ("Other Purposes", "NSPrivacyCollectedDataTypePurposeOther");
const FUNCTIONALITY: (&str, &str) = (
    "App Functionality",
    "NSPrivacyCollectedDataTypePurposeAppFunctionality",
);

/// What is collected, in the words of the stores.
pub const STORE_DATA: &[StoreData] = &[
    StoreData {
        what: "sound of samples",
        google: ("Audio", "Voice or sound recordings"),
        google_purposes: &["Analytics"],
        apple: ("User Content", "Audio Data"),
        apple_constant: "NSPrivacyCollectedDataTypeAudioData",
        apple_purposes: &[ANALYTICS, OTHER],
        because: "A sample is a recording by the microphone. It is not one of the person's music files, nor a file \
                  that they provide. That voices are taken out does not change the type: one can be missed.",
        because_google: "Both uses look at how the app performs, to make it better.",
        because_apple: "Quality assurance looks at how well a feature works: analytics. Research on recognition serves \
                        no feature that the person uses now, and no other purpose fits. App functionality is not \
                        claimed, since the app works the same without.",
    },
    StoreData {
        what: "annotations of samples: notes asked for, notes recognized, exercise",
        google: ("App activity", "Other actions"),
        google_purposes: &["Analytics"],
        apple: ("Usage Data", "Other Usage Data"),
        apple_constant: "NSPrivacyCollectedDataTypeOtherUsageData",
        apple_purposes: &[ANALYTICS, OTHER],
        because: "What was practiced, and what the recognizer heard, is activity in the app; it is no content that \
                  the person wrote.",
        because_google: "As the sound, which cannot be judged without it.",
        because_apple: "As the sound, which cannot be judged without it.",
    },
    StoreData {
        what: "consent records: purposes, age band, guardian's method and evidence hash, notice, weeks",
        google: ("Personal info", "Other info"),
        google_purposes: &["Fraud prevention, security, and compliance"],
        apple: ("Other Data", "Other Data Types"),
        apple_constant: "NSPrivacyCollectedDataTypeOtherDataTypes",
        apple_purposes: &[FUNCTIONALITY],
        because: "A record says whether the person is an adult and how a guardian was verified; no other type fits.",
        because_google: "It is kept to honor consent and to prove it, as law asks.",
        because_apple: "It is kept to honor consent and to prove it.",
    },
    StoreData {
        what: "random ids of consent records and samples",
        google: ("Device or other IDs", "Device or other IDs"),
        google_purposes: &["Fraud prevention, security, and compliance"],
        apple: ("Other Data", "Other Data Types"),
        apple_constant: "NSPrivacyCollectedDataTypeOtherDataTypes",
        apple_purposes: &[FUNCTIONALITY],
        because: "A record's id is random, made anew with each consent, and known to this collector only. It \
                  identifies neither a device nor an account.",
        because_google: "The type takes in what relates to one installation of an app, so the ids are declared. They \
                         serve consent, withdrawal and deletion.",
        because_apple: "Neither \"User ID\" nor \"Device ID\" fits what identifies no account and no device. They \
                        serve consent, withdrawal and deletion.",
    },
];

/// Apple's five categories, and what the library calls of each.
pub const APPLE_APIS: &[AppleApi] = &[
    AppleApi {
        category: "NSPrivacyAccessedAPICategoryFileTimestamp",
        reason: Some("C617.1"),
        because: "`stat` and `fstat`, through the standard library and the store: lengths of files and whether they are \
                  there, in the state folder inside the app's container. No timestamp is read. An app that plays a \
                  file from outside its container to the SDK adds 3B52.1",
        evidence: &[
            Evidence::code("src/files.rs"),
            Evidence::code("src/state.rs"),
            Evidence::code("src/upload/client.rs"),
        ],
    },
    AppleApi {
        category: "NSPrivacyAccessedAPICategorySystemBootTime",
        reason: Some("35F9.1"),
        because: "`mach_absolute_time`, in cpal's stream clock (feature `microphone`): time elapsed within the app. It is \
                  not sent. Without that feature only `clock_gettime` is called, which Apple does not list",
        evidence: &[
            Evidence::code("src/capture/microphone.rs"),
            Evidence::code("src/capture/driver.rs"),
        ],
    },
    AppleApi {
        category: "NSPrivacyAccessedAPICategoryDiskSpace",
        reason: None,
        because: "a full disk is met when a write fails, not asked about before",
        evidence: &[Evidence::test(
            "src/engine/tests/faults.rs",
            "on_a_full_disk_a_sample_fails_whole_and_the_engine_goes_on_once_there_is_room",
        )],
    },
    AppleApi {
        category: "NSPrivacyAccessedAPICategoryActiveKeyboards",
        reason: None,
        because: "the library has no text input",
        evidence: &[],
    },
    AppleApi {
        category: "NSPrivacyAccessedAPICategoryUserDefaults",
        reason: None,
        because: "state is a folder that the app names",
        evidence: &[Evidence::code("src/state.rs")],
    },
];
