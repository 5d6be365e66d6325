//! Opens a database: connections and migrations.

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

/// The maximum wait for a connection: for other transactions of this process, or for a server that does not respond.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// The number of connections for reading.
const READERS: u32 = 4;

/// The settings of SQLite connections. WAL allows reads during a write; FULL makes commits survive a power failure; the
/// busy timeout, in milliseconds, waits for transactions of other processes; `secure_delete` overwrites deleted data.
const SQLITE_SETTINGS: &str = "
    PRAGMA busy_timeout = 10000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
";

/// The settings of PostgreSQL connections: the same lock timeout as for SQLite; synchronous commits even if the
/// server's default is different; and a timeout that releases the lock of an idle transaction.
const POSTGRES_SETTINGS: &str = "
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local');
";

impl Database {
    /// Opens and migrates the database. A missing SQLite file is created.
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
        // A pool retries failed connections until its timeout. A first connection reports the error of SQLite for a
        // file that is not a database.
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
        // The write lock ensures that only one of several starting collectors does this.
        database.extend_tree().await?;
        Ok(database)
    }

    async fn connect(system: System, options: AnyConnectOptions) -> Result<Self, DatabaseError> {
        // Statements are not logged, because they contain ids.
        let options = options.disable_statement_logging();
        let discard_writer = Arc::new(AtomicBool::new(false));
        let writer = pool(system, 1, discard_writer.clone())
            .connect_with(options.clone())
            .await?;
        migrator(system).run(&writer).await?;
        Ok(Self {
            system,
            writer,
            readers: pool(system, READERS, Arc::default()).connect_lazy_with(options),
            discard_writer,
            file: None,
        })
    }
}

/// The timeout of the check for a pooler.
const POOLER_CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Rejects poolers in transaction mode, such as that of pgbouncer. They assign each transaction to any free server
/// process, so that settings and prepared statements of a connection are lost or mixed up. The check sets a setting and
/// verifies that it is kept while another connection has a transaction open.
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
    // With a single server process for both connections, the last query blocks.
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

fn pool(system: System, connections: u32, discard_writer: Arc<AtomicBool>) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| Box::pin(apply_settings(system, connection)))
        // A failed transaction may have been rolled back by the database itself, for example on a full disk. The driver
        // cannot roll it back again and would treat every later transaction as nested.
        .before_acquire(move |connection, _| {
            let is_good =
                !connection.is_in_transaction() && !discard_writer.swap(false, Ordering::SeqCst);
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

/// Builds the URL that the driver requires. Every byte of the path is escaped, so that no part of it is parsed as a
/// host or normalized.
fn sqlite_options(path: &Path) -> Result<AnyConnectOptions, DatabaseError> {
    let text = path
        .to_str()
        .ok_or_else(|| DatabaseError::Path(path.to_owned()))?;
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Ok(format!("sqlite:{escaped}").parse()?)
}

/// Locks a file next to the database, so that only one process runs migrations; SQLite's own lock does not span all of
/// them.
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

/// Creates the file readable by its owner only, because it contains ids of consent records.
fn create_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
