import Foundation

/// Upload by the app's own HTTP. ``UploadTransport`` is one that is ready.
extension Sordino {
  /// The next request that is due, if one is. Send it as it is, without following redirects, and hand what came
  /// of it to ``finish(_:_:)``, until there is none.
  public func nextRequest() async throws(SordinoError) -> Request? {
    try await offPool { [engine] in try engine.nextRequest() }
  }

  /// As ``nextRequest()``, for a person who asks for it now: waits after failures are passed over, but for those
  /// that the collector asked for.
  ///
  /// - Parameter tried: The tasks that failed since the person asked.
  public func nextRequestNow(tried: [UploadTask]) async throws(SordinoError) -> Request? {
    try await offPool { [engine] in try engine.nextRequestNow(tried: tried) }
  }

  /// As ``nextRequest()``, but withdrawals and deletions alone: send them at once and over any network.
  public func nextUrgentRequest() async throws(SordinoError) -> Request? {
    try await offPool { [engine] in try engine.nextUrgentRequest() }
  }

  /// As ``nextRequest()``, but all else: these may wait for a time that suits the system.
  public func nextDeferrableRequest() async throws(SordinoError) -> Request? {
    try await offPool { [engine] in try engine.nextDeferrableRequest() }
  }

  /// Whether the request for `task`, which was handed out, should still go. Whoever hands uploads over to the system
  /// cancels those that this says no to whenever consent or samples change.
  public func isStillWanted(_ task: UploadTask) async throws(SordinoError) -> Bool {
    try await offPool { [engine] in try engine.isStillWanted(task: task) }
  }

  /// Takes in what came of the request for `task`, after a restart of the app too.
  @discardableResult
  public func finish(_ task: UploadTask, _ outcome: Outcome) async throws(SordinoError) -> Finished {
    try await offPool { [engine] in try engine.finish(task: task, outcome: outcome) }
  }

  /// Has the collector asked for a newer plan with the next requests, however lately it was.
  public func renewPlan() async throws(SordinoError) {
    try await offPool { [engine] in try engine.renewPlan() }
  }

  /// The request that asks the collector who opened a sample; ``readAccesses(_:_:)`` reads what came of it.
  ///
  /// Throws ``SordinoError/outbox(_:)`` where there is no such sample.
  public func accessesRequest(for sample: SordinoId) async throws(SordinoError) -> Request {
    try await offPool { [engine] in try engine.accessesRequest(sample: sample) }
  }

  /// Who opened a sample, from what came of the request of ``accessesRequest(for:)``, which had this task.
  ///
  /// Throws ``SordinoError/upload(_:)`` where the collector did not tell, or is to be asked again.
  public func readAccesses(_ task: UploadTask, _ outcome: Outcome) async throws(SordinoError) -> Accesses {
    try await offPool { [engine] in try engine.readAccesses(task: task, outcome: outcome) }
  }
}

// On Apple's systems `UploadTransport` sends.
#if !canImport(Darwin)
  /// Upload by the built-in client.
  extension Sordino {
    /// Sends all that is due and waits for it. It stops where the collector cannot be reached; what the collector
    /// says stands in the summary.
    ///
    /// Throws ``SordinoError/upload(_:)`` where the library has no client: see ``features``.
    @discardableResult
    public func upload() async throws(SordinoError) -> UploadSummary {
      try await offPool { [engine] in try engine.uploadNow() }
    }

    /// Who opened a sample, asked of the collector now.
    ///
    /// Throws ``SordinoError/upload(_:)`` where it does not answer, and ``SordinoError/outbox(_:)`` where there
    /// is no such sample.
    public func accesses(to sample: SordinoId) async throws(SordinoError) -> Accesses {
      try await offPool { [engine] in try engine.accesses(sample: sample) }
    }
  }
#endif
