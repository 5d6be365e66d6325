import Dispatch

/// How much sound a stream of frames holds for a reader that is late, in frames of 10 ms: two seconds.
private let framesOfRoom = 200

/// What is being heard: at most one source at a time, and the stream that it fills.
final class Hearing: Sendable {
  private let ear = Locked<Ear?>(nil)
  /// Sources that are being stopped. The next one waits for them.
  private let stopping = DispatchGroup()

  /// Starts a source, off the pool, that fills the stream. When its reader is gone, it is stopped.
  func start<Source: Sendable>(
    _ announcer: Announcer,
    open: @escaping @Sendable (any FrameListener) throws -> Source,
    stop: @escaping @Sendable (Source) throws -> Void
  ) async throws(SordinoError) -> (Source, AsyncStream<Frame>) {
    let (stream, reader) = AsyncStream.makeStream(
      of: Frame.self, bufferingPolicy: .bufferingOldest(framesOfRoom))
    let ear = Ear(reader)
    let source = try await offPool { [stopping, self] in
      stopping.wait()
      announcer.atEndOfSource { reader.finish() }
      let source = try open(ear)
      self.ear.withLock { $0 = ear }
      return source
    }
    reader.onTermination = { [stopping] _ in
      stopping.enter()
      threads.async {
        try? stop(source)  // A fault was told as an event already.
        stopping.leave()
      }
    }
    return (source, stream)
  }

  /// Ends the stream.
  func finish() {
    let last = ear.withLock { ear in
      defer { ear = nil }
      return ear
    }
    last?.finish()
  }
}

/// Puts the engine's frames into a stream. It is called on the engine's thread, one frame after another, and
/// never waits: frames that find no room are dropped, and the next one tells how many samples those were.
private final class Ear: FrameListener {
  private let reader: AsyncStream<Frame>.Continuation
  private let unheard = Locked<UInt64>(0)

  init(_ reader: AsyncStream<Frame>.Continuation) { self.reader = reader }

  func onFrame(frame: EngineFrame) {
    let unheard = unheard.withLock { $0 }
    let frame = Frame(frame, after: unheard)
    let isDropped = if case .dropped = reader.yield(frame) { true } else { false }
    self.unheard.withLock { $0 = isDropped ? frame.lost + UInt64(frame.samples.count) : 0 }
  }

  func finish() { reader.finish() }
}
