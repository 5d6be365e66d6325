extension Sordino {
  /// The optional parts that the loaded library was built with. Functions of a missing part throw an error. On Apple's
  /// systems ``UploadTransport`` and AVAudioEngine are used instead.
  public static var features: LibraryFeatures { libraryFeatures() }
}

// On Apple's systems AVAudioEngine records: see Apple/AudioEngineMicrophone.swift.
#if !canImport(Darwin)
  /// The microphone.
  extension Sordino {
    /// Captures the microphone: the system's default device, or the one with an id from ``inputDevices()``. A microphone
    /// that disappears is reopened, which ``events`` report. If consent and plan allow it, moments of the audio become
    /// samples.
    ///
    /// The capture ends when the task that reads the stream ends, or when the stream is released. The stream buffers two
    /// seconds; if nobody reads it, frames that do not fit are lost, and the next frame counts them. It ends when the
    /// source does: ``events`` report the reason.
    ///
    /// Throws ``SordinoError/Kind/alreadyListening`` if a capture is already in progress,
    /// ``SordinoError/Kind/permissionDenied`` if the app may not use the microphone, ``SordinoError/Kind/noDevice`` if
    /// there is none, ``SordinoError/Kind/deviceBusy`` if another app uses it, and ``SordinoError/Kind/capture`` if the
    /// library was built without a microphone: see ``features``.
    public func listenToMicrophone(device: String? = nil) async throws(SordinoError) -> AsyncStream<Frame> {
      let (_, frames) = try await capture.start(broadcaster) { [engine] listener in
        try engine.listenToMicrophone(device: device, listener: listener)
      } stop: { session in
        try session.stop()
      }
      return frames
    }

    /// The input devices that can be opened now.
    ///
    /// Throws ``SordinoError/Kind/noDevice`` if there is none, or the sound service does not run.
    public static func inputDevices() async throws(SordinoError) -> [InputDevice] {
      try await BlockingQueue.run { try engineInputDevices() }
    }
  }
#endif
