extension Sordino {
  /// What the library that was loaded can do by itself; what it cannot do throws an error that says so. On Apple's systems
  /// ``UploadTransport`` and AVAudioEngine do it instead.
  public static var features: LibraryFeatures { libraryFeatures() }
}

// On Apple's systems the microphone is AVAudioEngine's: see Apple/Microphone.swift.
#if !canImport(Darwin)
  /// The machine's microphone.
  extension Sordino {
    /// Hears the microphone: the system's default one, or the `device` with an id from ``inputDevices()``. One
    /// that goes away is opened anew; ``events`` tell. Where consent and plan allow it, moments of what is heard
    /// become samples.
    ///
    /// The end of the task that reads the stream, or letting go of the stream, stops the microphone. The stream
    /// has room for two seconds; frames that find none, because nobody reads, are lost, and the next one tells.
    /// It ends when the source does: ``events`` say why.
    ///
    /// Throws ``SordinoError/listening(_:)`` where it listens already, and ``SordinoError/capture(_:)`` where
    /// there is no microphone, the app may not use it, or the library opens none: see ``features``.
    public func microphone(device: String? = nil) async throws(SordinoError) -> AsyncStream<Frame> {
      let (_, frames) = try await hearing.start(announcer) { [engine] ear in
        try engine.listenToMicrophone(device: device, listener: ear)
      } stop: { listening in
        try listening.stop()
      }
      return frames
    }

    /// The input devices that can be opened now.
    ///
    /// Throws ``SordinoError/capture(_:)`` where there is none, or the sound service does not run.
    public static func inputDevices() async throws(SordinoError) -> [InputDevice] {
      try await offPool { try engineInputDevices() }
    }
  }
#endif
