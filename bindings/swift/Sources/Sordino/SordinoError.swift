import Foundation

/// An error of any call.
public struct SordinoError: Error, Sendable, Hashable {
  /// The kind: the stage that failed, or for capture the reason.
  public let kind: Kind
  /// Identifies the case for programs, for example `no-plan`. It does not change between versions.
  public let code: String
  /// One line that says what failed, on what, and what to do. Show or log it; do not parse it.
  public let message: String

  public init(_ kind: Kind, code: String, _ message: String) {
    self.kind = kind
    self.code = code
    self.message = message
  }

  public enum Kind: Sendable, Hashable {
    /// An argument is invalid: a key, a URL, an id, partial frames.
    case argument
    /// The engine is closed; open it again.
    case closed
    /// The sampling plan was refused.
    case plan
    /// The system does not let the app use the microphone.
    case permissionDenied
    /// There is no microphone, no device with that id, or no sound service.
    case noDevice
    /// Another app uses the device.
    case deviceBusy
    /// Capture failed for another reason: an unsupported format, a lost device, a library built without a microphone, or
    /// a thread that could not be started.
    case capture
    /// A capture is already in progress.
    case alreadyListening
    /// The capture was stopped.
    case stopped
    /// A listener blocked the engine for over 5 s.
    case listenerBlocked
    /// A mark was refused.
    case mark
    /// An annotation is out of bounds.
    case annotation
    /// The recording cannot be a clip: it is empty, has NaN, or an unsupported rate.
    case clip
    /// Voice removal failed.
    case anonymize
    /// Consent could not be recorded or changed.
    case consent
    /// Sealing failed.
    case seal
    /// The queue of samples: there is no such sample, or no space or budget for it.
    case outbox
    /// Upload failed.
    case upload
    /// The state folder: it cannot be used, is open in another engine, or a newer version wrote it.
    case state
    /// The state folder is corrupt or was modified. Consent is not valid until ``Sordino/reset(folder:)`` is called
    /// on it.
    case damaged
    /// The folder holds no state of an engine.
    case noState
    /// A bug in the SDK. The engine is closed; open it again.
    case `internal`
  }
}

extension SordinoError: LocalizedError, CustomStringConvertible {
  public var errorDescription: String? { message }
  public var description: String { message }
}

extension SordinoError {
  /// Converts the error of a call into the engine.
  init(_ error: any Error) {
    switch error {
    case let error as SordinoError: self = error
    case let error as EngineError: self.init(engine: error)
    default: self.init(.internal, code: "internal", "\(error)")
    }
  }

  private init(engine error: EngineError) {
    self =
      switch error {
      case .Argument(let code, let message): .init(.argument, code: code, message)
      case .Closed(let code, let message): .init(.closed, code: code, message)
      case .Plan(let code, let message): .init(.plan, code: code, message)
      case .PermissionDenied(let code, let message): .init(.permissionDenied, code: code, message)
      case .NoDevice(let code, let message): .init(.noDevice, code: code, message)
      case .DeviceBusy(let code, let message): .init(.deviceBusy, code: code, message)
      case .Capture(let code, let message): .init(.capture, code: code, message)
      case .AlreadyListening(let code, let message): .init(.alreadyListening, code: code, message)
      case .Stopped(let code, let message): .init(.stopped, code: code, message)
      case .ListenerBlocked(let code, let message): .init(.listenerBlocked, code: code, message)
      case .Mark(let code, let message): .init(.mark, code: code, message)
      case .Annotation(let code, let message): .init(.annotation, code: code, message)
      case .Clip(let code, let message): .init(.clip, code: code, message)
      case .Anonymize(let code, let message): .init(.anonymize, code: code, message)
      case .Consent(let code, let message): .init(.consent, code: code, message)
      case .Seal(let code, let message): .init(.seal, code: code, message)
      case .Outbox(let code, let message): .init(.outbox, code: code, message)
      case .Upload(let code, let message): .init(.upload, code: code, message)
      case .State(let code, let message): .init(.state, code: code, message)
      case .Damaged(let code, let message): .init(.damaged, code: code, message)
      case .NoState(let code, let message): .init(.noState, code: code, message)
      case .Internal(let code, let message): .init(.internal, code: code, message)
      }
  }
}
