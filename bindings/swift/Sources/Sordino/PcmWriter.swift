/// The app's audio.
extension Sordino {
  /// Captures audio that the app records: push it into the writer, and read it back as frames. If consent and plan allow
  /// it, moments of the audio become samples.
  ///
  /// - Parameters:
  ///   - rate: The sample rate in Hz.
  ///   - channels: The number of interleaved channels, which are averaged.
  ///
  /// Throws ``SordinoError/Kind/alreadyListening`` if a capture is already in progress, and ``SordinoError/Kind/capture`` if the
  /// format is not supported.
  public func listenToPcmSource(rate: Int, channels: Int = 1) async throws(SordinoError) -> PcmWriter {
    let engineRate = try converted(rate, "sample rate", as: UInt32.self)
    let engineChannels = try converted(channels, "number of channels", as: UInt16.self)
    let (writer, frames) = try await capture.start(broadcaster) { [engine] listener in
      try engine.listenToPcmSource(rate: engineRate, channels: engineChannels, listener: listener)
    } stop: { writer in
      try writer.stop()
    }
    return PcmWriter(writer, frames)
  }
}

/// Passes audio that the app records to the engine, while a capture is in progress.
///
/// The capture ends with ``stop()``, when the task that reads ``frames`` ends, or when the writer is released.
public final class PcmWriter: Sendable {
  /// The pushed audio as mono frames of 10 ms. The stream buffers two seconds; if nobody reads it, frames that do not fit
  /// are lost, and the next frame counts them.
  public let frames: AsyncStream<Frame>
  private let writer: EnginePcmWriter

  init(_ writer: EnginePcmWriter, _ frames: AsyncStream<Frame>) {
    self.writer = writer
    self.frames = frames
  }

  /// Pushes interleaved samples with full scale at ±1. It never waits and may be called from an audio callback; the
  /// samples are not kept. Returns the number of frames that were dropped because the buffer of two seconds was full;
  /// ``Sordino/events`` report them too. To pass on a recording, use `write`, which waits instead.
  ///
  /// NaN and infinity become silence and are reported as an event. Throws ``SordinoError/Kind/argument`` for partial
  /// frames, and ``SordinoError/Kind/stopped`` after ``stop()``.
  public func push(_ interleaved: UnsafeBufferPointer<Float>) throws(SordinoError) -> UInt64 {
    try mapError { try writer.push(interleaved: borrowed(interleaved)) }.get()
  }

  /// Pushes an array of floats.
  public func push(_ interleaved: [Float]) throws(SordinoError) -> UInt64 {
    try mapError { try interleaved.withUnsafeBufferPointer { try writer.push(interleaved: borrowed($0)) } }.get()
  }

  /// Pushes 16-bit integers.
  public func push(_ interleaved: UnsafeBufferPointer<Int16>) throws(SordinoError) -> UInt64 {
    try mapError { try writer.pushI16(interleaved: borrowed(interleaved)) }.get()
  }

  /// Pushes an array of 16-bit integers.
  public func push(_ interleaved: [Int16]) throws(SordinoError) -> UInt64 {
    try mapError { try interleaved.withUnsafeBufferPointer { try writer.pushI16(interleaved: borrowed($0)) } }.get()
  }

  /// Like `push`, but waits until the buffer has space, up to `timeout` seconds in total, so a whole recording can be
  /// passed in one call. Returns the number of frames that were dropped at the timeout; 0 if all were accepted. The
  /// engine processes it as fast as it can and does not wait for the reader of ``frames``.
  ///
  /// Throws as `push` does, and ``SordinoError/Kind/argument`` for a negative timeout.
  public func write(_ interleaved: [Float], timeout: Double = 60) async throws(SordinoError) -> UInt64 {
    try await BlockingQueue.run { [writer] in
      try interleaved.withUnsafeBufferPointer {
        try writer.write(interleaved: borrowed($0), timeoutSeconds: timeout)
      }
    }
  }

  /// Writes an array of 16-bit integers.
  public func write(_ interleaved: [Int16], timeout: Double = 60) async throws(SordinoError) -> UInt64 {
    try await BlockingQueue.run { [writer] in
      try interleaved.withUnsafeBufferPointer {
        try writer.writeI16(interleaved: borrowed($0), timeoutSeconds: timeout)
      }
    }
  }

  /// Reports that the app's audio path dropped `frames` before the next push, so that positions stay correct.
  ///
  /// Throws ``SordinoError/Kind/stopped`` after ``stop()``.
  public func reportDropped(_ frames: UInt64) throws(SordinoError) {
    try mapError { try writer.reportDropped(frames: frames) }.get()
  }

  /// Continues in another format, for example after a headset was plugged in. Positions restart at 0. Samples that were
  /// pushed before still arrive.
  ///
  /// Throws ``SordinoError/Kind/capture`` if the format is not supported; the writer then keeps its format.
  public func changeFormat(rate: Int, channels: Int = 1) throws(SordinoError) {
    let rate = try converted(rate, "sample rate", as: UInt32.self)
    let channels = try converted(channels, "number of channels", as: UInt16.self)
    try mapError { try writer.changeFormat(rate: rate, channels: channels) }.get()
  }

  /// Ends the capture, and waits until all pushed samples are in ``frames`` and the selected ones are sealed and queued.
  /// Does nothing if it has already stopped.
  public func stop() async throws(SordinoError) {
    try await BlockingQueue.run { [writer] in try writer.stop() }
  }
}
