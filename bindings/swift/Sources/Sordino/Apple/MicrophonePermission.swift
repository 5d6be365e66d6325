#if canImport(AVFAudio)
  import AVFoundation

  /// Whether the app may use the microphone. Its Info.plist says why, under `NSMicrophoneUsageDescription`.
  public enum MicrophonePermission {
    /// Whether it may at present; `nil` where the person was not asked yet.
    public static var isGranted: Bool? {
      switch AVCaptureDevice.authorizationStatus(for: .audio) {
      case .authorized: true
      case .notDetermined: nil
      default: false
      }
    }

    /// Asks the person, if nobody did yet, and returns their answer.
    public static func request() async -> Bool {
      if let isGranted { return isGranted }
      return await AVCaptureDevice.requestAccess(for: .audio)
    }
  }
#endif
