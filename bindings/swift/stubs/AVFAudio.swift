// Stubs of the parts of Apple's AVFAudio that Sordino uses, for type-checking only.
import Foundation

public typealias AVAudioFrameCount = UInt32
public typealias AVAudioNodeBus = Int

open class AVAudioFormat: NSObject {
  public var sampleRate: Double { 0 }
  public var channelCount: UInt32 { 0 }
}
open class AVAudioTime: NSObject {}
open class AVAudioPCMBuffer: NSObject {
  public var frameLength: AVAudioFrameCount { 0 }
  public var floatChannelData: UnsafePointer<UnsafeMutablePointer<Float>>? { nil }
}
public typealias AVAudioNodeTapBlock = @Sendable (AVAudioPCMBuffer, AVAudioTime) -> Void
open class AVAudioNode: NSObject {
  public func outputFormat(forBus bus: AVAudioNodeBus) -> AVAudioFormat { fatalError() }
  public func installTap(
    onBus bus: AVAudioNodeBus, bufferSize: AVAudioFrameCount, format: AVAudioFormat?,
    block: @escaping AVAudioNodeTapBlock
  ) {}
  public func removeTap(onBus bus: AVAudioNodeBus) {}
}
open class AVAudioInputNode: AVAudioNode {}
open class AVAudioEngine: NSObject {
  public override init() {}
  public var inputNode: AVAudioInputNode { fatalError() }
  public func prepare() {}
  public func start() throws {}
  public func pause() {}
  public func stop() {}
}
extension Notification.Name {
  public static let AVAudioEngineConfigurationChange = Notification.Name("")
}

public let AVAudioSessionInterruptionTypeKey = ""
public let AVAudioSessionRouteChangeReasonKey = ""
open class AVAudioSession: NSObject {
  public static let interruptionNotification = Notification.Name("")
  public static let routeChangeNotification = Notification.Name("")
  public static let mediaServicesWereResetNotification = Notification.Name("")
  public enum InterruptionType: UInt, @unchecked Sendable { case began = 1, ended = 0 }
  public enum RouteChangeReason: UInt, @unchecked Sendable {
    case unknown, newDeviceAvailable, oldDeviceUnavailable, categoryChange, override
    case wakeFromSleep = 6, noSuitableRouteForCategory, routeConfigurationChange
  }
  public struct Category: Sendable { public static let playAndRecord = Category() }
  public struct Mode: Sendable { public static let measurement = Mode() }
  public struct CategoryOptions: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
    public static let defaultToSpeaker = CategoryOptions(rawValue: 8)
  }
  public class func sharedInstance() -> AVAudioSession { fatalError() }
  public func setCategory(_ category: Category, mode: Mode, options: CategoryOptions = []) throws {}
  public func setActive(_ active: Bool) throws {}
}

open class AVAudioPlayer: NSObject {
  public init(data: Data) throws {}
  @discardableResult public func play() -> Bool { false }
  public func stop() {}
}
