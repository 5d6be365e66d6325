//! Tokens of QA tools. They are shown once, stored as a digest only, and valid until they expire or are revoked.
//!
//! A token has 256 random bits, so a fast hash is sufficient, and looking it up by its hash is not a timing side
//! channel. Only whole days are stored.

use jiff::{ToSpan as _, civil::Date};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize;
use sordino::Purposes;

use crate::{
    blob_store::create_private,
    config::Config,
    database::{Database, DatabaseError, NewToken, Session, TokenRow},
    dates::today,
    digest::Sha256,
};

/// The prefix of every token, so that secret scanners can detect leaked ones.
const PREFIX: &str = "sordino_";
/// The number of digits of a token's digest that form its id.
const ID_DIGITS: usize = 12;
/// The minimum number of digits to revoke a token by its id.
const MIN_ID_DIGITS: usize = 6;

/// The secret text of a new token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The validity of a new token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// This number of days from today, at most [`Lifetime::MAX_DAYS`].
    Days(u16),
    /// Through this day, in UTC.
    Through(Date),
}

impl Lifetime {
    /// The maximum number of days: about ten years.
    pub const MAX_DAYS: u16 = 3660;

    /// The last valid day of a token that is created `today`.
    fn end(self, today: Date) -> Result<Date, TokenError> {
        let latest = today.saturating_add(i64::from(Self::MAX_DAYS).days());
        let end = match self {
            Self::Days(days) => today.saturating_add(i64::from(days).days()),
            Self::Through(day) => day,
        };
        if end < today {
            return Err(TokenError(format!(
                "it would expire on {end}; specify a later day"
            )));
        }
        if end > latest {
            return Err(TokenError(format!(
                "it would be valid through {end}; the latest day is {latest}"
            )));
        }
        Ok(end)
    }
}

impl Default for Lifetime {
    /// 90 days: longer than most reviews, and a limit for forgotten tokens.
    fn default() -> Self {
        Self::Days(90)
    }
}

/// A token without its secret text.
#[derive(Clone, Debug, Serialize)]
pub struct ListedToken {
    /// The first digits of its digest, by which it can be revoked.
    pub id: String,
    /// The name of the reader.
    pub name: String,
    /// The purposes for which it is valid.
    pub purposes: Purposes,
    /// The day of its creation, if known.
    pub created: Option<Date>,
    /// The last valid day; `None` for tokens of the oldest versions, which do not expire.
    pub expires: Option<Date>,
    /// The day of its revocation.
    pub revoked: Option<Date>,
    /// The state today.
    pub state: TokenState,
}

/// The state of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenState {
    /// Valid.
    Good,
    /// The last day has passed.
    Expired,
    /// Revoked.
    Revoked,
}

/// An error of the token management.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TokenError(String);

impl Token {
    /// The secret text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn random() -> Result<Self, TokenError> {
        let mut bytes = [0u8; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| {
            TokenError("the system's random number generator is not available".to_owned())
        })?;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(format!("{PREFIX}{digits}")))
    }
}

/// Hides the secret text, so that it is not logged by accident.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Creates a token in the collector's database. A collector may be running.
///
/// # Errors
/// The name is empty, longer than 100 bytes, contains control characters or is that of a valid token; there are no
/// purposes; the lifetime is in the past or too long; or the database failed.
pub async fn create_token(
    config: &Config,
    name: &str,
    purposes: &Purposes,
    lifetime: Lifetime,
) -> Result<(Token, ListedToken), TokenError> {
    if name.trim().is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(TokenError(
            "cannot create the token: the name must be 1 to 100 bytes of printable text".to_owned(),
        ));
    }
    if purposes.is_empty() {
        return Err(TokenError(
            "cannot create the token: no purpose is specified".to_owned(),
        ));
    }
    let created = today();
    let expires = lifetime
        .end(created)
        .map_err(|error| TokenError(format!("cannot create the token: {error}")))?;
    let token = Token::random()?;
    let row = TokenRow {
        sha256: Sha256::digest(token.0.as_bytes()),
        name: name.to_owned(),
        purposes: purposes.clone(),
        created: Some(created),
        expires: Some(expires),
        revoked: None,
    };
    let is_taken = with_tokens(config, async |session| {
        // The access log identifies readers by these names.
        let is_taken = |row: &TokenRow| row.name == name && row.state(created) == TokenState::Good;
        if session.tokens().await?.iter().any(is_taken) {
            return Ok(true);
        }
        let new = NewToken {
            sha256: row.sha256,
            name,
            purposes,
            created,
            expires,
        };
        session.insert_token(&new).await?;
        Ok(false)
    })
    .await?;
    if is_taken {
        return Err(TokenError(format!(
            "cannot create the token: a valid token has the name `{name}`; revoke it or choose another name"
        )));
    }
    Ok((token, ListedToken::from(row)))
}

