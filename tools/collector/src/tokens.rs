//! Tokens of QA tools: made once, shown once, kept only as a digest, good until they expire or are
//! revoked.
//!
//! A token is 256 random bits, so a fast hash is enough, and finding it by its hash compares no
//! secret byte by byte. What is kept of its time are whole days.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use jiff::{ToSpan as _, civil::Date};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize;
use sordino::{Purpose, Purposes};

use crate::{
    app_state::{AppState, today},
    config::Config,
    database::{Database, DatabaseError, NewToken, Session, TokenRow},
    digest::Sha256,
    middleware::NetworkKey,
    blob_store::create_private,
    errors::{ProblemType, Problem},
};

/// What every token begins with, so that scanners find one that went where it should not be.
const PREFIX: &str = "sordino_";
/// Digits of a token's digest that name it in a list.
const ID_DIGITS: usize = 12;
/// The fewest of them that revoke one.
const MIN_ID_DIGITS: usize = 6;

/// A new token's text: who has it reads samples.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// How long a new token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// So many days from today, at most [`Lifetime::LONGEST`].
    Days(u16),
    /// Through this day, in UTC.
    Through(Date),
}

impl Lifetime {
    /// The most days: some ten years.
    pub const MAX_DAYS: u16 = 3660;

    /// The last day on which a token made `today` is good.
    fn end(self, today: Date) -> Result<Date, TokenError> {
        let latest = today.saturating_add(i64::from(Self::MAX_DAYS).days());
        let end = match self {
            Self::Days(days) => today.saturating_add(i64::from(days).days()),
            Self::Through(day) => day,
        };
        if end < today {
            return Err(TokenError(format!(
                "it would have expired on {end}; name a later day"
            )));
        }
        if end > latest {
            return Err(TokenError(format!(
                "it would be good through {end}; {latest} is the latest"
            )));
        }
        Ok(end)
    }
}

impl Default for Lifetime {
    /// 90 days: longer than most work with a set of samples, shorter than a forgotten laptop's life.
    fn default() -> Self {
        Self::Days(90)
    }
}

/// What is known of a token, which is not its text.
#[derive(Clone, Debug, Serialize)]
pub struct ListedToken {
    /// The first digits of its digest, by which it can be revoked.
    pub id: String,
    /// Who reads with it.
    pub name: String,
    /// What it is good for.
    pub purposes: Purposes,
    /// The day on which it was made, where that is known.
    pub created: Option<Date>,
    /// The last day on which it is good; `None` for ever, as the oldest were made.
    pub expires: Option<Date>,
    /// The day on which it was revoked.
    pub revoked: Option<Date>,
    /// Whether it is good today.
    pub state: TokenState,
}

/// Whether a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenState {
    /// It is.
    Good,
    /// It was, until its last day.
    Expired,
    /// It was taken back.
    Revoked,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
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
/// A name that is empty, longer than 100 bytes, holds control characters or is that of a valid token; no
/// purposes; a lifetime that is over or too long; a database that cannot be opened or written.
pub async fn create_token(
    config: &Config,
    name: &str,
    purposes: &Purposes,
    lifetime: Lifetime,
) -> Result<(Token, ListedToken), TokenError> {
    if name.trim().is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(TokenError(
            "no token was made: the name must be 1 to 100 bytes of printable text".to_owned(),
        ));
    }
    if purposes.is_empty() {
        return Err(TokenError(
            "no token was made: it would be good for no purpose; name one".to_owned(),
        ));
    }
    let created = today();
    let expires = lifetime
        .end(created)
        .map_err(|error| TokenError(format!("no token was made: {error}")))?;
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
        // The person's list shows readers by these names: two who had the same could not be told apart.
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
            "no token was made: a valid one has the name `{name}`; revoke it, or give another name"
        )));
    }
    Ok((token, ListedToken::from(row)))
}

/// All tokens that were ever made, by name.
///
/// # Errors
/// A database that cannot be opened or read.
pub async fn list_tokens(config: &Config) -> Result<Vec<ListedToken>, TokenError> {
    let rows = with_tokens(config, async |session| session.tokens().await).await?;
    Ok(rows.into_iter().map(ListedToken::from).collect())
}

