import Foundation
import Testing

@testable import Sordino

/// The whole path from Swift: nothing without consent, a sample pulled by a reader, and its deletion.
@Suite(.serialized) struct EndToEndTests {
  let organization: Organization
  let collector: Collector
  let app: TestApp
  let recording: (samples: [Float], rate: Int)

  init() async throws {
    organization = try Organization()
    collector = try Collector(organization)
    app = try await TestApp(organization, at: collector.url)
    try await app.sordino.installPlan(organization.plan)
    recording = try readWav(TestPaths.recordings.appendingPathComponent("flute-alone.wav"))
  }

  @Test func aSampleIsPulledOnlyWithConsentAndDeletedOnWithdrawal() async throws {
    try await checkNothingIsSampledWithoutConsent()
    try await giveConsent()
    let sample = try await queueMarkedMoment()
    #expect(try await app.sordino.upload().samples == 1)
    try await checkSent(sample)
    let dataset = try await checkPull(sample)
    try await checkNotes(sample)
    try await checkWithdrawal(sample, dataset) { _ = try await app.sordino.upload() }
    try await app.sordino.close()
  }

  @Test func uploadAndWithdrawalOverURLSession() async throws {
    let transport = UploadTransport(app.sordino)
    try await giveConsent()
    let sample = try await queueMarkedMoment()
    try await transport.sendAll()
    try await checkSent(sample)
    let dataset = try await checkPull(sample)
    try await checkWithdrawal(sample, dataset) { try await transport.sendAll() }
    let bodies = app.folder.appendingPathComponent("state.requests")
    #expect(try FileManager.default.contentsOfDirectory(atPath: bodies.path) == [])
    transport.invalidate()
    try await app.sordino.close()
  }

  func checkNothingIsSampledWithoutConsent() async throws {
    #expect(try await app.sordino.samplingBlocked() == .noConsent)
    #expect(await thrownError { _ = try await playAndMark() }?.kind == .mark)
    let received = try await play(recording.samples, rate: recording.rate, to: app.sordino)
    #expect(received == recording.samples)
    let outcome = try await app.sordino.submit(recording.samples, rate: recording.rate)
    #expect(outcome == .withheld(reason: .noConsent))
    #expect(try await app.sordino.samples() == [])
    #expect(try await app.sordino.nextUploadTask() == nil)
    let outbox = app.folder.appendingPathComponent("state/outbox").path
    #expect(try FileManager.default.contentsOfDirectory(atPath: outbox) == [])
  }

  func giveConsent() async throws {
    let plan = try #require(try await app.sordino.plan())
    var states = try await app.sordino.consentStates().makeAsyncIterator()
    #expect(await states.next() == .unanswered)
    let receipt = try await app.sordino.giveConsent(
      to: Set(plan.purposes), ageBand: .adult,
      notice: try await app.sordino.notice(language: "en", app: appInfo).notice)
    #expect(await states.next() == .granted)
    let document = try JSONSerialization.jsonObject(with: Data(receipt.utf8)) as? [String: Any]
    let processes = document?["dpv:hasProcess"] as? [[String: Any]]
    let agreed = processes?.compactMap { $0["dct:identifier"] as? String }
    #expect(agreed == ["quality-assurance", "recognition-research"])
    #expect(try await app.sordino.consent().receipt == receipt)
    #expect(try await app.sordino.samplingBlocked() == nil)
  }

  func queueMarkedMoment() async throws -> SordinoId {
    #expect(try await playAndMark() == .selected)
    let sample = try await app.log.event { if case .queued(let sample) = $0 { sample } else { nil } }
    let status = try await app.sordino.status()
    #expect((status.pending, status.sent) == (1, 0))
    return sample
  }

  func checkSent(_ sample: SordinoId) async throws {
    let sent = try await app.sordino.samples()
    #expect(sent.map(\.id) == [sample])
    #expect(sent.map(\.state) == [.sent])
    #expect(sent.map(\.trigger) == [.mark])
  }

  func checkPull(_ sample: SordinoId) async throws -> URL {
    let dataset = organization.folder.appendingPathComponent("dataset-\(sample)")
    #expect(try collector.pull(into: dataset)["pulled"] as? Int == 1)
    let manifest = try Data(contentsOf: dataset.appendingPathComponent("\(sample)/manifest.json"))
    let document = try JSONSerialization.jsonObject(with: manifest) as? [String: Any]
    #expect(document?["sample"] as? String == sample)
    let accesses = try await app.sordino.accesses(to: sample)
    #expect(accesses.accesses.map(\.reader) == ["qa"])
    #expect(accesses.inconsistency == nil)
    return dataset
  }

