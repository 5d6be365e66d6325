import Foundation
import Testing

@testable import Sordino

/// The whole loop from Swift: nothing without consent, a sample at the desk, and its recall.
@Suite(.serialized) struct TheLoop {
  let organization: Organization
  let collector: Collector
  let app: App
  let recording: (samples: [Float], rate: Int)

  init() async throws {
    organization = try Organization()
    collector = try Collector(organization)
    app = try await App(organization, at: collector.url)
    try await app.sordino.install(plan: organization.plan)
    recording = try readWav(Place.recordings.appendingPathComponent("flute-alone.wav"))
  }

  @Test func aSampleReachesTheDeskOnlyByConsentAndLeavesItOnWithdrawal() async throws {
    try await nothingIsSampledWithoutConsent()
    try await consentIsGiven()
    let sample = try await aMarkedMomentIsQueued()
    #expect(try await app.sordino.upload().samples == 1)
    try await itIsSent(sample)
    let dataset = try await itIsPulled(sample)
    try await itIsWhatWasPlayed(sample)
    try await withdrawalTakesItBack(sample, dataset) { _ = try await app.sordino.upload() }
    try await app.sordino.close()
  }

  @Test func theSameOverURLSession() async throws {
    let transport = UploadTransport(app.sordino)
    try await consentIsGiven()
    let sample = try await aMarkedMomentIsQueued()
    try await transport.sendAll()
    try await itIsSent(sample)
    let dataset = try await itIsPulled(sample)
    try await withdrawalTakesItBack(sample, dataset) { try await transport.sendAll() }
    let bodies = app.folder.appendingPathComponent("state.requests")
    #expect(try FileManager.default.contentsOfDirectory(atPath: bodies.path) == [])
    transport.invalidate()
    try await app.sordino.close()
  }

  func nothingIsSampledWithoutConsent() async throws {
    #expect(try await app.sordino.mayNotSample() == .noConsent)
    #expect(await refusal { _ = try await playAndMark() }?.stage == "mark")
    let heard = try await play(recording.samples, rate: recording.rate, to: app.sordino)
    #expect(heard == recording.samples)
    let offer = try await app.sordino.offer(recording.samples, rate: recording.rate)
    #expect(offer == .withheld(reason: .noConsent))
    #expect(try await app.sordino.samples() == [])
    #expect(try await app.sordino.nextRequest() == nil)
    let outbox = app.folder.appendingPathComponent("state/outbox").path
    #expect(try FileManager.default.contentsOfDirectory(atPath: outbox) == [])
  }

  func consentIsGiven() async throws {
    let plan = try #require(try await app.sordino.plan())
    var states = try await app.sordino.consentStates().makeAsyncIterator()
    #expect(await states.next() == .unanswered)
    let receipt = try await app.sordino.giveConsent(
      to: Set(plan.purposes), ageBand: .adult, notice: try notice(plan.noticeVersion).notice)
    #expect(await states.next() == .granted)
    let document = try JSONSerialization.jsonObject(with: Data(receipt.utf8)) as? [String: Any]
    let processes = document?["dpv:hasProcess"] as? [[String: Any]]
    let agreed = processes?.compactMap { $0["dct:identifier"] as? String }
    #expect(agreed == ["quality-assurance", "recognition-research"])
    #expect(try await app.sordino.consent().receipt == receipt)
    #expect(try await app.sordino.mayNotSample() == nil)
  }

  func aMarkedMomentIsQueued() async throws -> SordinoId {
    #expect(try await playAndMark() == .chosen)
    let sample = try await app.diary.event { if case .queued(let sample) = $0 { sample } else { nil } }
    let status = try await app.sordino.status()
    #expect((status.pending, status.sent) == (1, 0))
    return sample
  }

  func itIsSent(_ sample: SordinoId) async throws {
    let sent = try await app.sordino.samples()
    #expect(sent.map(\.id) == [sample])
    #expect(sent.map(\.state) == [.sent])
    #expect(sent.map(\.trigger) == [.mark])
  }

  func itIsPulled(_ sample: SordinoId) async throws -> URL {
    let dataset = organization.folder.appendingPathComponent("dataset-\(sample)")
    #expect(try collector.pull(into: dataset)["pulled"] as? Int == 1)
    let manifest = try Data(contentsOf: dataset.appendingPathComponent("\(sample)/manifest.json"))
    let document = try JSONSerialization.jsonObject(with: manifest) as? [String: Any]
    #expect(document?["sample"] as? String == sample)
    let told = try await app.sordino.accesses(to: sample)
    #expect(told.accesses.map(\.reader) == ["desk"])
    #expect(told.broken == nil)
    return dataset
  }

  /// At each note that the app said it heard, that very pitch sounds in the sample.
  func itIsWhatWasPlayed(_ sample: SordinoId) async throws {
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
      let sound = samples[Int(onset * Double(rate))..<Int(offset * Double(rate))]
      let level = { pitchLevel(sound, midi: midi + $0, rate: rate) }
      #expect(level(0) > 2 * max(level(-1), level(1)), "note \(midi) at \(onset) s")
    }
  }

  func withdrawalTakesItBack(
    _ sample: SordinoId, _ dataset: URL, by upload: () async throws -> Void
  ) async throws {
    let withdrawal = try await app.sordino.withdraw()
    #expect((withdrawal.shredded, withdrawal.deletionsPending) == (0, 1))
    #expect(try await app.sordino.mayNotSample() == .noConsent)
    try await upload()
    #expect(try await app.sordino.status().deletionsPending == 0)
    #expect(try await app.sordino.samples().map(\.state) == [.deleted])
    #expect(try collector.sealed(sample) == [])
    let pulled = try collector.pull(into: dataset)
    #expect(pulled["removed"] as? Int == 1)
    #expect(pulled["total"] as? Int == 0)
  }

  /// Plays the recording and marks a moment so that the clip ends where it does. Throws what marking throws.
  func playAndMark() async throws -> Marked? {
    let plan = try #require(try await app.sordino.plan())
    let rate = recording.rate
    let at = recording.samples.count - Int(plan.clipSeconds - plan.preRollSeconds) * rate
    let moment = Moment(
      at: UInt64(at), expected: [], recognized: try played(before: Double(at) / Double(rate)),
      tag: "swift/loop")
    let marked = Locked<Result<Marked, SordinoError>?>(nil)
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

  /// The notes of the recording, their times from the moment at `seconds`.
  func played(before seconds: Double) throws -> [MomentNote] {
    let truth = try JSONSerialization.jsonObject(
      with: try Data(contentsOf: Place.recordings.appendingPathComponent("truth.json"))) as? [String: Any]
    let flute = truth?["flute-alone"] as? [String: Any]
    let notes = try #require(flute?["notes"] as? [[Double]])
    return notes.map { note in
      MomentNote(midi: UInt8(note[2]), onset: note[0] - seconds, offset: note[1] - seconds)
    }
  }
}

/// How much of a note's pitch sounds: one bin of the Fourier transform, by Goertzel.
private func pitchLevel(_ sound: ArraySlice<Float>, midi: Int, rate: Int) -> Double {
  let turn = 2 * Double.pi * 440 * pow(2, Double(midi - 69) / 12) / Double(rate)
  var (before, last) = (0.0, 0.0)
  for sample in sound { (before, last) = (last, Double(sample) + 2 * cos(turn) * last - before) }
  let power = before * before + last * last - 2 * cos(turn) * before * last
  return power.squareRoot() / Double(sound.count)
}
