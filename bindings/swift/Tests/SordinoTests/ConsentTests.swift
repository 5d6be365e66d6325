import Foundation
import Testing

@testable import Sordino

/// What a person can do with what is held of them.
@Suite struct APerson {
  let organization: Organization
  let recording: (samples: [Float], rate: Int)

  init() throws {
    organization = try Organization()
    recording = try readWav(Place.recordings.appendingPathComponent("flute-alone.wav"))
  }

  @Test func aChildWaitsForItsGuardian() async throws {
    let app = try await App(organization)
    try await app.sordino.install(plan: organization.plan)
    try await app.sordino.giveConsent(
      to: [.qualityAssurance], ageBand: .child,
      notice: Notice(version: 1, language: "de", text: "Darf die App zuhören?"))
    #expect(try await app.sordino.consent().state == .awaitingGuardian)
    #expect(try await app.sordino.mayNotSample() == .noConsent)
    let short = Guardian(method: .paymentCard, evidence: Data("too short".utf8))
    #expect(await refusal { try await app.sordino.approve(by: short) }?.stage == "consent")
    let receipt = try await app.sordino.approve(
      by: Guardian(method: .paymentCard, evidence: Data("the number of the payment".utf8)))
    #expect(receipt.contains("sordino:evidence-hash"))
    #expect(try await app.sordino.mayNotSample() == nil)
    try await app.sordino.comeOfAge()
    #expect(try await app.sordino.consent().cameOfAge)
    try await app.sordino.close()
  }

  @Test func hearsWhatWouldBeSentAndDecides() async throws {
    let app = try await App(organization, review: true)
    try await app.consent(organization)
    for isAccepted in [false, true] {
      let offer = try await app.sordino.offer(recording.samples, rate: recording.rate)
      guard case .awaitsReview(let preview) = offer else {
        throw Failure(description: "it came to \(offer)")
      }
      let sound = try await app.sordino.preview(preview)
      let waiting = try await app.sordino.previews()
      #expect(waiting.map(\.id) == [preview])
      #expect(abs(Double(sound.samples.count) / 2 / Double(sound.rate) - waiting[0].seconds) < 0.1)
      if isAccepted {
        guard case .queued = try await app.sordino.accept(preview) else {
          throw Failure(description: "what was accepted is not queued")
        }
      } else {
        try await app.sordino.discard(preview)
      }
      #expect(try await app.sordino.previews() == [])
    }
    #expect(try await app.sordino.status().pending == 1)
    try await app.sordino.close()
  }

  @Test func seesTakesAlongAndDeletesWhatIsHeld() async throws {
    let app = try await App(organization)
    try await app.consent(organization)
    _ = try await app.sordino.offer(recording.samples, rate: recording.rate)
    let sample = try #require(try await app.sordino.samples().first)
    #expect(sample.state == .pending && sample.purposes == [.qualityAssurance])
    #expect(try await app.sordino.exportMyData().prefix(2) == Data("PK".utf8))
    try await app.sordino.delete(sample.id)
    #expect(try await app.sordino.status().pending == 0)
    try await app.sordino.deleteAll()
    try await app.sordino.close()
    #expect(try await Sordino.reset(folder: app.sordino.configuration.folder))
  }

  @Test func readsTheNoticeInTheirLanguage() throws {
    let german = try BundledNotice(
      version: 1, language: "de-AT", app: "Etude", contact: "privacy@etude.example", days: 365)
    #expect(german.language.hasPrefix("de") && !german.fellBack)
    #expect(!german.title.isEmpty && !german.short.isEmpty && !german.full.isEmpty)
    #expect(Set(german.purposes.keys) == [.qualityAssurance, .recognitionResearch])
    #expect(throws: SordinoError.self) {
      try BundledNotice(version: 1, language: "de", app: "", contact: "x", days: 365)
    }
  }
}
