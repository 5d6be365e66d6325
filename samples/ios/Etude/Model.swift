import AVFAudio
import Foundation
import Sordino
import SwiftUI

/// The model of all screens. Insert your organization's key and collector here.
@MainActor
final class Model: ObservableObject {
  static let organizationKey = "…64 hexadecimal digits, printed by `sordino plan keygen`…"
  static let collector = URL(string: "https://collector.example")!

  @Published var notes: [String] = []
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
  private var practiceTask: Task<Void, Never>?
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
        try await sordino.installPlan(Data(contentsOf: plan))
      }
      if try await sordino.plan() != nil {
        self.notice = try await sordino.notice(
          language: Locale.preferredLanguages.first ?? "en",
          app: AppInfo(name: "Etude", contact: "privacy@etude.example"))
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
    try? UploadSchedule.submit()
    Task { [transport] in try? await transport?.start() }
  }

  // Practice.

  func practice() {
    guard let sordino, practiceTask == nil else { return }
    isPracticing = true
    practiceTask = Task {
      await attempt {
        let session = AVAudioSession.sharedInstance()
        try session.setCategory(.playAndRecord, mode: .measurement, options: .defaultToSpeaker)
        try session.setActive(true)
        var recognizer = Recognizer()
        for await frame in try await sordino.listenToMicrophone() {
          guard let note = recognizer.process(frame) else { continue }
          self.notes = Array(([note.name] + self.notes).prefix(12))
          // Throws without consent; nothing is recorded then.
          if note.isUnsure { _ = try? await sordino.mark(Moment(tag: "etude/free")) }
        }
      }
      self.isPracticing = false
      self.practiceTask = nil
    }
  }

  /// Ends the task, and with it the capture.
  func stopPracticing() { practiceTask?.cancel() }

  // Consent.

  func giveConsent(to purposes: Set<Purpose>, as ageBand: AgeBand) async {
    guard let sordino, let notice else { return }
    await attempt { try await sordino.giveConsent(to: purposes, ageBand: ageBand, notice: notice.notice) }
  }

  /// Call it after you have verified the guardian.
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

  // Review and samples.

  func play(_ preview: Preview) async {
    guard let sordino else { return }
    await attempt {
      let audio = try await sordino.preview(preview.id)
      let player = try AVAudioPlayer(data: wav(of: audio))
      player.play()
      self.player = player
    }
  }

  func decide(_ preview: Preview, send: Bool) async {
    guard let sordino else { return }
    player?.stop()
    await attempt {
      if send {
        try await sordino.acceptPreview(preview.id)
        try await self.transport?.start()
      } else {
        try await sordino.discardPreview(preview.id)
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

/// A mono 16-bit WAV file for the system's player.
private func wav(of audio: PreviewSound) -> Data {
  func bytes<Number: FixedWidthInteger>(_ number: Number) -> Data {
    withUnsafeBytes(of: number.littleEndian) { Data($0) }
  }
  let size = UInt32(audio.samples.count)
  let format = bytes(UInt32(16)) + bytes(UInt16(1)) + bytes(UInt16(1)) + bytes(audio.rate)
  let rates = bytes(2 * audio.rate) + bytes(UInt16(2)) + bytes(UInt16(16))
  return Data("RIFF".utf8) + bytes(36 + size) + Data("WAVEfmt ".utf8) + format + rates
    + Data("data".utf8) + bytes(size) + audio.samples
}
