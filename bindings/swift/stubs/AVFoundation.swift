// Stubs of the parts of Apple's AVFoundation that Sordino uses, for type-checking only.
@_exported import AVFAudio
import Foundation

public struct AVMediaType: Sendable { public static let audio = AVMediaType() }
public enum AVAuthorizationStatus: Int, @unchecked Sendable {
  case notDetermined, restricted, denied, authorized
}
open class AVCaptureDevice: NSObject {
  public class func authorizationStatus(for mediaType: AVMediaType) -> AVAuthorizationStatus { .denied }
  public class func requestAccess(for mediaType: AVMediaType) async -> Bool { false }
}
