import Foundation

/// What went wrong, by the stage in which it did. ``message`` says in one line what, where, and what to do.
public enum SordinoError: Error, Sendable, Hashable {
  /// Something that was passed in is not what it should be: a key, a URL, an id, whole frames.
  case argument(String)
  /// It was closed; open it again.
  case closed
  /// The sampling plan.
  case plan(String)
  /// The microphone or the app's own audio path: there is none, the app may not use it, or its format cannot be
  /// taken.
  case capture(String)
  /// It listens already, or what it listened to was stopped.
  case listening(String)
  /// A mark that was not taken.
  case mark(String)
  /// What the app says of a recording is out of bounds.
  case annotation(String)
  /// Sound that cannot be a clip.
  case clip(String)
  /// Voice removal.
  case anonymize(String)
  /// Consent.
  case consent(String)
  /// Sealing.
  case seal(String)
  /// The queue of samples.
  case outbox(String)
  /// Upload.
  case upload(String)
  /// The folder: it cannot be used, is open in another engine, or a newer version wrote it.
  case state(String)
  /// The folder is damaged, or somebody changed it. Nothing is taken for consent until ``Sordino/reset(folder:)``
  /// was called on it.
  case damaged(String)
  /// A defect of the SDK, or a system without threads to give.
  case `internal`(String)

  /// What, where, and what to do, in one line.
  public var message: String {
    switch self {
    case .closed:
      "the engine was shut down; open it again"
    case .argument(let message), .plan(let message), .capture(let message), .listening(let message),
      .mark(let message), .annotation(let message), .clip(let message), .anonymize(let message),
      .consent(let message), .seal(let message), .outbox(let message), .upload(let message),
      .state(let message), .damaged(let message), .internal(let message):
      message
    }
  }
}

extension SordinoError: LocalizedError, CustomStringConvertible {
  public var errorDescription: String? { message }
  public var description: String { message }
}

extension SordinoError {
  /// What a call into the engine threw.
  init(_ error: any Error) {
    switch error {
    case let error as SordinoError: self = error
    case let error as EngineError: self.init(engine: error)
    default: self = .internal("\(error)")
    }
  }

  private init(engine error: EngineError) {
    self =
      switch error {
      case .Argument(let message): .argument(message)
      case .Closed: .closed
      case .Plan(let message): .plan(message)
      case .Capture(let message): .capture(message)
      case .Listening(let message): .listening(message)
      case .Mark(let message): .mark(message)
      case .Annotation(let message): .annotation(message)
      case .Clip(let message): .clip(message)
      case .Anonymize(let message): .anonymize(message)
      case .Consent(let message): .consent(message)
      case .Seal(let message): .seal(message)
      case .Outbox(let message): .outbox(message)
      case .Upload(let message): .upload(message)
      case .State(let message): .state(message)
      case .Damaged(let message): .damaged(message)
      case .Internal(let message): .internal(message)
      }
  }
}
