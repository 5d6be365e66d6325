#if canImport(AVFAudio)
  import AVFAudio
  import Foundation

  /// Tells what happens to the sound input: on iOS to the app's audio session, on macOS to the devices.
  final class AudioSessionWatch: @unchecked Sendable {
    enum Change: Sendable, Equatable {
      /// A phone call, an alarm or another app took the microphone.
      case interrupted
      /// It is back.
      case resumed
      /// A headset came or went; the format may be another one.
      case rerouted
      /// The media services died and were started anew.
      case reset
    }

    // Written once, in the initializer.
    private let observers: [any NSObjectProtocol]

    init(_ tell: @escaping @Sendable (Change) -> Void) {
      func watch(
        _ name: Notification.Name, _ change: @escaping @Sendable (Notification) -> Change?
      ) -> any NSObjectProtocol {
        NotificationCenter.default.addObserver(forName: name, object: nil, queue: nil) { notification in
          if let change = change(notification) { tell(change) }
        }
      }
      var observers = [watch(.AVAudioEngineConfigurationChange) { _ in .rerouted }]
      #if os(iOS) || SORDINO_STUBS
        observers += [
          watch(AVAudioSession.interruptionNotification, Self.interruption),
          watch(AVAudioSession.routeChangeNotification, Self.routeChange),
          watch(AVAudioSession.mediaServicesWereResetNotification) { _ in .reset },
        ]
      #endif
      self.observers = observers
    }

    deinit {
      for observer in observers { NotificationCenter.default.removeObserver(observer) }
    }

    #if os(iOS) || SORDINO_STUBS
      /// An interruption that ends without a word of resuming ends nevertheless: the person is practicing.
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
        case .newDeviceAvailable, .oldDeviceUnavailable, .override, .categoryChange: .rerouted
        default: nil
        }
      }

      private static func number(_ key: String, in notification: Notification) -> UInt? {
        notification.userInfo?[key] as? UInt
      }
    #endif
  }
#endif
