import Dispatch

/// Runs blocking work outside Swift's cooperative thread pool, which has only as many threads as cores: a thread that
/// waits for the disk would delay every task of the app.
enum BlockingQueue {
  /// Concurrent, so that a withdrawal never waits behind an upload.
  static let queue = DispatchQueue(label: "dev.sordino.calls", attributes: .concurrent)

  static func run<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
  ) async throws(SordinoError) -> Value {
    let result: Result<Value, SordinoError> = await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: mapError(work)) }
    }
    return try result.get()
  }
}

/// Converts the error of a call into the engine to a ``SordinoError``.
func mapError<Value>(_ work: () throws -> Value) -> Result<Value, SordinoError> {
  do {
    return .success(try work())
  } catch {
    return .failure(SordinoError(error))
  }
}