/// Revokes all tokens of a name; or the one whose id begins so; or the one whose text it is. Returns
/// those that were good until now.
///
/// # Errors
/// No token, or several, of this id; a database that cannot be opened or written.
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
            "{many} tokens have an id that begins with `{which}`; give more digits"
        ))),
        TokenMatch::None => Err(TokenError(format!(
            "no token has the name `{which}` or an id that begins so; `token list` shows them"
        ))),
    }
}

/// Which tokens are meant.
enum TokenMatch {
    Tokens(Vec<TokenRow>),
    Ambiguous(usize),
    None,
}

impl TokenMatch {
    fn find(rows: &[TokenRow], which: &str) -> Self {
        let all = |is_meant: &dyn Fn(&TokenRow) -> bool| -> Vec<TokenRow> {
            rows.iter().filter(|row| is_meant(row)).cloned().collect()
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

/// Does something with the tokens, whether or not a collector is running on them.
async fn with_tokens<T>(
    config: &Config,
    work: impl AsyncFnOnce(&mut Session) -> Result<T, DatabaseError>,
) -> Result<T, TokenError> {
    create_private(&config.data).map_err(|error| {
        let folder = config.data.display();
        TokenError(format!("the folder `{folder}` cannot be made: {error}"))
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
    fn state(&self, today: Date) -> TokenState {
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

/// Whoever sent a request with a token that is good.
pub(crate) struct Reader {
    pub(crate) name: String,
    purposes: Purposes,
    metrics: crate::metrics::Metrics,
}

impl Reader {
    /// # Errors
    /// `wrong-purpose`.
    pub(crate) fn check(&self, purpose: Purpose) -> Result<(), Problem> {
        if self.purposes.contains(purpose) {
            return Ok(());
        }
        self.metrics.token_refused("purpose");
        Err(ProblemType::WrongPurpose.with_detail(format!(
            "the token is good for {}, not for {purpose}",
            self.purposes
        )))
    }
}

impl FromRequestParts<AppState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let row = authenticate(parts, app).await?;
        let refused = |reason: &'static str, detail: String| {
            app.metrics.token_refused(reason);
            ProblemType::BadToken.with_detail(detail)
        };
        match row.state(today()) {
            TokenState::Good => {}
            TokenState::Expired => {
                let last = row.expires.map(|day| day.to_string()).unwrap_or_default();
                let detail =
                    format!("the token expired: {last} was its last day; ask for a new one");
                return Err(refused("expired", detail));
            }
            TokenState::Revoked => {
                let day = row.revoked.map(|day| day.to_string()).unwrap_or_default();
                let detail = format!("the token was revoked on {day}; ask for a new one");
                return Err(refused("revoked", detail));
            }
        }
        refund_network(parts, app);
        Ok(Self {
            name: row.name,
            purposes: row.purposes,
            metrics: app.metrics.clone(),
        })
    }
}

/// Whoever ever had a token, whatever it was good for and whether or not it still is: they may have copies, and so
/// are told which to remove.
pub(crate) struct FormerReader;

impl FromRequestParts<AppState> for FormerReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        authenticate(parts, app).await?;
        refund_network(parts, app);
        Ok(Self)
    }
}

/// What is known of the token that a request shows.
///
/// # Errors
/// `bad-token` where there is none, or where it was never made here.
async fn authenticate(parts: &Parts, app: &AppState) -> Result<TokenRow, Problem> {
    let refused = |reason, detail: &str| {
        app.metrics.token_refused(reason);
        ProblemType::BadToken.with_detail(detail)
    };
    let token = bearer(parts)
        .ok_or_else(|| refused("none", "give a token, as `Authorization: Bearer TOKEN`"))?;
    let row = app
        .storage
        .database
        .token(Sha256::digest(token.as_bytes()))
        .await?;
    row.ok_or_else(|| {
        refused(
            "unknown",
            "this collector made no such token; it may be cut off, or another collector's",
        )
    })
}

/// A request with a token is not counted against its network.
fn refund_network(parts: &Parts, app: &AppState) {
    if let Some(NetworkKey(key)) = parts.extensions.get() {
        app.limiter.refund(*key);
    }
}

/// The token that a request shows.
fn bearer(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(header::AUTHORIZATION)?;
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}
