//! Tokens of QA tools: made once, shown once, kept only as a digest.
//!
//! A token is 256 random bits, so a fast hash is enough, and finding it by its hash compares no
//! secret byte by byte.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use ring::rand::{SecureRandom as _, SystemRandom};
use sordino::{Purpose, Purposes};

use crate::{
    app::App,
    config::Config,
    database::{Database, DatabaseError},
    digest::Sha256,
    objects::create_private,
    problem::{Kind, Problem},
};

/// What every token begins with, so that scanners find one that went where it should not be.
const PREFIX: &str = "sordino_";

/// A new token's text: who has it reads samples.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
#[error("no token was made: {0}")]
pub struct TokenError(String);

impl Token {
    /// The text to hand over.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn random() -> Result<Self, TokenError> {
        let mut bytes = [0u8; 32];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| TokenError("the system's random source is not available".to_owned()))?;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(format!("{PREFIX}{digits}")))
    }
}

/// It never gets into a log by accident.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Makes a token in the collector's database, whether or not a collector is running on it.
///
/// # Errors
/// A name that is empty, longer than 100 bytes or holds control characters; no purposes; a database
/// that cannot be opened or written.
pub async fn create_token(
    config: &Config,
    name: &str,
    purposes: &Purposes,
) -> Result<Token, TokenError> {
    if name.trim().is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(TokenError(
            "the name must be 1 to 100 bytes of printable text".to_owned(),
        ));
    }
    if purposes.is_empty() {
        return Err(TokenError(
            "it would be good for no purpose; name one".to_owned(),
        ));
    }
    create_private(&config.data).map_err(|error| {
        TokenError(format!(
            "the folder `{}` cannot be made: {error}",
            config.data.display()
        ))
    })?;
    let path = config.database_path();
    let failed = |error: DatabaseError| {
        TokenError(format!("the database `{}` failed: {error}", path.display()))
    };
    let database = Database::open(&path).await.map_err(failed)?;
    let token = add_token(&database, name, purposes).await;
    database.close().await;
    token
}

async fn add_token(
    database: &Database,
    name: &str,
    purposes: &Purposes,
) -> Result<Token, TokenError> {
    let failed = |error: DatabaseError| TokenError(format!("the database failed: {error}"));
    let token = Token::random()?;
    let mut session = database.write().await.map_err(failed)?;
    let sha256 = Sha256::of(token.0.as_bytes());
    session
        .insert_token(sha256, name, purposes)
        .await
        .map_err(failed)?;
    session.commit().await.map_err(failed)?;
    Ok(token)
}

/// Whoever sent a request with a token.
pub(crate) struct Reader {
    pub(crate) name: String,
    purposes: Purposes,
}

impl Reader {
    /// # Errors
    /// `wrong-purpose`.
    pub(crate) fn check(&self, purpose: Purpose) -> Result<(), Problem> {
        match self.purposes.contains(purpose) {
            true => Ok(()),
            false => Err(Kind::WrongPurpose.because(format!(
                "the token is good for {}, not for {purpose}",
                self.purposes
            ))),
        }
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let bad =
            || Kind::BadToken.because("give `Authorization: Bearer TOKEN` with a valid token");
        let header = parts.headers.get(header::AUTHORIZATION).ok_or_else(bad)?;
        let (scheme, token) = header
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .ok_or_else(bad)?;
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Err(bad());
        }
        let sha256 = Sha256::of(token.trim().as_bytes());
        let known = app.storage.database.token(sha256).await?;
        let (name, purposes) = known.ok_or_else(bad)?;
        Ok(Self { name, purposes })
    }
}
