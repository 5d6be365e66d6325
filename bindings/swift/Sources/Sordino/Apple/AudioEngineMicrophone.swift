// On Apple's systems the sound comes from AVAudioEngine: it follows the app's audio session.
#if canImport(AVFAudio)
  import AVFAudio
  import Foundation

  /// The microphone.
  extension Sordino {
    /// Hears the microphone by way of `AVAudioEngine`. What happens to the audio session meanwhile is taken care of:
    /// a phone call's interruption, a headset that comes or goes, media services that were reset. Where consent and
    /// plan allow it, moments of what is heard become samples.
    ///
    /// The end of the task that reads the stream, or letting go of the stream, stops the microphone. The stream has
    /// room for two seconds; frames that find none, because nobody reads, are lost, and the next one tells. After a
    /// change of rate positions count from 0 again.
    ///
    /// On iOS the app sets the session's category (`.record` or `.playAndRecord`) and activates it before.
    ///
    /// Throws ``SordinoError/listening(_:)`` where it listens already, and ``SordinoError/capture(_:)`` where there
    /// is no microphone or the app may not use it.
    public func microphone() async throws(SordinoError) -> AsyncStream<Frame> {
      guard await MicrophonePermission.request() else {
        throw .capture("the app may not use the microphone; ask the person to allow it in Settings")
      }
      let (_, frames) = try await hearing.start(announcer) { [engine] ear in
        try AudioEngineTap(engine, ear)
      } stop: { tap in
        try tap.stop()
      }
      return frames
    }
  }

  /// A tap on the audio engine's input that feeds ours.
  final class AudioEngineTap: @unchecked Sendable {
    // All that changes is touched on this queue alone.
    private let queue = DispatchQueue(label: "dev.sordino.microphone")
    private var audio = AVAudioEngine()
    private var rate: Int
    private var watch: AudioSessionWatch?
    private let feed: EngineFeed

    init(_ engine: Engine, _ ear: any FrameListener) throws {
      rate = Int(audio.inputNode.outputFormat(forBus: 0).sampleRate)
      guard rate > 0 else {
        throw SordinoError.capture(
          "there is no microphone, or the audio session is not active; activate it before listening")
      }
      feed = try engine.listenToHost(rate: UInt32(rate), channels: 1, listener: ear)
      try queue.sync { try start() }
      watch = AudioSessionWatch { [weak self] change in self?.follow(change) }
    }

    func stop() throws {
      queue.sync {
        watch = nil
        audio.inputNode.removeTap(onBus: 0)
        audio.stop()
      }
      try feed.stop()
    }

    /// Starts the audio engine with a tap in the format that the input has now.
    private func start() throws {
      let input = audio.inputNode
      let format = input.outputFormat(forBus: 0)
      let rate = Int(format.sampleRate)
      guard rate > 0 else { throw SordinoError.capture("the microphone has gone") }
      if rate != self.rate {
        try feed.changeFormat(rate: UInt32(rate), channels: 1)
        self.rate = rate
      }
      input.installTap(onBus: 0, bufferSize: AVAudioFrameCount(rate / 100), format: format) { [feed] buffer, _ in
        // The first channel: iOS puts the microphone there that it has chosen.
        guard let channels = buffer.floatChannelData else { return }
        let sound = UnsafeBufferPointer(start: channels[0], count: Int(buffer.frameLength))
        _ = try? feed.push(interleaved: borrowed(sound))
      }
      audio.prepare()
      try audio.start()
    }

    private func follow(_ change: AudioSessionWatch.Change) {
      queue.async { [self] in
        guard watch != nil else { return }
        switch change {
        case .interrupted:
          // The system has taken the microphone; while a call lasts nothing is heard.
          audio.pause()
        case .resumed, .rerouted:
          restart()
        case .reset:
          // All audio objects are dead.
          audio = AVAudioEngine()
          restart()
        }
      }
    }

    private func restart() {
      audio.inputNode.removeTap(onBus: 0)
      audio.stop()
      // Where it cannot be started now, the next change of the session tries again.
      try? start()
    }
  }
#endif
