// On Apple's systems AVAudioEngine records, because it follows the app's audio session.
#if canImport(AVFAudio)
  import AVFAudio
  import Foundation

  /// The microphone.
  extension Sordino {
    /// Captures the microphone with `AVAudioEngine`. It handles changes of the audio session: interruptions by phone calls,
    /// headsets, and a reset of the media services. If consent and plan allow it, moments of the audio become samples.
    ///
    /// The capture ends when the task that reads the stream ends, or when the stream is released. The stream buffers two
    /// seconds; if nobody reads it, frames that do not fit are lost, and the next frame counts them. After a change of the
    /// sample rate, positions restart at 0.
    ///
    /// On iOS, set the session's category (`.record` or `.playAndRecord`) and activate it before.
    ///
    /// Throws ``SordinoError/Kind/alreadyListening`` if a capture is already in progress,
    /// ``SordinoError/Kind/permissionDenied`` if the app may not use the microphone, ``SordinoError/Kind/noDevice`` if
    /// there is none, and ``SordinoError/Kind/deviceBusy`` if it cannot be started.
    public func listenToMicrophone() async throws(SordinoError) -> AsyncStream<Frame> {
      guard await MicrophonePermission.request() else {
        throw SordinoError(
          .permissionDenied, code: "permission-denied",
          "the app may not use the microphone; ask the person to allow it in Settings")
      }
      let (_, frames) = try await capture.start(broadcaster) { [engine] listener in
        try AudioEngineTap(engine, listener)
      } stop: { tap in
        try tap.stop()
      }
      return frames
    }
  }

  /// A tap on the input of `AVAudioEngine` that pushes into the engine.
  final class AudioEngineTap: @unchecked Sendable {
    // All mutable state is used on this queue only.
    private let queue = DispatchQueue(label: "dev.sordino.microphone")
    private var audio = AVAudioEngine()
    private var rate: Int
    private var observer: AudioSessionObserver?
    private let writer: EnginePcmWriter

    init(_ engine: Engine, _ listener: any FrameListener) throws {
      rate = Int(audio.inputNode.outputFormat(forBus: 0).sampleRate)
      guard rate > 0 else {
        throw SordinoError(
          .noDevice, code: "no-microphone",
          "there is no microphone, or the audio session is not active; activate it before listening")
      }
      writer = try engine.listenToPcmSource(rate: UInt32(rate), channels: 1, listener: listener)
      do {
        try queue.sync { try start() }
      } catch where error is SordinoError || error is EngineError {
        throw error
      } catch {
        throw SordinoError(
          .deviceBusy, code: "device-busy",
          "cannot start the microphone (\(error.localizedDescription)); end phone calls and close other apps that record")
      }
      observer = AudioSessionObserver { [weak self] change in self?.handle(change) }
    }

    func stop() throws {
      queue.sync {
        observer = nil
        audio.inputNode.removeTap(onBus: 0)
        audio.stop()
      }
      try writer.stop()
    }

    /// Starts the audio engine with a tap in the current format of the input.
    private func start() throws {
      let input = audio.inputNode
      let format = input.outputFormat(forBus: 0)
      let rate = Int(format.sampleRate)
      guard rate > 0 else {
        throw SordinoError(.noDevice, code: "no-microphone", "the microphone was disconnected; connect one")
      }
      if rate != self.rate {
        try writer.changeFormat(rate: UInt32(rate), channels: 1)
        self.rate = rate
      }
      input.installTap(onBus: 0, bufferSize: AVAudioFrameCount(rate / 100), format: format) { [writer] buffer, _ in
        // The first channel, where iOS puts the selected microphone.
        guard let channels = buffer.floatChannelData else { return }
        let samples = UnsafeBufferPointer(start: channels[0], count: Int(buffer.frameLength))
        _ = try? writer.push(interleaved: borrowed(samples))
      }
      audio.prepare()
      try audio.start()
    }

    private func handle(_ change: AudioSessionObserver.Change) {
      queue.async { [self] in
        guard observer != nil else { return }
        switch change {
        case .interrupted:
          // Another app or a call uses the microphone, and there is no audio until it ends.
          audio.pause()
        case .resumed, .routeChanged:
          restart()
        case .reset:
          // All audio objects are invalid.
          audio = AVAudioEngine()
          restart()
        }
      }
    }

    private func restart() {
      audio.inputNode.removeTap(onBus: 0)
      audio.stop()
      // If it cannot start now, the next change of the session retries.
      try? start()
    }
  }
#endif
