//! Detection of other keys given instead of an age X25519 identity, for helpful errors.

/// The kind of text that was given instead of an age X25519 identity (`AGE-SECRET-KEY-1…`). It never quotes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OtherKey {
    /// An age file, which may be an identity with a passphrase.
    #[error(
        "encrypted, as an identity with a passphrase is; decrypt it first, by `age --decrypt --output qa.key FILE`"
    )]
    Encrypted,
    /// A private key of SSH.
    #[error(
        "a private key of SSH, which samples are not sealed to; make an age identity with `sordino keygen`"
    )]
    Ssh,
    /// A key of OpenPGP.
    #[error(
        "a key of OpenPGP, which samples are not sealed to; make an age identity with `sordino keygen`"
    )]
    Pgp,
    /// Another private key in PEM, such as that of a certificate.
    #[error("a key in PEM, as certificates have it; make an age identity with `sordino keygen`")]
    Pem,
    /// An identity of an age plugin.
    #[error(
        "an identity of an age plugin, which is not supported; open the sample with `age --decrypt` and that plugin, or \
         make an X25519 identity with `sordino keygen`"
    )]
    Plugin,
    /// A post-quantum identity of age.
    #[error(
        "a post-quantum identity of age, which is not supported; make an X25519 identity with `sordino keygen`"
    )]
    PostQuantum,
    /// The public half.
    #[error(
        "a recipient, the public half of a key; give the file with the identity (AGE-SECRET-KEY-1…) it belongs to"
    )]
    Recipient,
    /// The organization's key for plans.
    #[error(
        "the organization's key, which signs plans; give the QA engineer's, which `sordino keygen` makes"
    )]
    Plan,
    /// A token of a collector.
    #[error("a token of a collector; give the file with the age identity")]
    Token,
    /// An identity with a typing error.
    #[error("an age identity that was cut off or mistyped: its checksum does not fit")]
    Mistyped,
    /// UTF-16, as some editors and shells of Windows write it.
    #[error("UTF-16 text; save it as UTF-8")]
    Utf16,
    /// Something else.
    #[error("not an age X25519 identity (AGE-SECRET-KEY-1…)")]
    Unknown,
}

impl OtherKey {
    /// Detects a file by its beginning.
    pub(super) fn from_file(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let begins = |with: &str| bytes.trim_ascii_start().starts_with(with.as_bytes());
        // A secret key packet of RFC 9580 (tag 5), in the old and the new format.
        let is_packet = matches!(bytes, [0x94 | 0x95 | 0xc5, ..]);
        match () {
            () if begins("age-encryption.org/") => Some(Self::Encrypted),
            () if begins("-----BEGIN AGE ENCRYPTED FILE-----") => Some(Self::Encrypted),
            () if begins("-----BEGIN OPENSSH PRIVATE KEY-----") => Some(Self::Ssh),
            () if begins("PuTTY-User-Key-File-") => Some(Self::Ssh),
            () if begins("-----BEGIN PGP ") || is_packet => Some(Self::Pgp),
            () if begins("-----BEGIN ") => Some(Self::Pem),
            () => None,
        }
    }

    /// Detects a line that is not an identity.
    pub(super) fn from_line(line: &str) -> Self {
        let upper = line.to_ascii_uppercase();
        let begins = |with: &str| upper.starts_with(with);
        match () {
            () if begins("AGE-SECRET-KEY-PQ-") => Self::PostQuantum,
            () if begins("AGE-SECRET-KEY-1") => Self::Mistyped,
            () if begins("AGE-PLUGIN-") => Self::Plugin,
            () if begins("AGE1") => Self::Recipient,
            () if begins("SSH-") || begins("ECDSA-SHA2-") || begins("SK-SSH-") => Self::Ssh,
            () if begins("SORDINO-PLAN-KEY-") => Self::Plan,
            () if begins("SORDINO_") => Self::Token,
            () => Self::Unknown,
        }
    }
}