  /// Checks that the pitch of each recognized note is in the sample.
  func checkNotes(_ sample: SordinoId) async throws {
    let opened = organization.folder.appendingPathComponent("opened")
    try collector.open(sample, into: opened)
    let (samples, rate) = try readWav(opened.appendingPathComponent("audio.wav"))
    let manifest = try JSONSerialization.jsonObject(
      with: try Data(contentsOf: opened.appendingPathComponent("manifest.json"))) as? [String: Any]
    let annotation = manifest?["annotation"] as? [String: Any]
    let notes = try #require(annotation?["recognised"] as? [[String: Any]])
    #expect(notes.count > 10)
    for note in notes {
      let midi = try #require(note["midi"] as? Int)
      let onset = try #require(note["onset"] as? Double)
      let offset = try #require(note["offset"] as? Double)
      let noteSamples = samples[Int(onset * Double(rate))..<Int(offset * Double(rate))]
      let level = { pitchLevel(noteSamples, midi: midi + $0, rate: rate) }
      #expect(level(0) > 2 * max(level(-1), level(1)), "note \(midi) at \(onset) s")
    }
  }

  func checkWithdrawal(
    _ sample: SordinoId, _ dataset: URL, by upload: () async throws -> Void
  ) async throws {
    let withdrawal = try await app.sordino.withdraw()
    #expect((withdrawal.shredded, withdrawal.deletionsPending) == (0, 1))
    #expect(try await app.sordino.samplingBlocked() == .noConsent)
    try await upload()
    #expect(try await app.sordino.status().deletionsPending == 0)
    #expect(try await app.sordino.samples().map(\.state) == [.deleted])
    #expect(try collector.sealed(sample) == [])
    let pulled = try collector.pull(into: dataset)
    #expect(pulled["removed"] as? Int == 1)
    #expect(pulled["total"] as? Int == 0)
  }

  /// Plays the recording and marks a moment such that the clip ends at the end of the recording. Throws what `mark` throws.
  func playAndMark() async throws -> MarkOutcome? {
    let plan = try #require(try await app.sordino.plan())
    let rate = recording.rate
    let at = recording.samples.count - Int(plan.clipSeconds - plan.preRollSeconds) * rate
    let moment = Moment(
      at: UInt64(at), expected: [], recognized: try played(before: Double(at) / Double(rate)),
      tag: "swift/loop")
    let marked = Locked<Result<MarkOutcome, SordinoError>?>(nil)
    let sordino = app.sordino
    _ = try await play(recording.samples, rate: rate, to: sordino) { frame in
      guard frame.position >= UInt64(at), marked.withLock({ $0 == nil }) else { return }
      do throws(SordinoError) {
        let made = try await sordino.mark(moment)
        marked.withLock { $0 = .success(made) }
      } catch {
        marked.withLock { $0 = .failure(error) }
      }
    }
    return try marked.withLock { $0 }?.get()
  }

  /// The notes of the recording, with times relative to the moment at `seconds`.
  func played(before seconds: Double) throws -> [MomentNote] {
    let truth = try JSONSerialization.jsonObject(
      with: try Data(contentsOf: TestPaths.recordings.appendingPathComponent("truth.json"))) as? [String: Any]
    let flute = truth?["flute-alone"] as? [String: Any]
    let notes = try #require(flute?["notes"] as? [[Double]])
    return notes.map { note in
      MomentNote(midi: UInt8(note[2]), onset: note[0] - seconds, offset: note[1] - seconds)
    }
  }
}

/// The level of a note's pitch: one bin of the Fourier transform, with Goertzel's algorithm.
private func pitchLevel(_ samples: ArraySlice<Float>, midi: Int, rate: Int) -> Double {
  let turn = 2 * Double.pi * 440 * pow(2, Double(midi - 69) / 12) / Double(rate)
  var (before, last) = (0.0, 0.0)
  for sample in samples { (before, last) = (last, Double(sample) + 2 * cos(turn) * last - before) }
  let power = before * before + last * last - 2 * cos(turn) * before * last
  return power.squareRoot() / Double(samples.count)
}
