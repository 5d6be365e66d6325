import Foundation
import Testing

@testable import Sordino

private let rate = 48_000
private let sound10ms = [Float](repeating: 0.25, count: rate / 100)

/// What bad input, engines that are gone, and readers that misbehave come to.
@Suite struct TheFace {
  let organization: Organization
  let app: App
  var sordino: Sordino { app.sordino }

  init() async throws {
    organization = try Organization()
    app = try await App(organization)
  }

  // Engines.

  @Test func aFolderHasOneEngineAtATime() async throws {
    let again = configuration(app.folder, organization)
    let refused = await refusal { _ = try await Sordino.open(again) }
    #expect(refused?.stage == "state")
    #expect(refused?.message.contains("in use") == true)
    try await sordino.close()
    try await Sordino.open(again).close()
  }

  @Test func whatWasClosedSaysSo() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    var events = sordino.events.makeAsyncIterator()
    try await sordino.close()
    try await sordino.close()
    #expect(await refusal { _ = try await sordino.status() } == .closed)
    #expect(await refusal { _ = try await sordino.nextRequest() } == .closed)
    #expect(await refusal { try await sordino.withdraw() } == .closed)
    #expect(await refusal { _ = try await sordino.hostFeed(rate: rate) } == .closed)
    #expect(await refusal { _ = try await sordino.offer(sound10ms, rate: rate) } == .closed)
    #expect(await refusal { _ = try feed.push(sound10ms) }?.stage == "listening")
    #expect(SordinoError.closed.localizedDescription == "the engine was shut down; open it again")
    // Streams end, those of before and those of after.
    while await events.next() != nil {}
    for await _ in sordino.events {}
    for await _ in feed.frames {}
  }

  @Test func consentOutlivesTheEngine() async throws {
    try await app.consent(organization)
    try await sordino.close()
    let next = try await Sordino.open(configuration(app.folder, organization))
    #expect(try await next.consent().state == .granted)
    try await next.close()
  }

  @Test func oneSourceIsHeardAtATime() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    let refused = await refusal { _ = try await sordino.hostFeed(rate: rate) }
    #expect(refused?.message.contains("listens already") == true)
    try await feed.stop()
    try await feed.stop()
    try await sordino.hostFeed(rate: rate, channels: 2).stop()
    try await sordino.close()
  }

  @Test func lettingGoOfTheFeedStopsListening() async throws {
    _ = try await sordino.hostFeed(rate: rate)
    try await sordino.hostFeed(rate: rate).stop()
    try await sordino.close()
  }

  @Test func theEndOfTheReadersTaskStopsListening() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    let reader = Task { for await _ in feed.frames {} }
    _ = try feed.push(sound10ms)
    reader.cancel()
    await reader.value
    _ = try await eventually { await refusal { _ = try feed.push(sound10ms) } }
    try await sordino.hostFeed(rate: rate).stop()
    try await sordino.close()
  }

  @Test func callsFromManyThreadsAtOnceAreAllAnswered() async throws {
    try await sordino.install(plan: organization.plan)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<16 {
        group.addTask {
          for _ in 0..<8 {
            try await app.consent(organization)
            _ = try await sordino.status()
            _ = try await sordino.nextRequest()
            try await sordino.withdraw()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await sordino.consent().state == .withdrawn)
    try await sordino.close()
  }

  // Streams.

  @Test func whatAnIdleReaderMissesIsToldByTheNextFrame() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    // Three seconds, of which the stream has room for two. The source is opened anew, with positions from 0, once all
    // that was pushed before came to the stream.
    for round in 1...2 {
      for _ in 0..<150 { #expect(try feed.push(sound10ms) == 0) }
      try feed.changeFormat(rate: rate)
      try await eventually { timesReopened() == round ? true : nil }
    }
    var frames = feed.frames.makeAsyncIterator()
    for number in 0..<200 {
      let frame = try #require(await frames.next())
      #expect(frame.lost == 0 && frame.position == UInt64(number % 150 * rate / 100))
    }
    _ = try feed.push(sound10ms)
    let next = try #require(await frames.next())
    #expect(next.lost == UInt64(100 * rate / 100) && next.position == 0)
    try await feed.stop()
    // At once of the first, and of the last at the end.
    _ = try await eventually { overran() == next.lost ? true : nil }
    try await sordino.close()
  }

  @Test func aPushThatLosesSaysSoByItsResultAndByAnEvent() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    let lost = try feed.push([Float](repeating: 0.25, count: 10 * rate))
    #expect((UInt64(7 * rate)...UInt64(8 * rate)).contains(lost))
    _ = try await eventually { overran() > 0 ? true : nil }
    try await feed.stop()
    try await sordino.close()
  }

  @Test func aRecordingThatIsWrittenAtOnceIsHeardWhole() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    #expect(try await feed.write([Float](repeating: 0.25, count: 10 * rate)) == 0)
    #expect(try await feed.write([Int16](repeating: 8192, count: 10 * rate)) == 0)
    #expect(try await feed.write([Float](repeating: 0, count: 10 * rate), timeout: 0) > 0)
    #expect(await refusal { _ = try await feed.write([Float](), timeout: -1) }?.stage == "argument")
    try await feed.stop()
    try await sordino.close()
  }

  /// Samples that events said were lost.
  private func overran() -> UInt64 {
    app.diary.events.reduce(0) { if case .capture(event: .overrun(let samples)) = $1 { $0 + samples } else { $0 } }
  }

  private func timesReopened() -> Int {
    app.diary.events.filter { if case .capture(event: .reopened) = $0 { true } else { false } }.count
  }

  @Test func aReaderThatThrowsHurtsNobody() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    let reader = Task { for await _ in feed.frames { throw Failure(description: "the recognizer is broken") } }
    _ = try feed.push(sound10ms)
    await #expect(throws: Failure.self) { try await reader.value }
    _ = try await sordino.status()
    try await sordino.close()
  }

  @Test func aListenerBelowTheStreamsThatThrowsIsToldAndGetsTheNextFrame() async throws {
    final class Raising: FrameListener {
      let calls = Locked(0)
      func onFrame(frame: EngineFrame) throws {
        calls.withLock { $0 += 1 }
        throw Failure(description: "the recognizer is broken")
      }
    }
    let raising = Raising()
    let feed = try sordino.engine.listenToHost(rate: 48_000, channels: 1, listener: raising)
    for _ in 0..<20 { _ = try feed.push(interleaved: Data(count: 4 * rate / 100)) }
    try feed.stop()
    #expect(raising.calls.withLock { $0 } == 20)
    let reason = try await app.diary.event { if case .failed(let reason) = $0 { reason } else { nil } }
    #expect(reason.contains("the recognizer is broken"))
    try await sordino.close()
  }

  @Test func aReaderThatNeverReturnsHoldsUpNothing() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    let gate = AsyncStream<Void>.makeStream()
    let reader = Task { for await _ in feed.frames { for await _ in gate.stream {} } }
    for _ in 0..<10 { _ = try feed.push(sound10ms) }
    // The reader goes on only after both, and what gives up on somebody throws.
    try await feed.stop()
    try await sordino.close()
    gate.continuation.finish()
    await reader.value
  }

  // Input.

  @Test func samplesThatAreNotWholeFramesAreRefused() async throws {
    let stereo = try await sordino.hostFeed(rate: rate, channels: 2)
    #expect(try stereo.push([Float](repeating: 0, count: 2)) == 0)
    #expect(try stereo.push([Int16](repeating: 0, count: 2)) == 0)
    #expect(try stereo.push([Float]()) == 0)
    for refused in [
      await refusal { _ = try stereo.push([Float](repeating: 0, count: 3)) },
      await refusal { _ = try stereo.push([Int16](repeating: 0, count: 1)) },
    ] {
      #expect(refused?.stage == "argument")
      #expect(refused?.message.contains("not whole frames") == true)
    }
    try await stereo.stop()
    try await sordino.close()
  }

  @Test func nanInTheStreamBecomesSilenceAndIsTold() async throws {
    let feed = try await sordino.hostFeed(rate: rate)
    let reader = Task { await feed.frames.reduce(into: [Float]()) { $0 += $1.samples } }
    _ = try feed.push([0.5, .nan, .infinity, -0.5])
    try await feed.stop()
    #expect(await reader.value == [0.5, 0, 0, -0.5])
    let count = try await app.diary.event {
      if case .capture(event: .nonFinite(let samples)) = $0 { samples } else { nil }
    }
    #expect(count == 2)
    try await sordino.close()
  }

  @Test func aClipWithNanOrWithoutSoundIsRefused() async throws {
    try await app.consent(organization)
    for samples in [[0, Float.nan], []] {
      #expect(await refusal { _ = try await sordino.offer(samples, rate: rate) }?.stage == "clip")
    }
    for wrong in [0, 7_999, 384_001] {
      let refused = await refusal { _ = try await sordino.offer(sound10ms, rate: wrong) }
      #expect(refused?.message.contains("8000 to 384000") == true)
    }
    #expect(await refusal { _ = try await sordino.offer(sound10ms, rate: -1) }?.stage == "argument")
    try await sordino.close()
  }

  @Test func aFormatThatCannotBeTakenIsRefusedAndTheFeedGoesOn() async throws {
    for (rate, channels, stage) in [
      (0, 1, "capture"), (rate, 0, "capture"), (-1, 1, "argument"), (rate, 1 << 16, "argument"),
    ] {
      let refused = await refusal { _ = try await sordino.hostFeed(rate: rate, channels: channels) }
      #expect(refused?.stage == stage)
    }
    let feed = try await sordino.hostFeed(rate: rate)
    #expect(await refusal { try feed.changeFormat(rate: 1) }?.stage == "capture")
    #expect(try feed.push(sound10ms) == 0)
    try feed.changeFormat(rate: 44_100, channels: 2)
    try feed.lose(3)
    try await feed.stop()
    try await sordino.close()
  }

  @Test func anAnnotationThatCouldSpellANameIsRefused() async throws {
    let annotation = Annotation(expected: [], recognized: [], tag: "Lisa's song")
    let refused = await refusal { _ = try await sordino.offer(sound10ms, rate: rate, annotation: annotation) }
    #expect(refused?.stage == "annotation")
    #expect(refused?.message.contains("a-z") == true)
    try await sordino.close()
  }

  @Test func argumentsThatDoNotParseNameWhatIsWrong() async throws {
    var other = configuration(app.folder.appendingPathComponent("other"), organization)
    for (change, says) in [
      ({ $0.organizationKey = "abc" }, "64 hexadecimal"),
      ({ $0.collector = URL(string: "ftp://collector.example")! }, "https://"),
      ({ $0.collector = URL(string: "http://collector.example")! }, "this very machine"),
    ] as [((inout Sordino.Configuration) -> Void, String)] {
      var wrong = other
      change(&wrong)
      let refused = await refusal { [wrong] in _ = try await Sordino.open(wrong) }
      #expect(refused?.stage == "argument" && refused?.message.contains(says) == true)
    }
    other.folder = URL(fileURLWithPath: "/proc/sordino")
    #expect(await refusal { [other] in _ = try await Sordino.open(other) }?.stage == "state")
    #expect(await refusal { try await sordino.delete("sample") }?.message.contains("32 lower-case") == true)
    let unreachable = Outcome.unreachable(reason: "no network")
    #expect(await refusal { try await sordino.finish("send", unreachable) }?.stage == "argument")
    try await sordino.close()
  }

  @Test func errorsNameTheStageAndReadAsOneLine() async throws {
    let text = try notice(1).notice
    for (stage, refused) in [
      ("consent", await refusal {
        try await sordino.giveConsent(to: [.qualityAssurance], ageBand: .adult, notice: text)
      }),
      ("consent", await refusal { try await sordino.approve(by: Guardian(method: .emailPlus)) }),
      ("plan", await refusal { try await sordino.install(plan: Data("{}".utf8)) }),
      ("outbox", await refusal { try await sordino.delete(String(repeating: "0", count: 32)) }),
      ("mark", await refusal { try await sordino.mark() }),
    ] {
      #expect(refused?.stage == stage)
      #expect(refused?.localizedDescription == refused?.message)
      #expect(refused?.message.isEmpty == false && refused?.message.contains("\n") == false)
    }
    try await sordino.close()
  }

  /// Where the tests run there is no microphone, or one that the tests do not lean on.
  @Test func aMicrophoneThatIsNotThereIsACaptureError() async throws {
    let refused = await refusal { _ = try await sordino.microphone(device: "no such device") }
    #expect(refused?.stage == "capture")
    // Nothing was left behind.
    try await sordino.hostFeed(rate: rate).stop()
    try await sordino.close()
  }
}
