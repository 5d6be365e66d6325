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
    let ear = Ear(reader, announcer)
    let source = try await offPool { [stopping, self] in
      stopping.wait()
      announcer.atEndOfSource { ear.finish() }
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
/// never waits: frames that find no room are dropped, and the next one tells how many samples those were. An event tells
/// too, at once and then at most once a second, as the engine tells of what found no room there.
private final class Ear: FrameListener {
  private struct Losses {
    /// Samples before the next frame that finds room.
    var unheard: UInt64 = 0
    /// Those of which no event has told.
    var untold: UInt64 = 0
    var told: DispatchTime?
  }
  private let reader: AsyncStream<Frame>.Continuation
  private let announcer: Announcer
  private let losses = Locked(Losses())

  init(_ reader: AsyncStream<Frame>.Continuation, _ announcer: Announcer) {
    self.reader = reader
    self.announcer = announcer
  }

  func onFrame(frame: EngineFrame) {
    let frame = Frame(frame, after: losses.withLock { $0.unheard })
    let isDropped = if case .dropped = reader.yield(frame) { true } else { false }
    let count = UInt64(frame.samples.count)
    let isDue = losses.withLock { losses in
      losses.unheard = isDropped ? frame.lost + count : 0
      if isDropped { losses.untold += count }
      return losses.told.map { $0 + 1 <= .now() } ?? true
    }
    if isDue { tell() }
  }

  func finish() {
    tell()
    reader.finish()
  }

  private func tell() {
    let untold = losses.withLock { losses in
      defer { losses.untold = 0 }
      if losses.untold > 0 { losses.told = .now() }
      return losses.untold
    }
    if untold > 0 { announcer.onEvent(event: .capture(event: .overrun(samples: untold))) }
  }
}
