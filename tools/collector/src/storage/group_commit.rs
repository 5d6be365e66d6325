//! Group commit: concurrent operations share one transaction, one sync of the objects' folder and one sync of the
//! database.
//!
//! A task takes all waiting operations, runs them one by one in a transaction, places the objects, commits, and then
//! responds to each. During the commit, the next operations queue up; so the more operations are concurrent, the less
//! each one costs, and a single one does not wait.
//!
//! If an operation fails before anything was placed, the transaction is rolled back and each operation is run again in
//! a transaction of its own. After that, all operations fail together.

use std::{pin::Pin, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use crate::{
    blob_store::{BlobStore, Upload},
    database::{Database, DatabaseError, LogEnd, NewAccess, Session},
    storage::error::StorageError,
};

/// The maximum number of operations per transaction, so that other processes can write too.
const MAX_BATCH: usize = 128;
/// The capacity of the queue.
const QUEUE_CAPACITY: usize = 1024;

/// The future of an operation.
pub(crate) type WriteFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

/// A transaction that several operations share.
pub(crate) struct Batch {
    pub(crate) session: Session,
    placed: Vec<Arc<Upload>>,
    /// The end of the access log, after the first entry of this transaction.
    log_end: Option<LogEnd>,
}

impl Batch {
    /// Appends an access to the access log.
    pub(crate) async fn append_access(
        &mut self,
        hand_out: &NewAccess,
    ) -> Result<(), DatabaseError> {
        let end = self.log_end.take();
        self.log_end = Some(self.session.append_access(hand_out, end).await?);
        Ok(())
    }

    /// Places an upload before the commit.
    pub(crate) fn place_object(&mut self, upload: Arc<Upload>) {
        self.placed.push(upload);
    }
}

/// A handle of the process's writer task.
#[derive(Clone, Debug)]
pub(crate) struct GroupCommit(mpsc::Sender<Box<dyn Operation>>);

impl GroupCommit {
    /// Starts the writer task, which ends when the last handle is dropped.
    pub(crate) fn start(database: Database, objects: BlobStore) -> Self {
        let (sender, mut waiting) = mpsc::channel(QUEUE_CAPACITY);
        tokio::spawn(async move {
            let mut operations = Vec::new();
            while waiting.recv_many(&mut operations, MAX_BATCH).await > 0 {
                write_together(&database, &objects, std::mem::take(&mut operations)).await;
            }
        });
        Self(sender)
    }

    /// Runs `work` in a transaction that is durable when this returns. It may be run again in another transaction if
    /// the first one was rolled back. It runs to completion even if the caller is dropped.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'a> Fn(&'a mut Batch) -> WriteFuture<'a, T> + Send + Sync + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        let operation = Box::new(TypedOperation {
            work,
            outcome: None,
            answer,
        });
        let stopping = |_| StorageError::Stopping;
        self.0
            .send(operation)
            .await
            .map_err(|_| StorageError::Stopping)?;
        answered.await.map_err(stopping)?
    }
}

/// An operation with a type-erased outcome.
trait Operation: Send {
    fn run<'a>(&'a mut self, batch: &'a mut Batch) -> WriteFuture<'a, ()>;
    fn respond(self: Box<Self>, failure: Option<StorageError>);
}

struct TypedOperation<W, T> {
    work: W,
    outcome: Option<T>,
    answer: oneshot::Sender<Result<T, StorageError>>,
}

impl<W, T: Send> Operation for TypedOperation<W, T>
where
    W: for<'a> Fn(&'a mut Batch) -> WriteFuture<'a, T> + Send + Sync,
{
    fn run<'a>(&'a mut self, batch: &'a mut Batch) -> WriteFuture<'a, ()> {
        Box::pin(async move {
            self.outcome = Some((self.work)(batch).await?);
            Ok(())
        })
    }

    fn respond(self: Box<Self>, failure: Option<StorageError>) {
        let Self {
            work,
            outcome,
            answer,
        } = *self;
        // Resources of the operation, such as a failed upload, are released before the response.
        drop(work);
        let outcome = match failure {
            Some(failure) => Err(failure),
            None => outcome.ok_or(StorageError::Stopping),
        };
        // The caller may have been dropped.
        let _ = answer.send(outcome);
    }
}

/// The state of a failed transaction.
enum Failure {
    /// Nothing was placed; the transaction was rolled back.
    RolledBack(StorageError),
    /// Objects may have been placed, and it is unknown whether the transaction was committed.
    Uncertain(StorageError),
}

async fn write_together(
    database: &Database,
    objects: &BlobStore,
    mut operations: Vec<Box<dyn Operation>>,
) {
    let failure = match try_together(database, objects, &mut operations).await {
        Ok(()) => return respond_all(operations, None),
        Err(Failure::RolledBack(error)) if operations.len() > 1 && !error.is_unavailable() => {
            for operation in operations {
                let mut alone = vec![operation];
                let outcome = try_together(database, objects, &mut alone).await;
                respond_all(alone, outcome.err().map(Failure::into_error));
            }
            return;
        }
        Err(failure) => failure.into_error(),
    };
    respond_all(operations, Some(failure));
}

async fn try_together(
    database: &Database,
    objects: &BlobStore,
    operations: &mut [Box<dyn Operation>],
) -> Result<(), Failure> {
    let done = try_in_one(database, objects, operations).await;
    done.inspect_err(|_| database.discard_writer_connection())
}

async fn try_in_one(
    database: &Database,
    objects: &BlobStore,
    operations: &mut [Box<dyn Operation>],
) -> Result<(), Failure> {
    let session = database.write().await;
    let mut batch = Batch {
        session: session.map_err(|error| Failure::RolledBack(error.into()))?,
        placed: Vec::new(),
        log_end: None,
    };
    for operation in operations {
        operation
            .run(&mut batch)
            .await
            .map_err(Failure::RolledBack)?;
    }
    let placed = objects.place(&batch.placed).await;
    placed.map_err(|error| Failure::Uncertain(error.into()))?;
    let committed = batch.session.commit().await;
    committed.map_err(|error| Failure::Uncertain(error.into()))
}

fn respond_all(operations: Vec<Box<dyn Operation>>, failure: Option<StorageError>) {
    let failure = failure.map(Arc::new);
    for operation in operations {
        operation.respond(failure.clone().map(StorageError::Shared));
    }
}

impl Failure {
    fn into_error(self) -> StorageError {
        match self {
            Self::RolledBack(error) | Self::Uncertain(error) => error,
        }
    }
}
