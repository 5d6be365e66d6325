/// The app's own audio path.
extension Sordino {
  /// Hears the app's own audio path: push into the feed what the app records, and read it back as frames. Where
  /// consent and plan allow it, moments of what is heard become samples.
  ///
  /// - Parameters:
  ///   - rate: Samples a second, of each channel.
  ///   - channels: Interleaved channels, whose average is taken.
  ///
  /// Throws ``SordinoError/listening(_:)`` where it listens already, and ``SordinoError/capture(_:)`` for a
  /// format that cannot be taken.
  public func hostFeed(rate: Int, channels: Int = 1) async throws(SordinoError) -> HostFeed {
    let engineRate = try whole(rate, "a rate in Hz", as: UInt32.self)
    let engineChannels = try whole(channels, "a number of channels", as: UInt16.self)
    let (feed, frames) = try await hearing.start(announcer) { [engine] ear in
      try engine.listenToHost(rate: engineRate, channels: engineChannels, listener: ear)
    } stop: { feed in
      try feed.stop()
    }
    return HostFeed(feed, frames)
  }
}

/// The app's own audio path, being heard.
///
/// It is stopped by ``stop()``, by the end of the task that reads ``frames``, or by letting go of it.
public final class HostFeed: Sendable {
  /// What was pushed, as mono frames of 10 ms. The stream has room for two seconds; frames that find none, because
  /// nobody reads, are lost, and the next one tells.
  public let frames: AsyncStream<Frame>
  private let feed: EngineFeed

  init(_ feed: EngineFeed, _ frames: AsyncStream<Frame>) {
    self.feed = feed
    self.frames = frames
  }

  /// Takes interleaved samples, full scale at ±1, which are not kept. It never waits and may be called from the
  /// app's audio callback. Returns how many frames found no room and are lost, because they came faster than they
  /// were taken: room is for two seconds. ``Sordino/events`` tell of it too. For a recording, `write` waits for room.
  ///
  /// NaN becomes silence and is told as an event. Throws ``SordinoError/argument(_:)`` where they are not whole
  /// frames, and ``SordinoError/listening(_:)`` once it was stopped.
  public func push(_ interleaved: UnsafeBufferPointer<Float>) throws(SordinoError) -> UInt64 {
    try told { try feed.push(interleaved: borrowed(interleaved)) }.get()
  }

  /// As above, for an array.
  public func push(_ interleaved: [Float]) throws(SordinoError) -> UInt64 {
    try told { try interleaved.withUnsafeBufferPointer { try feed.push(interleaved: borrowed($0)) } }.get()
  }

  /// As above, for 16-bit integers.
  public func push(_ interleaved: UnsafeBufferPointer<Int16>) throws(SordinoError) -> UInt64 {
    try told { try feed.pushI16(interleaved: borrowed(interleaved)) }.get()
  }

  /// As above, for an array of 16-bit integers.
  public func push(_ interleaved: [Int16]) throws(SordinoError) -> UInt64 {
    try told { try interleaved.withUnsafeBufferPointer { try feed.pushI16(interleaved: borrowed($0)) } }.get()
  }

  /// As `push`, but waits for room, up to `timeout` seconds in all, so that a recording can be handed over at once.
  /// Returns how many frames still found none and are lost; 0 says that all were taken. The engine takes it as fast as
  /// it can, and so may be ahead of who reads ``frames``.
  ///
  /// Throws as `push` does, and ``SordinoError/argument(_:)`` for a negative time.
  public func write(_ interleaved: [Float], timeout: Double = 60) async throws(SordinoError) -> UInt64 {
    try await offPool { [feed] in
      try interleaved.withUnsafeBufferPointer {
        try feed.write(interleaved: borrowed($0), timeoutSeconds: timeout)
      }
    }
  }

  /// As above, for 16-bit integers.
  public func write(_ interleaved: [Int16], timeout: Double = 60) async throws(SordinoError) -> UInt64 {
    try await offPool { [feed] in
      try interleaved.withUnsafeBufferPointer {
        try feed.writeI16(interleaved: borrowed($0), timeoutSeconds: timeout)
      }
    }
  }

  /// Tells that the app's own audio path lost `frames` before the next push, so that positions stay true.
  ///
  /// Throws ``SordinoError/listening(_:)`` once it was stopped.
  public func lose(_ frames: UInt64) throws(SordinoError) {
    try told { try feed.lose(frames: frames) }.get()
  }

  /// Goes on in another format, as after a headset came or went: positions count from 0 again. What was pushed
  /// before still arrives.
  ///
  /// Throws ``SordinoError/capture(_:)`` for a format that cannot be taken; the feed then goes on as before.
  public func changeFormat(rate: Int, channels: Int = 1) throws(SordinoError) {
    let rate = try whole(rate, "a rate in Hz", as: UInt32.self)
    let channels = try whole(channels, "a number of channels", as: UInt16.self)
    try told { try feed.changeFormat(rate: rate, channels: channels) }.get()
  }

  /// Ends the feed, and waits until all that was pushed is in ``frames`` and what was chosen of it is sealed and
  /// queued. Stopping twice does no harm.
  public func stop() async throws(SordinoError) {
    try await offPool { [feed] in try feed.stop() }
  }
}
