#if canImport(AVFAudio)
  import AVFAudio
  import Foundation

  /// Reports changes of the audio input: on iOS of the app's audio session, on macOS of the devices.
  final class AudioSessionObserver: @unchecked Sendable {
    enum Change: Sendable, Equatable {
      /// A phone call, an alarm or another app uses the microphone.
      case interrupted
      /// The interruption has ended.
      case resumed
      /// A device was connected or disconnected; the format may have changed.
      case routeChanged
      /// The media services failed and were restarted.
      case reset
    }

    // Assigned once, in the initializer.
    private let observers: [any NSObjectProtocol]

    init(_ report: @escaping @Sendable (Change) -> Void) {
      func observe(
        _ name: Notification.Name, _ change: @escaping @Sendable (Notification) -> Change?
      ) -> any NSObjectProtocol {
        NotificationCenter.default.addObserver(forName: name, object: nil, queue: nil) { notification in
          if let change = change(notification) { report(change) }
        }
      }
      var observers = [observe(.AVAudioEngineConfigurationChange) { _ in .routeChanged }]
      #if os(iOS) || SORDINO_STUBS
        observers += [
          observe(AVAudioSession.interruptionNotification, Self.interruption),
          observe(AVAudioSession.routeChangeNotification, Self.routeChange),
          observe(AVAudioSession.mediaServicesWereResetNotification) { _ in .reset },
        ]
      #endif
      self.observers = observers
    }

    deinit {
      for observer in observers { NotificationCenter.default.removeObserver(observer) }
    }

    #if os(iOS) || SORDINO_STUBS
      /// Resumes after every interruption, even without the option `shouldResume`: the person is practicing.
      static func interruption(_ notification: Notification) -> Change? {
        switch number(AVAudioSessionInterruptionTypeKey, in: notification)
          .flatMap(AVAudioSession.InterruptionType.init(rawValue:))
        {
        case .began: .interrupted
        case .ended: .resumed
        default: nil
        }
      }

      static func routeChange(_ notification: Notification) -> Change? {
        switch number(AVAudioSessionRouteChangeReasonKey, in: notification)
          .flatMap(AVAudioSession.RouteChangeReason.init(rawValue:))
        {
        case .newDeviceAvailable, .oldDeviceUnavailable, .override, .categoryChange: .routeChanged
        default: nil
        }
      }

      private static func number(_ key: String, in notification: Notification) -> UInt? {
        notification.userInfo?[key] as? UInt
      }
    #endif
  }
#endif
