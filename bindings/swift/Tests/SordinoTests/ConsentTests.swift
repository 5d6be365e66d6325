import Foundation
import Testing

@testable import Sordino

/// The person's controls: consent, review, export, deletion.
@Suite struct ConsentTests {
  let organization: Organization
  let recording: (samples: [Float], rate: Int)

  init() throws {
    organization = try Organization()
    recording = try readWav(TestPaths.recordings.appendingPathComponent("flute-alone.wav"))
  }

  @Test func consentOfAChildWaitsForTheGuardian() async throws {
    let app = try await TestApp(organization)
    try await app.sordino.installPlan(organization.plan)
    try await app.sordino.giveConsent(
      to: [.qualityAssurance], ageBand: .child,
      notice: Notice(version: 1, language: "de", text: "Darf die App zuhören?"))
    #expect(try await app.sordino.consent().state == .awaitingGuardian)
    #expect(try await app.sordino.samplingBlocked() == .noConsent)
    let short = Guardian(method: .paymentCard, evidence: Data("too short".utf8))
    #expect(await thrownError { try await app.sordino.approve(by: short) }?.kind == .consent)
    let receipt = try await app.sordino.approve(
      by: Guardian(method: .paymentCard, evidence: Data("the number of the payment".utf8)))
    #expect(receipt.contains("sordino:evidence-hash"))
    #expect(try await app.sordino.samplingBlocked() == nil)
    try await app.sordino.comeOfAge()
    #expect(try await app.sordino.consent().cameOfAge)
    try await app.sordino.close()
  }

  @Test func reviewAcceptsOrDiscardsAClip() async throws {
    let app = try await TestApp(organization, review: true)
    try await app.consent(organization)
    for isAccepted in [false, true] {
      let outcome = try await app.sordino.submit(recording.samples, rate: recording.rate)
      guard case .awaitsReview(let preview) = outcome else {
        throw TestFailure("unexpected outcome \(outcome)")
      }
      let audio = try await app.sordino.preview(preview)
      let waiting = try await app.sordino.previews()
      #expect(waiting.map(\.id) == [preview])
      #expect(abs(Double(audio.samples.count) / 2 / Double(audio.rate) - waiting[0].seconds) < 0.1)
      if isAccepted {
        guard case .queued = try await app.sordino.acceptPreview(preview) else {
          throw TestFailure("the accepted clip is not queued")
        }
      } else {
        try await app.sordino.discardPreview(preview)
      }
      #expect(try await app.sordino.previews() == [])
    }
    #expect(try await app.sordino.status().pending == 1)
    try await app.sordino.close()
  }

  @Test func samplesCanBeListedExportedAndDeleted() async throws {
    let app = try await TestApp(organization)
    try await app.consent(organization)
    _ = try await app.sordino.submit(recording.samples, rate: recording.rate)
    let sample = try #require(try await app.sordino.samples().first)
    #expect(sample.state == .pending && sample.purposes == [.qualityAssurance])
    #expect(try await app.sordino.exportMyData().prefix(2) == Data("PK".utf8))
    try await app.sordino.delete(sample.id)
    #expect(try await app.sordino.status().pending == 0)
    try await app.sordino.deleteAll()
    try await app.sordino.close()
    #expect(try await Sordino.reset(folder: app.sordino.configuration.folder))
  }

  @Test func theNoticeIsInTheRequestedLanguage() throws {
    let german = try notice(1, language: "de-AT")
    #expect(german.language.hasPrefix("de") && !german.fallback)
    #expect(!german.title.isEmpty && !german.short.isEmpty && !german.full.isEmpty)
    #expect(Set(german.purposes.keys) == [.qualityAssurance, .recognitionResearch])
    #expect(throws: SordinoError.self) {
      try notice(1, language: "de", app: AppInfo(name: "", contact: "x"))
    }
  }
}
