import Foundation
import Testing

@testable import Sordino

/// An app with its folder, and what it notes of events.
final class App: Sendable {
  let sordino: Sordino
  let diary: Diary
  let folder: URL

  init(_ organization: Organization, at collector: URL = Place.nowhere, review: Bool = false) async throws {
    folder = try Place.folder()
    sordino = try await Sordino.open(
      configuration(folder, organization, at: collector, review: review))
    diary = Diary(sordino.events)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The person says yes to quality assurance.
  func consent(_ organization: Organization) async throws {
    try await sordino.install(plan: organization.plan)
    try await sordino.giveConsent(
      to: [.qualityAssurance], ageBand: .adult, notice: try notice(1).notice)
  }
}

func configuration(
  _ folder: URL, _ organization: Organization, at collector: URL = Place.nowhere, review: Bool = false
) -> Sordino.Configuration {
  Sordino.Configuration(
    folder: folder.appendingPathComponent("state"), organizationKey: organization.key,
    collector: collector, reviewRequired: review)
}

/// The bundled English notice, as this app shows it.
func notice(_ version: UInt32) throws -> BundledNotice {
  try BundledNotice(
    version: version, language: "en", app: "Etude", contact: "privacy@etude.example", days: 365)
}

/// Notes all events.
final class Diary: Sendable {
  private let noted = Locked<[Event]>([])

  init(_ events: AsyncStream<Event>) {
    Task { [noted] in
      for await event in events { noted.withLock { $0.append(event) } }
    }
  }

  var events: [Event] { noted.withLock { $0 } }

  /// Waits for an event of that kind.
  @discardableResult
  func event<Kind>(_ pick: @escaping @Sendable (Event) -> Kind?) async throws -> Kind {
    try await eventually { self.events.lazy.compactMap(pick).first }
  }
}

/// The error of Sordino's that a call throws.
func refusal(_ call: () async throws -> Void) async -> SordinoError? {
  do {
    try await call()
    return nil
  } catch {
    return error as? SordinoError
  }
}

extension SordinoError {
  /// The name of its case.
  var stage: String { Mirror(reflecting: self).children.first?.label ?? "closed" }
}

/// Waits until there is something; a deadlock is a failure, not a hang.
func eventually<Value>(
  within seconds: Double = 600, _ look: () async throws -> Value?
) async throws -> Value {
  let deadline = Date(timeIntervalSinceNow: seconds)
  while Date() < deadline {
    if let value = try await look() { return value }
    try await Task.sleep(nanoseconds: 2_000_000)
  }
  throw Failure(description: "it did not come to pass in \(seconds) s")
}

/// Mono samples within ±1 and their rate, of a WAV file of 16 bits.
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
  throw Failure(description: "\(file.path) is no WAV file")
}

/// Pushes a recording in pieces of 10 ms, as fast as it is heard, and stops. Returns what was heard.
@discardableResult
func play(
  _ samples: [Float], rate: Int, to sordino: Sordino,
  heard: @escaping @Sendable (Frame) async throws -> Void = { _ in }
) async throws -> [Float] {
  let feed = try await sordino.hostFeed(rate: rate)
  let position = Locked(0)
  let reader = Task {
    var all: [Float] = []
    for await frame in feed.frames {
      #expect(frame.lost == 0 && frame.position == UInt64(all.count))
      all += frame.samples
      let count = all.count
      position.withLock { $0 = count }
      try await heard(frame)
    }
    return all
  }
  for start in stride(from: 0, to: samples.count, by: rate / 100) {
    let piece = Array(samples[start..<min(start + rate / 100, samples.count)])
    #expect(try feed.push(piece) == 0)
    // The feed holds two seconds; a microphone would not run ahead either.
    try await eventually { start - position.withLock { $0 } < rate ? true : nil }
  }
  try await feed.stop()
  return try await reader.value
}
