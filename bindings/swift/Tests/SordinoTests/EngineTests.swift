import Foundation
import Testing

@testable import Sordino

private let rate = 48_000
private let block = [Float](repeating: 0.25, count: rate / 100)

/// Invalid input, closed engines, and faulty readers.
@Suite struct EngineTests {
  let organization: Organization
  let app: TestApp
  var sordino: Sordino { app.sordino }

  init() async throws {
    organization = try Organization()
    app = try await TestApp(organization)
  }

  // Engines.

  @Test func aFolderOpensInOneEngineAtATime() async throws {
    let again = configuration(app.folder, organization)
    let error = await thrownError { _ = try await Sordino.open(again) }
    #expect(error?.kind == .state && error?.code == "in-use")
    #expect(error?.message.contains(app.folder.path) == true)
    try await sordino.close()
    try await Sordino.open(again).close()
  }

  @Test func callsAfterCloseThrowClosed() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    var events = sordino.events.makeAsyncIterator()
    try await sordino.close()
    try await sordino.close()
    #expect(await thrownError { _ = try await sordino.status() }?.kind == .closed)
    #expect(await thrownError { _ = try await sordino.nextUploadTask() }?.kind == .closed)
    #expect(await thrownError { try await sordino.withdraw() }?.kind == .closed)
    #expect(await thrownError { _ = try await sordino.listenToPcmSource(rate: rate) }?.kind == .closed)
    #expect(await thrownError { _ = try await sordino.submit(block, rate: rate) }?.kind == .closed)
    #expect(await thrownError { _ = try writer.push(block) }?.kind == .stopped)
    let closed = await thrownError { _ = try await sordino.plan() }
    #expect(closed?.localizedDescription == closed?.message && closed?.code == "closed")
    // Streams end, whether created before or after.
    while await events.next() != nil {}
    for await _ in sordino.events {}
    for await _ in writer.frames {}
  }

  @Test func consentPersistsAcrossEngines() async throws {
    try await app.consent(organization)
    try await sordino.close()
    let next = try await Sordino.open(configuration(app.folder, organization))
    #expect(try await next.consent().state == .granted)
    try await next.close()
  }

  @Test func onlyOneCaptureIsInProgress() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    let error = await thrownError { _ = try await sordino.listenToPcmSource(rate: rate) }
    #expect(error?.kind == .alreadyListening && error?.code == "already-listening")
    try await writer.stop()
    try await writer.stop()
    try await sordino.listenToPcmSource(rate: rate, channels: 2).stop()
    try await sordino.close()
  }

  @Test func releasingTheWriterStopsTheCapture() async throws {
    _ = try await sordino.listenToPcmSource(rate: rate)
    try await sordino.listenToPcmSource(rate: rate).stop()
    try await sordino.close()
  }

  @Test func theEndOfTheReadingTaskStopsTheCapture() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    let reader = Task { for await _ in writer.frames {} }
    _ = try writer.push(block)
    reader.cancel()
    await reader.value
    _ = try await waitFor { await thrownError { _ = try writer.push(block) } }
    try await sordino.listenToPcmSource(rate: rate).stop()
    try await sordino.close()
  }

  @Test func concurrentCallsFromManyThreadsSucceed() async throws {
    try await sordino.installPlan(organization.plan)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<16 {
        group.addTask {
          for _ in 0..<8 {
            try await app.consent(organization)
            _ = try await sordino.status()
            _ = try await sordino.nextUploadTask()
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

  @Test func theNextFrameCountsWhatASlowReaderMissed() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    // Three seconds, of which the stream buffers two. The source is reopened, with positions from 0, after everything
    // that was pushed before reached the stream.
    for round in 1...2 {
      for _ in 0..<150 { #expect(try writer.push(block) == 0) }
      try writer.changeFormat(rate: rate)
      try await waitFor { timesReopened() == round ? true : nil }
    }
    var frames = writer.frames.makeAsyncIterator()
    for number in 0..<200 {
      let frame = try #require(await frames.next())
      #expect(frame.lost == 0 && frame.position == UInt64(number % 150 * rate / 100))
    }
    _ = try writer.push(block)
    let next = try #require(await frames.next())
    #expect(next.lost == UInt64(100 * rate / 100) && next.position == 0)
    try await writer.stop()
    // The first event comes immediately, the last at the end.
    _ = try await waitFor { lostSamples() == next.lost ? true : nil }
    try await sordino.close()
  }

  @Test func pushReportsDroppedFramesAsResultAndEvent() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    let lost = try writer.push([Float](repeating: 0.25, count: 10 * rate))
    #expect((UInt64(7 * rate)...UInt64(8 * rate)).contains(lost))
    _ = try await waitFor { lostSamples() > 0 ? true : nil }
    try await writer.stop()
    try await sordino.close()
  }

  @Test func writeAcceptsAWholeRecording() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    #expect(try await writer.write([Float](repeating: 0.25, count: 10 * rate)) == 0)
    #expect(try await writer.write([Int16](repeating: 8192, count: 10 * rate)) == 0)
    #expect(try await writer.write([Float](repeating: 0, count: 10 * rate), timeout: 0) > 0)
    #expect(await thrownError { _ = try await writer.write([Float](), timeout: -1) }?.kind == .argument)
    try await writer.stop()
    try await sordino.close()
  }

  /// The number of samples that events reported as lost.
  private func lostSamples() -> UInt64 {
    app.log.events.reduce(0) { if case .capture(event: .overrun(let samples)) = $1 { $0 + samples } else { $0 } }
  }

  private func timesReopened() -> Int {
    app.log.events.filter { if case .capture(event: .reopened) = $0 { true } else { false } }.count
  }

  @Test func aReaderThatThrowsHasNoEffectOnTheEngine() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    let reader = Task { for await _ in writer.frames { throw TestFailure("the recognizer is broken") } }
    _ = try writer.push(block)
    await #expect(throws: TestFailure.self) { try await reader.value }
    _ = try await sordino.status()
    try await sordino.close()
  }

  @Test func aListenerThatThrowsIsReportedAndGetsTheNextFrame() async throws {
    final class ThrowingListener: FrameListener {
      let calls = Locked(0)
      func onFrame(frame: EngineFrame) throws {
        calls.withLock { $0 += 1 }
        throw TestFailure("the recognizer is broken")
      }
    }
    let throwing = ThrowingListener()
    let writer = try sordino.engine.listenToPcmSource(rate: 48_000, channels: 1, listener: throwing)
    for _ in 0..<20 { _ = try writer.push(interleaved: Data(count: 4 * rate / 100)) }
    try writer.stop()
    #expect(throwing.calls.withLock { $0 } == 20)
    let reason = try await app.log.event { if case .failed(let reason) = $0 { reason } else { nil } }
    #expect(reason.contains("the recognizer is broken"))
    try await sordino.close()
  }

  @Test func aStuckReaderBlocksNothing() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    let gate = AsyncStream<Void>.makeStream()
    let reader = Task { for await _ in writer.frames { for await _ in gate.stream {} } }
    for _ in 0..<10 { _ = try writer.push(block) }
    // The reader continues only after both; a call that timed out would throw.
    try await writer.stop()
    try await sordino.close()
    gate.continuation.finish()
    await reader.value
  }

  // Input.

  @Test func partialFramesAreRefused() async throws {
    let stereo = try await sordino.listenToPcmSource(rate: rate, channels: 2)
    #expect(try stereo.push([Float](repeating: 0, count: 2)) == 0)
    #expect(try stereo.push([Int16](repeating: 0, count: 2)) == 0)
    #expect(try stereo.push([Float]()) == 0)
    for error in [
      await thrownError { _ = try stereo.push([Float](repeating: 0, count: 3)) },
      await thrownError { _ = try stereo.push([Int16](repeating: 0, count: 1)) },
    ] {
      #expect(error?.kind == .argument)
      #expect(error?.code == "invalid-argument")
    }
    try await stereo.stop()
    try await sordino.close()
  }

  @Test func nanBecomesSilenceAndIsReported() async throws {
    let writer = try await sordino.listenToPcmSource(rate: rate)
    let reader = Task { await writer.frames.reduce(into: [Float]()) { $0 += $1.samples } }
    _ = try writer.push([0.5, .nan, .infinity, -0.5])
    try await writer.stop()
    #expect(await reader.value == [0.5, 0, 0, -0.5])
    let count = try await app.log.event {
      if case .capture(event: .nonFinite(let samples)) = $0 { samples } else { nil }
    }
    #expect(count == 2)
    try await sordino.close()
  }

  @Test func nanAndEmptyClipsAreRefused() async throws {
    try await app.consent(organization)
    for samples in [[0, Float.nan], []] {
      #expect(await thrownError { _ = try await sordino.submit(samples, rate: rate) }?.kind == .clip)
    }
    for wrong in [0, 7_999, 384_001] {
      let error = await thrownError { _ = try await sordino.submit(block, rate: wrong) }
      #expect(error?.kind == .clip && error?.code == "unsupported-rate")
    }
    #expect(await thrownError { _ = try await sordino.submit(block, rate: -1) }?.kind == .argument)
    try await sordino.close()
  }

  @Test func anUnsupportedFormatIsRefused() async throws {
    for (rate, channels, kind) in [
      (0, 1, .capture), (rate, 0, .capture), (-1, 1, .argument), (rate, 1 << 16, .argument),
    ] as [(Int, Int, SordinoError.Kind)] {
      let error = await thrownError { _ = try await sordino.listenToPcmSource(rate: rate, channels: channels) }
      #expect(error?.kind == kind)
    }
    let writer = try await sordino.listenToPcmSource(rate: rate)
    #expect(await thrownError { try writer.changeFormat(rate: 1) }?.kind == .capture)
    #expect(try writer.push(block) == 0)
    try writer.changeFormat(rate: 44_100, channels: 2)
    try writer.reportDropped(3)
    try await writer.stop()
    try await sordino.close()
  }

  @Test func anAnnotationWithFreeTextIsRefused() async throws {
    let annotation = Annotation(expected: [], recognized: [], tag: "Lisa's song")
    let error = await thrownError { _ = try await sordino.submit(block, rate: rate, annotation: annotation) }
    #expect(error?.kind == .annotation)
    #expect(error?.code == "invalid-annotation")
    try await sordino.close()
  }

  @Test func invalidArgumentsAreNamedInTheError() async throws {
    var other = configuration(app.folder.appendingPathComponent("other"), organization)
    for (change, value) in [
      ({ $0.organizationKey = "abc" }, "abc"),
      ({ $0.collector = URL(string: "ftp://collector.example")! }, "ftp://collector.example"),
      ({ $0.collector = URL(string: "http://collector.example")! }, "http://collector.example"),
    ] as [((inout Sordino.Configuration) -> Void, String)] {
      var wrong = other
      change(&wrong)
      let error = await thrownError { [wrong] in _ = try await Sordino.open(wrong) }
      #expect(error?.kind == .argument && error?.message.contains(value) == true)
    }
    other.folder = URL(fileURLWithPath: "/proc/sordino")
    #expect(await thrownError { [other] in _ = try await Sordino.open(other) }?.kind == .state)
    #expect(await thrownError { try await sordino.delete("sample") }?.kind == .argument)
    let unreachable = UploadResult.unreachable(reason: "no network")
    #expect(await thrownError { try await sordino.processUploadResult(unreachable, of: "send") }?.kind == .argument)
    try await sordino.close()
  }

  @Test func errorsHaveAKindACodeAndAOneLineMessage() async throws {
    let text = try notice(1).notice
    let errors: [(SordinoError.Kind, SordinoError?)] = [
      (.consent, await thrownError {
        try await sordino.giveConsent(to: [.qualityAssurance], ageBand: .adult, notice: text)
      }),
      (.consent, await thrownError { try await sordino.approve(by: Guardian(method: .emailPlus)) }),
      (.plan, await thrownError { try await sordino.installPlan(Data("{}".utf8)) }),
      (.outbox, await thrownError { try await sordino.delete(String(repeating: "0", count: 32)) }),
      (.mark, await thrownError { try await sordino.mark() }),
    ]
    for (kind, error) in errors {
      #expect(error?.kind == kind && error?.code.isEmpty == false)
      #expect(error?.localizedDescription == error?.message)
      #expect(error?.message.isEmpty == false && error?.message.contains("\n") == false)
    }
    try await sordino.close()
  }

  /// The test machine may or may not have a microphone.
  @Test func anUnknownMicrophoneThrowsNoDevice() async throws {
    let error = await thrownError { _ = try await sordino.listenToMicrophone(device: "no such device") }
    #expect(error?.kind == .noDevice && error?.code == "no-such-device")
    // No capture is left in progress.
    try await sordino.listenToPcmSource(rate: rate).stop()
    try await sordino.close()
  }
}
