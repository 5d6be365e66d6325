import Dispatch

/// The number of frames of 10 ms that a stream buffers for a slow reader: two seconds.
private let frameBufferSize = 200

/// The capture in progress: at most one source at a time, and the stream of its frames.
final class CaptureController: Sendable {
  private let forwarder = Locked<FrameForwarder?>(nil)
  /// Sources that are being stopped. The next one waits for them.
  private let stopping = DispatchGroup()

  /// Opens a source on the blocking queue and returns the stream that it fills. The source is stopped when the reader of
  /// the stream ends.
  func start<Source: Sendable>(
    _ broadcaster: EventBroadcaster,
    open: @escaping @Sendable (any FrameListener) throws -> Source,
    stop: @escaping @Sendable (Source) throws -> Void
  ) async throws(SordinoError) -> (Source, AsyncStream<Frame>) {
    let (stream, reader) = AsyncStream.makeStream(
      of: Frame.self, bufferingPolicy: .bufferingOldest(frameBufferSize))
    let forwarder = FrameForwarder(reader, broadcaster)
    let source = try await BlockingQueue.run { [stopping, self] in
      stopping.wait()
      broadcaster.onSourceEnded { forwarder.finish() }
      let source = try open(forwarder)
      self.forwarder.withLock { $0 = forwarder }
      return source
    }
    reader.onTermination = { [stopping] _ in
      stopping.enter()
      BlockingQueue.queue.async {
        try? stop(source)  // An event already reported the failure.
        stopping.leave()
      }
    }
    return (source, stream)
  }

  /// Ends the stream.
  func finish() {
    let last = forwarder.withLock { forwarder in
      defer { forwarder = nil }
      return forwarder
    }
    last?.finish()
  }
}

/// Puts the engine's frames into a stream. It is called on the engine's thread, one frame after another, and never
/// waits: frames that do not fit are dropped, and the next frame counts their samples. An event reports them,
/// immediately and then at most once a second, as the engine does for its buffer.
private final class FrameForwarder: FrameListener {
  private struct Losses {
    /// Samples lost before the next frame that fits.
    var beforeNext: UInt64 = 0
    /// Samples not yet reported by an event.
    var unreported: UInt64 = 0
    var lastReport: DispatchTime?
  }
  private let reader: AsyncStream<Frame>.Continuation
  private let broadcaster: EventBroadcaster
  private let losses = Locked(Losses())

  init(_ reader: AsyncStream<Frame>.Continuation, _ broadcaster: EventBroadcaster) {
    self.reader = reader
    self.broadcaster = broadcaster
  }

  func onFrame(frame: EngineFrame) {
    let frame = Frame(frame, lostBefore: losses.withLock { $0.beforeNext })
    let isDropped = if case .dropped = reader.yield(frame) { true } else { false }
    let count = UInt64(frame.samples.count)
    let isDue = losses.withLock { losses in
      losses.beforeNext = isDropped ? frame.lost + count : 0
      if isDropped { losses.unreported += count }
      return losses.lastReport.map { $0 + 1 <= .now() } ?? true
    }
    if isDue { report() }
  }

  func finish() {
    report()
    reader.finish()
  }

  private func report() {
    let unreported = losses.withLock { losses in
      defer { losses.unreported = 0 }
      if losses.unreported > 0 { losses.lastReport = .now() }
      return losses.unreported
    }
    if unreported > 0 { broadcaster.onEvent(event: .capture(event: .overrun(samples: unreported))) }
  }
}
