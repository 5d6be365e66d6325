//! Opening a database: connections, and tables brought up to date.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{
    AnyConnection, ConnectOptions as _, Connection as _, Executor as _, Row as _,
    any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers},
};
use tokio::time::timeout;

use super::{Database, DatabaseError, System, migrations::migrator};
use crate::{
    config::{DatabaseUrl, PostgresUrl},
    file_identity::FileIdentity,
};

/// How long this process's own transactions are waited for, and a server that does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections that read while another writes.
const READERS: u32 = 4;

/// What every connection to SQLite is told first. WAL lets others read while one writes; FULL, so
/// that what was acknowledged outlives a power cut; another process's transaction is waited for, in
/// milliseconds; what was deleted is overwritten, not left in free pages.
const SQLITE_SETTINGS: &str = "
    PRAGMA busy_timeout = 10000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
";

/// What every connection to PostgreSQL is told first: locks are waited for as long as SQLite's; a
/// server that was set not to sync what it commits does so here; and a transaction whose client fell
/// silent gives the lock back.
const POSTGRES_SETTINGS: &str = "
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local');
";

impl Database {
    /// Opens the database, a SQLite file made where there is none, and brings its tables up to date.
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self, DatabaseError> {
        install_default_drivers();
        match url {
            DatabaseUrl::Sqlite(path) => Self::open_sqlite(path).await,
            DatabaseUrl::Postgres(url) => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, DatabaseError> {
        let options = sqlite_options(path)?;
        let lock = lock_for_migration(path).await?;
        create_private_file(path)?;
        // A pool tries again until a turn's wait is over, whatever is wrong with a connection. A file that is no
        // database never becomes one, and what SQLite says of it is what is to be told.
        let quiet = options.clone().disable_statement_logging();
        let mut first = AnyConnection::connect_with(&quiet).await?;
        apply_settings(System::Sqlite, &mut first).await?;
        let mut database = Self::connect(System::Sqlite, options).await?;
        database.file = Some(FileIdentity::new(path)?);
        first.close().await?;
        database.migrate_unchained_accesses().await?;
        database.extend_tree().await?;
        drop(lock);
        Ok(database)
    }

    async fn open_postgres(url: &PostgresUrl) -> Result<Self, DatabaseError> {
        let options: AnyConnectOptions = url.with_password().parse()?;
        reject_transaction_pooler(&options.clone().disable_statement_logging()).await?;
        let database = Self::connect(System::Postgres, options).await?;
        // Under the lock of all writers: of several collectors that open it at once, one does it.
        database.extend_tree().await?;
        Ok(database)
    }

    async fn connect(system: System, options: AnyConnectOptions) -> Result<Self, DatabaseError> {
        // Statements are not logged: the log names nothing that was sent.
        let options = options.disable_statement_logging();
        let suspect = Arc::new(AtomicBool::new(false));
        let writer = pool(system, 1, suspect.clone())
            .connect_with(options.clone())
            .await?;
        migrator(system).run(&writer).await?;
        Ok(Self {
            system,
            writer,
            readers: pool(system, READERS, Arc::default()).connect_lazy_with(options),
            suspect,
            file: None,
        })
    }
}

/// How long the look for a pooler may take.
const POOLER_CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// A pooler in transaction mode, as pgbouncer has one, gives each transaction of a connection to whichever server
/// process is free. What a connection is told once, its settings and its prepared statements, is then not there, or
/// another's. It shows where a setting is lost while another connection has a transaction open.
async fn reject_transaction_pooler(options: &AnyConnectOptions) -> Result<(), DatabaseError> {
    const SETTING: &str = "SELECT current_setting('lock_timeout')";
    let mut ours = AnyConnection::connect_with(options).await?;
    let mut another = AnyConnection::connect_with(options).await?;
    let look = async {
        ours.execute(sqlx::raw_sql("SET lock_timeout = '9876ms'"))
            .await?;
        another.execute(sqlx::raw_sql("BEGIN; SELECT 1")).await?;
        let setting = ours.fetch_one(sqlx::raw_sql(SETTING)).await?;
        another.execute(sqlx::raw_sql("ROLLBACK")).await?;
        Ok::<bool, sqlx::Error>(setting.try_get::<String, _>(0)? == "9876ms")
    };
    // With one server process for both, the last question is never answered.
    let keeps_settings = match timeout(POOLER_CHECK_TIMEOUT, look).await {
        Ok(found) => found?,
        Err(_) => false,
    };
    drop((ours, another));
    match keeps_settings {
        true => Ok(()),
        false => Err(DatabaseError::Pooler),
    }
}

fn pool(system: System, connections: u32, suspect: Arc<AtomicBool>) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| Box::pin(apply_settings(system, connection)))
        // A transaction that failed may have been undone by the database itself, on a full disk say. The driver then
        // cannot undo it once more, and would take the next one for a part of it, for ever.
        .before_acquire(move |connection, _| {
            let is_good = !connection.is_in_transaction() && !suspect.swap(false, Ordering::SeqCst);
            Box::pin(async move { Ok(is_good) })
        })
}

async fn apply_settings(system: System, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let settings = match system {
        System::Sqlite => SQLITE_SETTINGS,
        System::Postgres => POSTGRES_SETTINGS,
    };
    connection.execute(sqlx::raw_sql(settings)).await?;
    Ok(())
}

/// The driver takes a URL alone. This one has no slashes, so that nothing in the path is taken for a
/// host or made shorter.
fn sqlite_options(path: &Path) -> Result<AnyConnectOptions, DatabaseError> {
    let text = path
        .to_str()
        .ok_or_else(|| DatabaseError::Path(path.to_owned()))?;
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Ok(format!("sqlite:{escaped}").parse()?)
}

/// Two processes that make the tables at once would trip over each other; SQLite's own lock does
/// not span all migrations.
async fn lock_for_migration(database: &Path) -> Result<File, std::io::Error> {
    let mut path = PathBuf::from(database).into_os_string();
    path.push(".lock");
    let lock = move || {
        let file = File::options().create(true).append(true).open(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock)
        .await
        .map_err(std::io::Error::other)?
}

/// The database names consent records, so only its owner may read it, wherever it lies.
fn create_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
