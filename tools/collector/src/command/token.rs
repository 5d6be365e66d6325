//! `sordino-collector token`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sordino::{Purpose, text::printable_line};
use sordino_collector::{
    Lifetime, ListedToken, TokenState, create_token, list_tokens, revoke_tokens,
};

use super::{CommandResult, StoreArgs, print};

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token and print it once. A collector may be running.
    Create(Create),
    /// List the tokens with their names, purposes and expiry dates. The tokens themselves are not stored.
    List(List),
    /// Revoke tokens immediately.
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    place: StoreArgs,
    /// The name of the reader, which people see in the access log of their samples.
    #[arg(long)]
    name: String,
    /// The purposes: quality-assurance, recognition-research.
    #[arg(long, required = true, num_args = 1.., value_name = "P")]
    purpose: Vec<Purpose>,
    /// The last day on which it is valid, in UTC, for example 2027-06-30.
    #[arg(long, value_name = "DATE", conflicts_with = "days")]
    expires: Option<jiff::civil::Date>,
    /// The number of days for which it is valid [default: 90].
    #[arg(long, value_name = "N")]
    days: Option<u16>,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: StoreArgs,
}

#[derive(Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    place: StoreArgs,
    /// The name of the tokens, a prefix of an id that `token list` shows, or the token itself.
    #[arg(value_name = "NAME|ID")]
    which: String,
}

impl TokenCommand {
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        match self {
            Self::Create(create) => create.run(as_json).await,
            Self::List(list) => list.run(as_json).await,
            Self::Revoke(revoke) => revoke.run(as_json).await,
        }
    }
}

impl Create {
    async fn run(&self, as_json: bool) -> CommandResult {
        let purposes = self.purpose.iter().copied().collect();
        let lifetime = match (self.expires, self.days) {
            (Some(day), _) => Lifetime::Through(day),
            (None, Some(days)) => Lifetime::Days(days),
            (None, None) => Lifetime::default(),
        };
        let config = self.place.existing_config()?;
        let (token, made) = create_token(&config, &self.name, &purposes, lifetime).await?;
        let token = token.as_str();
        let expires = made.expires.map(|day| day.to_string());
        print(&match as_json {
            true => json!({
                "token": token, "id": made.id, "name": made.name, "purposes": purposes,
                "expires": expires,
            })
            .to_string(),
            false => format!(
                "{} may read for {purposes} through {}, shown only now: {token}",
                printable_line(&made.name),
                expires.unwrap_or_default(),
            ),
        })?;
        Ok(())
    }
}

impl List {
    async fn run(&self, as_json: bool) -> CommandResult {
        let tokens = list_tokens(&self.place.existing_config()?).await?;
        if as_json {
            print(&json!({"tokens": tokens}).to_string())?;
            return Ok(());
        }
        for token in &tokens {
            print(&line(token))?;
        }
        Ok(())
    }
}

impl Revoke {
    async fn run(&self, as_json: bool) -> CommandResult {
        let revoked = revoke_tokens(&self.place.existing_config()?, &self.which).await?;
        if as_json {
            let revoked: Vec<Value> = revoked.iter().map(|token| json!(token)).collect();
            print(&json!({"revoked": revoked}).to_string())?;
            return Ok(());
        }
        for token in &revoked {
            print(&line(token))?;
        }
        if revoked.is_empty() {
            print("already revoked")?;
        }
        Ok(())
    }
}

fn line(token: &ListedToken) -> String {
    let day = |day: Option<jiff::civil::Date>| day.map_or("?".to_owned(), |day| day.to_string());
    let state = match (token.state, token.expires) {
        (TokenState::Good, Some(last)) => format!("valid through {last}"),
        (TokenState::Good, None) => "valid without expiry".to_owned(),
        (TokenState::Expired, last) => format!("expired after {}", day(last)),
        (TokenState::Revoked, _) => format!("revoked on {}", day(token.revoked)),
    };
    format!(
        "{}  {}: {}, {state}",
        token.id,
        printable_line(&token.name),
        token.purposes
    )
}
