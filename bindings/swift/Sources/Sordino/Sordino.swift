import Foundation

/// Sordino on one device: it captures sound for the app's recognizer and, only where the person has
/// consented, makes anonymous, encrypted samples of it.
///
/// ```swift
/// let sordino = try await Sordino.open(configuration)
/// for await frame in try await sordino.microphone() { recognizer.take(frame) }
/// ```
///
/// It is a class and not an actor, because the engine beneath takes calls from many threads at once and must:
/// an actor would make a withdrawal wait behind an upload. What waits for the disk, the sealing or the network
/// is `async` and runs on threads of its own, never on those of Swift's cooperative pool. A call that has
/// begun is finished, whether or not its task is cancelled meanwhile.
///
/// One `Sordino` at a time has a folder open. ``close()`` gives it back; letting go of the object does too, as
/// soon as its streams are gone.
public final class Sordino: Sendable {
  /// What it was opened with.
  public let configuration: Configuration

  let engine: Engine
  let announcer: Announcer
  let hearing = Hearing()

  /// Opens the engine on its folder, making it where it is new, and has the folder left out of backups. It reads and
  /// writes the disk; on the main thread ``open(_:)`` is the one to call.
  ///
  /// Throws ``SordinoError/state(_:)`` where the folder cannot be used or is open already,
  /// ``SordinoError/damaged(_:)`` where only ``reset(folder:)`` helps, and ``SordinoError/argument(_:)`` for a
  /// key or a URL that is none.
  public init(configuration: Configuration) throws(SordinoError) {
    let announcer = Announcer()
    self.configuration = configuration
    self.announcer = announcer
    engine = try told { try Engine.opened(configuration, telling: announcer) }.get()
    keepOutOfBackups(configuration.folder)
  }

  /// Opens the engine on its folder, making it where it is new.
  ///
  /// Throws as ``init(configuration:)`` does.
  public static func open(_ configuration: Configuration) async throws(SordinoError) -> Sordino {
    try await offPool { try Sordino(configuration: configuration) }
  }

  deinit { announcer.finish() }

  /// Stops listening, seals what was chosen, ends all streams, and gives the folder back. Every later call
  /// throws ``SordinoError/closed``; closing twice does no harm.
  ///
  /// Throws ``SordinoError/capture(_:)`` where what was being heard had ended by a fault; it is closed then too.
  public func close() async throws(SordinoError) {
    defer {
      hearing.finish()
      announcer.finish()
    }
    try await offPool { [engine] in try engine.shutDown() }
  }

  /// Forgets all that a folder holds, also where it is damaged: consent, samples, keys. What was registered
  /// with the collector is withdrawn as a whole; the next engine on the folder sends that.
  ///
  /// Returns whether the plan was kept; where not, it is to be installed again.
  ///
  /// Throws ``SordinoError/state(_:)`` where the folder is open or a newer version wrote it, and
  /// ``SordinoError/argument(_:)`` where no engine ever had it open.
  @discardableResult
  public static func reset(folder: URL) async throws(SordinoError) -> Bool {
    try await offPool { try engineReset(folder: folder.path) }
  }
}

/// The plan.
extension Sordino {
  /// Puts a signed sampling plan into force: the JSON that `sordino plan sign` wrote.
  ///
  /// Throws ``SordinoError/plan(_:)`` where it is not the organization's, out of bounds, expired, or older than
  /// the one in force.
  public func install(plan json: Data) async throws(SordinoError) {
    try await offPool { [engine] in try engine.installPlan(json: json) }
  }

  /// The plan in force, whether or not it has expired.
  public func plan() async throws(SordinoError) -> Plan? {
    try await offPool { [engine] in try engine.plan() }
  }
}
