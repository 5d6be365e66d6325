import Foundation

/// Upload with the app's HTTP client. ``UploadTransport`` is a ready-made one.
extension Sordino {
  /// The next request that is due. Send it unchanged, without following redirects, pass the result to
  /// ``processUploadResult(_:of:)``, and repeat until this returns `nil`.
  public func nextUploadTask() async throws(SordinoError) -> Request? {
    try await BlockingQueue.run { [engine] in try engine.nextUploadTask() }
  }

  /// Like ``nextUploadTask()``, when the person asks for an upload: ignores the waiting time after failures, except one
  /// that the collector asked for.
  ///
  /// - Parameter tried: The tasks that failed since the person asked.
  public func nextUploadTaskNow(tried: [UploadTask]) async throws(SordinoError) -> Request? {
    try await BlockingQueue.run { [engine] in try engine.nextUploadTaskNow(tried: tried) }
  }

  /// Like ``nextUploadTask()``, but only withdrawals and deletions: send them immediately and over any network.
  public func nextUrgentUploadTask() async throws(SordinoError) -> Request? {
    try await BlockingQueue.run { [engine] in try engine.nextUrgentUploadTask() }
  }

  /// Like ``nextUploadTask()``, but everything except withdrawals and deletions: the system may choose when to send it.
  public func nextDeferrableUploadTask() async throws(SordinoError) -> Request? {
    try await BlockingQueue.run { [engine] in try engine.nextDeferrableUploadTask() }
  }

  /// Whether the request for `task`, which was already returned, should still be sent. If the system sends requests in the
  /// background, cancel those for which this returns `false` whenever consent or samples change.
  public func isStillWanted(_ task: UploadTask) async throws(SordinoError) -> Bool {
    try await BlockingQueue.run { [engine] in try engine.isStillWanted(task: task) }
  }

  /// Processes the result of the request for `task`, also after a restart of the app.
  @discardableResult
  public func processUploadResult(_ result: UploadResult, of task: UploadTask) async throws(SordinoError) -> TaskStatus {
    try await BlockingQueue.run { [engine] in try engine.processUploadResult(task: task, result: result) }
  }

  /// Makes the next upload ask the collector for a newer plan, regardless of when it last asked.
  public func renewPlan() async throws(SordinoError) {
    try await BlockingQueue.run { [engine] in try engine.renewPlan() }
  }

  /// The request that asks the collector which readers opened a sample; ``readAccesses(_:of:)`` parses the response.
  ///
  /// Throws ``SordinoError/Kind/outbox`` if there is no such sample.
  public func accessesRequest(for sample: SordinoId) async throws(SordinoError) -> Request {
    try await BlockingQueue.run { [engine] in try engine.accessesRequest(sample: sample) }
  }

  /// The readers that opened a sample, from the result of the request of ``accessesRequest(for:)`` with this task.
  ///
  /// Throws ``SordinoError/Kind/upload`` if the collector did not answer, or must be asked again.
  public func readAccesses(_ result: UploadResult, of task: UploadTask) async throws(SordinoError) -> Accesses {
    try await BlockingQueue.run { [engine] in try engine.readAccesses(task: task, result: result) }
  }
}

// On Apple's systems `UploadTransport` sends.
#if !canImport(Darwin)
  /// Upload with the built-in client.
  extension Sordino {
    /// Sends everything that is due, and waits until it is sent. It stops if the collector is unreachable; the first
    /// problem is in the summary.
    ///
    /// Throws ``SordinoError/Kind/upload`` if the library was built without a client: see ``features``.
    @discardableResult
    public func upload() async throws(SordinoError) -> UploadSummary {
      try await BlockingQueue.run { [engine] in try engine.upload() }
    }

    /// Asks the collector which readers opened a sample.
    ///
    /// Throws ``SordinoError/Kind/upload`` if the collector does not answer, and ``SordinoError/Kind/outbox`` if there is
    /// no such sample.
    public func accesses(to sample: SordinoId) async throws(SordinoError) -> Accesses {
      try await BlockingQueue.run { [engine] in try engine.accesses(sample: sample) }
    }
  }
#endif
