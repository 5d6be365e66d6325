import Foundation

/// Sordino on one device: it captures audio for the app's recognizer and, only with the person's consent, makes anonymous,
/// encrypted samples of it.
///
/// ```swift
/// let sordino = try await Sordino.open(configuration)
/// for await frame in try await sordino.listenToMicrophone() { recognizer.process(frame) }
/// ```
///
/// It is a class and not an actor, because the engine accepts calls from many threads at the same time: with an actor, a
/// withdrawal would wait behind an upload. Calls that wait for the disk, the sealing or the network are `async` and run
/// outside Swift's cooperative thread pool. A call that has started completes even if its task is canceled.
///
/// Only one `Sordino` at a time can open a folder. ``close()`` releases it; so does releasing the object and its
/// streams.
public final class Sordino: Sendable {
  /// The configuration it was opened with.
  public let configuration: Configuration

  let engine: Engine
  let broadcaster: EventBroadcaster
  let capture = CaptureController()

  /// Opens the engine on its folder, which is created if it does not exist and excluded from backups. It reads and writes
  /// the disk; on the main thread, call ``open(_:)`` instead.
  ///
  /// Throws ``SordinoError/Kind/state`` if the folder cannot be used or is already open,
  /// ``SordinoError/Kind/damaged`` if only ``reset(folder:)`` helps, and ``SordinoError/Kind/argument`` if the key or the
  /// URL is invalid.
  public init(configuration: Configuration) throws(SordinoError) {
    let broadcaster = EventBroadcaster()
    self.configuration = configuration
    self.broadcaster = broadcaster
    engine = try mapError { try Engine.open(configuration, listener: broadcaster) }.get()
    excludeFromBackup(configuration.folder)
  }

  /// Opens the engine on its folder, which is created if it does not exist.
  ///
  /// Throws as ``init(configuration:)`` does.
  public static func open(_ configuration: Configuration) async throws(SordinoError) -> Sordino {
    try await BlockingQueue.run { try Sordino(configuration: configuration) }
  }

  deinit { broadcaster.finish() }

  /// Stops the capture, seals the selected samples, ends all streams, and releases the folder. Later calls throw
  /// ``SordinoError/Kind/closed``. Does nothing if it is already closed.
  ///
  /// Throws ``SordinoError/Kind/capture`` if the capture ended with a failure; the engine is closed nevertheless.
  public func close() async throws(SordinoError) {
    defer {
      capture.finish()
      broadcaster.finish()
    }
    try await BlockingQueue.run { [engine] in try engine.close() }
  }

  /// Erases all state in a folder, even if it is corrupt: consent, samples, keys. Everything that was registered with the
  /// collector is withdrawn; the next engine on the folder sends that withdrawal.
  ///
  /// Returns whether the plan was kept; if not, install it again.
  ///
  /// Throws ``SordinoError/Kind/state`` if the folder is open or a newer version wrote it, and
  /// ``SordinoError/Kind/noState`` if the folder holds no state.
  @discardableResult
  public static func reset(folder: URL) async throws(SordinoError) -> Bool {
    try await BlockingQueue.run { try engineReset(folder: folder.path) }
  }
}

/// The plan.
extension Sordino {
  /// Installs a signed sampling plan: the JSON that `sordino plan sign` wrote.
  ///
  /// Throws ``SordinoError/Kind/plan`` if the organization did not sign it, a value is out of bounds, it has expired, or it
  /// is older than the installed one.
  public func installPlan(_ json: Data) async throws(SordinoError) {
    try await BlockingQueue.run { [engine] in try engine.installPlan(json: json) }
  }

  /// The installed plan, even if it has expired.
  public func plan() async throws(SordinoError) -> Plan? {
    try await BlockingQueue.run { [engine] in try engine.plan() }
  }
}
