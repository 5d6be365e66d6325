//! Identity files.

use super::*;

#[test]
fn keygen_writes_what_age_reads_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("qa.key");
    let recipient = keygen(&path).unwrap();
    let [identity] = read_identity_file(&path).unwrap().try_into().ok().unwrap();
    assert_eq!(identity.to_public().to_string(), recipient.to_string());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&format!("# public key: {recipient}\nAGE-SECRET-KEY-1")));
    #[cfg(unix)]
    {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    let error = keygen(&path).unwrap_err();
    assert!(matches!(error, IdentityError::Exists { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let error = keygen(&folder.path().join("none/qa.key")).unwrap_err();
    assert!(matches!(error, IdentityError::Write { .. }), "{error}");
}

#[test]
fn an_identity_file_that_is_wrong_is_named_without_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("qa.key");
    let secret = Identity::generate().to_string();
    let secret = secret.expose_secret();
    for (text, said) in [
        (format!("# a comment\n\n{}X\n", secret), "line 3"),
        ("# a comment\n".to_owned(), "holds no identity"),
        (String::new(), "holds no identity"),
        (format!("{secret}\nage1nothing\n"), "line 2"),
    ] {
        fs::write(&path, text).unwrap();
        let error = read_identity_file(&path).err().unwrap().to_string();
        assert!(error.contains(said) && error.contains("qa.key"), "{error}");
        assert!(!error.contains(&secret[20..30]), "{error}");
    }
    // As an editor saves it, and as a passphrase leaves it.
    fs::write(&path, format!("\u{feff}{secret}\n")).unwrap();
    assert_eq!(read_identity_file(&path).unwrap().len(), 1);
    let passphrase = age::secrecy::SecretString::from("a passphrase".to_owned());
    let mut work = age::scrypt::Recipient::new(passphrase);
    work.set_work_factor(2);
    fs::write(&path, age::encrypt(&work, secret.as_bytes()).unwrap()).unwrap();
    let error = read_identity_file(&path).err().unwrap().to_string();
    assert!(error.contains("passphrase"), "{error}");
    let missing = read_identity_file(&folder.path().join("none"))
        .err()
        .unwrap();
    assert!(matches!(missing, IdentityError::Read { .. }), "{missing}");
    fs::write(&path, format!("# two\r\n{secret}\r\n\r\n{secret}\r\n")).unwrap();
    assert_eq!(read_identity_file(&path).unwrap().len(), 2);
}
