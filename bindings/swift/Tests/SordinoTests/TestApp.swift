import Foundation
import Testing

@testable import Sordino

/// A test app: an engine, its folder and its event log.
final class TestApp: Sendable {
  let sordino: Sordino
  let log: EventLog
  let folder: URL

  init(_ organization: Organization, at collector: URL = TestPaths.unreachable, review: Bool = false) async throws {
    folder = try TestPaths.folder()
    sordino = try await Sordino.open(
      configuration(folder, organization, at: collector, review: review))
    log = EventLog(sordino.events)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Installs the plan and gives consent to quality assurance.
  func consent(_ organization: Organization) async throws {
    try await sordino.installPlan(organization.plan)
    try await sordino.giveConsent(
      to: [.qualityAssurance], ageBand: .adult, notice: try notice(1).notice)
  }
}

func configuration(
  _ folder: URL, _ organization: Organization, at collector: URL = TestPaths.unreachable, review: Bool = false
) -> Sordino.Configuration {
  Sordino.Configuration(
    folder: folder.appendingPathComponent("state"), organizationKey: organization.key,
    collector: collector, reviewRequired: review)
}

/// The app's name and contact in the consent notice.
let appInfo = AppInfo(name: "Etude", contact: "privacy@etude.example")

/// The bundled notice, also without a plan.
func notice(_ version: UInt32, language: String = "en", app: AppInfo = appInfo) throws -> BundledNotice {
  try BundledNotice(
    language: language, app: app, terms: NoticeTerms(version: version, consentDays: 365, retentionDays: [:]))
}

/// Logs all events.
final class EventLog: Sendable {
  private let logged = Locked<[Event]>([])

  init(_ events: AsyncStream<Event>) {
    Task { [logged] in
      for await event in events { logged.withLock { $0.append(event) } }
    }
  }

  var events: [Event] { logged.withLock { $0 } }

  /// Waits for an event that `pick` accepts.
  @discardableResult
  func event<Kind>(_ pick: @escaping @Sendable (Event) -> Kind?) async throws -> Kind {
    try await waitFor { self.events.lazy.compactMap(pick).first }
  }
}

/// The `SordinoError` that a call throws.
func thrownError(_ call: () async throws -> Void) async -> SordinoError? {
  do {
    try await call()
    return nil
  } catch {
    return error as? SordinoError
  }
}

/// Waits until `look` returns a value, with a timeout, so that a deadlock fails instead of hanging.
func waitFor<Value>(
  within seconds: Double = 600, _ look: () async throws -> Value?
) async throws -> Value {
  let deadline = Date(timeIntervalSinceNow: seconds)
  while Date() < deadline {
    if let value = try await look() { return value }
    try await Task.sleep(nanoseconds: 2_000_000)
  }
  throw TestFailure("timeout after \(seconds) s")
}

/// Reads the samples and the rate of a mono 16-bit WAV file.
func readWav(_ file: URL) throws -> (samples: [Float], rate: Int) {
  let bytes = [UInt8](try Data(contentsOf: file))
  func number(_ at: Int, _ width: Int) -> Int {
    (0..<width).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
  }
  var (at, rate) = (12, 0)
  while at + 8 <= bytes.count {
    let name = String(decoding: bytes[at..<at + 4], as: UTF8.self)
    let size = number(at + 4, 4)
    if name == "fmt " {
      try #require(number(at + 10, 2) == 1 && number(at + 22, 2) == 16)
      rate = number(at + 12, 4)
    }
    if name == "data" {
      let samples = stride(from: at + 8, to: at + 8 + size, by: 2).map { at in
        Float(Int16(truncatingIfNeeded: number(at, 2))) / 32768
      }
      return (samples, rate)
    }
    at += 8 + size + size % 2
  }
  throw TestFailure("\(file.path) is not a WAV file")
}

/// Pushes a recording in blocks of 10 ms, as fast as its frames are read, and stops. Returns the samples that were read.
@discardableResult
func play(
  _ samples: [Float], rate: Int, to sordino: Sordino,
  onFrame: @escaping @Sendable (Frame) async throws -> Void = { _ in }
) async throws -> [Float] {
  let writer = try await sordino.listenToPcmSource(rate: rate)
  let position = Locked(0)
  let reader = Task {
    var all: [Float] = []
    for await frame in writer.frames {
      #expect(frame.lost == 0 && frame.position == UInt64(all.count))
      all += frame.samples
      let count = all.count
      position.withLock { $0 = count }
      try await onFrame(frame)
    }
    return all
  }
  for start in stride(from: 0, to: samples.count, by: rate / 100) {
    let block = Array(samples[start..<min(start + rate / 100, samples.count)])
    #expect(try writer.push(block) == 0)
    // The writer buffers two seconds.
    try await waitFor { start - position.withLock { $0 } < rate ? true : nil }
  }
  try await writer.stop()
  return try await reader.value
}
