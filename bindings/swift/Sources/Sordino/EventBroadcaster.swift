import Foundation

/// Events.
extension Sordino {
  /// The events from now on; each reader has a separate stream. They never contain audio. A reader that is more than
  /// 256 events behind loses the oldest. The stream ends on ``close()``.
  public var events: AsyncStream<Event> { broadcaster.events() }
}

/// Passes the engine's events to all streams. It is called on the engine's threads and never waits.
final class EventBroadcaster: EventListener {
  private struct Readers {
    var isFinished = false
    var lastKey = 0
    var events: [Int: AsyncStream<Event>.Continuation] = [:]
    var consents: [Int: ConsentSubscriber] = [:]
    var onSourceEnded: (@Sendable () -> Void)?
  }
  private let readers = Locked(Readers())

  func onEvent(event: Event) {
    let current = readers.withLock { $0 }
    for reader in current.events.values { reader.yield(event) }
    switch event {
    case .consentChanged(let state): for reader in current.consents.values { reader.update(state) }
    case .capture(event: .ended): current.onSourceEnded?()
    default: break
    }
  }

  func events() -> AsyncStream<Event> {
    let (stream, reader) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(256))
    let key = readers.withLock { readers -> Int? in
      guard !readers.isFinished else { return nil }
      readers.lastKey += 1
      readers.events[readers.lastKey] = reader
      return readers.lastKey
    }
    guard let key else {
      reader.finish()
      return stream
    }
    reader.onTermination = { [readers] _ in readers.withLock { $0.events[key] = nil } }
    return stream
  }

  func consentStates() -> (AsyncStream<ConsentState>, ConsentSubscriber) {
    let (stream, reader) = AsyncStream.makeStream(
      of: ConsentState.self, bufferingPolicy: .bufferingNewest(1))
    let subscriber = ConsentSubscriber(reader)
    let key = readers.withLock { readers in
      readers.lastKey += 1
      readers.consents[readers.lastKey] = subscriber
      return readers.lastKey
    }
    reader.onTermination = { [readers] _ in readers.withLock { $0.consents[key] = nil } }
    return (stream, subscriber)
  }

  /// Sets the action to call when the current source ends.
  func onSourceEnded(_ action: (@Sendable () -> Void)?) {
    readers.withLock { $0.onSourceEnded = action }
  }

  /// Ends all streams.
  func finish() {
    let last = readers.withLock { readers in
      let last = readers
      readers = Readers(isFinished: true)
      return last
    }
    for reader in last.events.values { reader.finish() }
    for reader in last.consents.values { reader.finish() }
  }
}

/// A reader of the state of consent. It gets the initial state first, unless a change arrives earlier.
final class ConsentSubscriber: Sendable {
  private let reader: AsyncStream<ConsentState>.Continuation
  private let hasStarted = Locked(false)

  init(_ reader: AsyncStream<ConsentState>.Continuation) { self.reader = reader }

  func start(with state: ConsentState) {
    hasStarted.withLock { hasStarted in
      if !hasStarted { reader.yield(state) }
      hasStarted = true
    }
  }

  func update(_ state: ConsentState) {
    hasStarted.withLock { hasStarted in
      hasStarted = true
      reader.yield(state)
    }
  }

  func finish() { reader.finish() }
}