/// Lists all tokens that were ever created, by name.
///
/// # Errors
/// The database failed.
pub async fn list_tokens(config: &Config) -> Result<Vec<ListedToken>, TokenError> {
    let rows = with_tokens(config, async |session| session.tokens().await).await?;
    Ok(rows.into_iter().map(ListedToken::from).collect())
}

/// Revokes all tokens with a name, or the one with an id prefix, or the one with this text. Returns those that were not
/// revoked before.
///
/// # Errors
/// No token or several tokens match, or the database failed.
pub async fn revoke_tokens(config: &Config, which: &str) -> Result<Vec<ListedToken>, TokenError> {
    let (named, revoked) = with_tokens(config, async |session| {
        let rows = session.tokens().await?;
        let named = TokenMatch::find(&rows, which);
        let mut revoked = Vec::new();
        if let TokenMatch::Tokens(rows) = &named {
            for row in rows.iter().filter(|row| row.revoked.is_none()) {
                session.revoke_token(row.sha256, today()).await?;
                revoked.push(TokenRow {
                    revoked: Some(today()),
                    ..row.clone()
                });
            }
        }
        Ok((named, revoked))
    })
    .await?;
    match named {
        TokenMatch::Tokens(_) => Ok(revoked.into_iter().map(ListedToken::from).collect()),
        TokenMatch::Ambiguous(many) => Err(TokenError(format!(
            "{many} tokens have an id that begins with `{which}`; specify more digits"
        ))),
        TokenMatch::None => Err(TokenError(format!(
            "no token has the name `{which}` or an id that begins with it; `token list` shows all tokens"
        ))),
    }
}

/// The tokens that match an argument.
enum TokenMatch {
    Tokens(Vec<TokenRow>),
    Ambiguous(usize),
    None,
}

impl TokenMatch {
    fn find(rows: &[TokenRow], which: &str) -> Self {
        let all = |matches: &dyn Fn(&TokenRow) -> bool| -> Vec<TokenRow> {
            rows.iter().filter(|row| matches(row)).cloned().collect()
        };
        let named = all(&|row| row.name == which);
        if !named.is_empty() {
            return Self::Tokens(named);
        }
        let digits = match which.starts_with(PREFIX) {
            true => Sha256::digest(which.as_bytes()).to_string(),
            false => which.to_owned(),
        };
        let found = match digits.len() {
            ..MIN_ID_DIGITS => Vec::new(),
            _ => all(&|row| row.sha256.to_string().starts_with(&digits)),
        };
        match found.len() {
            0 => Self::None,
            1 => Self::Tokens(found),
            many => Self::Ambiguous(many),
        }
    }
}

/// Runs `work` in a transaction. A collector may be running.
async fn with_tokens<T>(
    config: &Config,
    work: impl AsyncFnOnce(&mut Session) -> Result<T, DatabaseError>,
) -> Result<T, TokenError> {
    create_private(&config.data).map_err(|error| {
        let folder = config.data.display();
        TokenError(format!("cannot create the folder `{folder}`: {error}"))
    })?;
    let url = config.database_url();
    let failed = |error: DatabaseError| TokenError(format!("the database `{url}` failed: {error}"));
    let database = Database::open(&url).await.map_err(failed)?;
    let done = async {
        let mut session = database.write().await?;
        let done = work(&mut session).await?;
        session.commit().await?;
        Ok(done)
    };
    let done = done.await.map_err(failed);
    database.close().await;
    done
}

impl TokenRow {
    /// The state of the token on `today`.
    pub(crate) fn state(&self, today: Date) -> TokenState {
        match (self.revoked, self.expires) {
            (Some(_), _) => TokenState::Revoked,
            (None, Some(last)) if last < today => TokenState::Expired,
            _ => TokenState::Good,
        }
    }
}

impl From<TokenRow> for ListedToken {
    fn from(row: TokenRow) -> Self {
        let mut id = row.sha256.to_string();
        id.truncate(ID_DIGITS);
        Self {
            id,
            state: row.state(today()),
            name: row.name,
            purposes: row.purposes,
            created: row.created,
            expires: row.expires,
            revoked: row.revoked,
        }
    }
}
