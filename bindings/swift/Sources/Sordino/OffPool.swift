import Dispatch

/// Runs work that waits on a thread that may wait. The threads of Swift's cooperative pool may not: there are
/// as many as cores, and one that waits for the disk holds up every task of the app.
func offPool<Value: Sendable>(
  _ work: @escaping @Sendable () throws -> Value
) async throws(SordinoError) -> Value {
  let result: Result<Value, SordinoError> = await withCheckedContinuation { continuation in
    threads.async { continuation.resume(returning: told(work)) }
  }
  return try result.get()
}

/// Concurrent, so that a withdrawal never waits behind an upload.
let threads = DispatchQueue(label: "dev.sordino.calls", attributes: .concurrent)

/// What came of a call into the engine, its error in Swift's own.
func told<Value>(_ work: () throws -> Value) -> Result<Value, SordinoError> {
  do {
    return .success(try work())
  } catch {
    return .failure(SordinoError(error))
  }
}
