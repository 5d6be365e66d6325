#if canImport(AVFAudio)
  import AVFoundation

  /// The app's permission for the microphone. Its Info.plist gives the reason in `NSMicrophoneUsageDescription`.
  public enum MicrophonePermission {
    /// Whether the app may use the microphone; `nil` if the person has not been asked.
    public static var isGranted: Bool? {
      switch AVCaptureDevice.authorizationStatus(for: .audio) {
      case .authorized: true
      case .notDetermined: nil
      default: false
      }
    }

    /// Asks the person, unless they have already answered, and returns whether the app may use the microphone.
    public static func request() async -> Bool {
      if let isGranted { return isGranted }
      return await AVCaptureDevice.requestAccess(for: .audio)
    }
  }
#endif
