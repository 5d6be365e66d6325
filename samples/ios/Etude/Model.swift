import AVFAudio
import Foundation
import Sordino
import SwiftUI

/// What all screens show. Your organization's key, plan and collector go here.
@MainActor
final class Model: ObservableObject {
  static let organizationKey = "…64 hexadecimal digits: what `sordino plan keygen` printed…"
  static let collector = URL(string: "https://collector.example")!

  @Published var heard: [String] = []
  @Published var isPracticing = false
  @Published var consent = ConsentState.unanswered
  @Published var notice: BundledNotice?
  @Published var previews: [Preview] = []
  @Published var samples: [Sample] = []
  @Published var problem: String?
  var hasProblem: Bool {
    get { problem != nil }
    set { if !newValue { problem = nil } }
  }

  private var sordino: Sordino?
  private var transport: UploadTransport?
  private var practice: Task<Void, Never>?
  private var player: AVAudioPlayer?

  func open() async {
    guard sordino == nil else { return }
    await attempt {
      let support = try FileManager.default.url(
        for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
      let sordino = try await Sordino.open(
        Sordino.Configuration(
          folder: support.appendingPathComponent("sordino"), organizationKey: Self.organizationKey,
          collector: Self.collector, reviewRequired: true))
      self.sordino = sordino
      let transport = UploadTransport(sordino)
      self.transport = transport
      UploadSchedule.register(transport)
      if let plan = Bundle.main.url(forResource: "plan", withExtension: "json"), try await sordino.plan() == nil {
        try await sordino.install(plan: Data(contentsOf: plan))
      }
      if let plan = try await sordino.plan() {
        self.notice = try BundledNotice(
          version: plan.noticeVersion, language: Locale.preferredLanguages.first ?? "en", app: "Etude",
          contact: "privacy@etude.example", days: plan.consentDays, retentionDays: plan.retentionDays)
      }
      let states = try await sordino.consentStates()
      Task { for await state in states { self.consent = state } }
      let events = sordino.events
      Task { for await _ in events { await self.refresh() } }
      await self.refresh()
    }
  }

  func refresh() async {
    guard let sordino else { return }
    await attempt {
      self.previews = try await sordino.previews()
      self.samples = try await sordino.samples()
    }
  }

  func goToBackground() {
    stopPracticing()
    try? UploadSchedule.ask()
    Task { [transport] in try? await transport?.start() }
  }

  // Practicing.

  func practice() {
    guard let sordino, practice == nil else { return }
    isPracticing = true
    practice = Task {
      await attempt {
        let session = AVAudioSession.sharedInstance()
        try session.setCategory(.playAndRecord, mode: .measurement, options: .defaultToSpeaker)
        try session.setActive(true)
        var recognizer = Recognizer()
        for await frame in try await sordino.microphone() {
          guard let note = recognizer.take(frame) else { continue }
          self.heard = Array(([note.name] + self.heard).prefix(12))
          // Without consent that throws, and nothing is kept.
          if note.isUnsure { _ = try? await sordino.mark(Moment(tag: "etude/free")) }
        }
      }
      self.isPracticing = false
      self.practice = nil
    }
  }

  /// The end of the task is the end of the microphone.
  func stopPracticing() { practice?.cancel() }

  // Consent.

  func giveConsent(to purposes: Set<Purpose>, as ageBand: AgeBand) async {
    guard let sordino, let notice else { return }
    await attempt { try await sordino.giveConsent(to: purposes, ageBand: ageBand, notice: notice.notice) }
  }

  /// Once your own way of making sure that it is the guardian has done so.
  func approve(evidence: Data) async {
    guard let sordino else { return }
    await attempt { try await sordino.approve(by: Guardian(method: .emailPlus, evidence: evidence)) }
  }

  func withdraw() async {
    guard let sordino else { return }
    await attempt {
      try await sordino.withdraw()
      try await self.transport?.start()
    }
    await refresh()
  }

  // What would be sent, and what was.

  func play(_ preview: Preview) async {
    guard let sordino else { return }
    await attempt {
      let sound = try await sordino.preview(preview.id)
      let player = try AVAudioPlayer(data: wav(of: sound))
      player.play()
      self.player = player
    }
  }

  func decide(_ preview: Preview, send: Bool) async {
    guard let sordino else { return }
    player?.stop()
    await attempt {
      if send {
        try await sordino.accept(preview.id)
        try await self.transport?.start()
      } else {
        try await sordino.discard(preview.id)
      }
    }
    await refresh()
  }

  func delete(_ sample: Sample) async {
    guard let sordino else { return }
    await attempt {
      try await sordino.delete(sample.id)
      try await self.transport?.start()
    }
    await refresh()
  }

  private func attempt(_ work: @MainActor () async throws -> Void) async {
    do {
      try await work()
    } catch {
      problem = error.localizedDescription
    }
  }
}

/// A WAV file of mono sound in 16 bits, for the system's player.
private func wav(of sound: PreviewSound) -> Data {
  func bytes<Number: FixedWidthInteger>(_ number: Number) -> Data {
    withUnsafeBytes(of: number.littleEndian) { Data($0) }
  }
  let size = UInt32(sound.samples.count)
  let format = bytes(UInt32(16)) + bytes(UInt16(1)) + bytes(UInt16(1)) + bytes(sound.rate)
  let rates = bytes(2 * sound.rate) + bytes(UInt16(2)) + bytes(UInt16(16))
  return Data("RIFF".utf8) + bytes(36 + size) + Data("WAVEfmt ".utf8) + format + rates
    + Data("data".utf8) + bytes(size) + sound.samples
}
