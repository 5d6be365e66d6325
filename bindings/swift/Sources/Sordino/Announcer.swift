import Foundation

/// What happens.
extension Sordino {
  /// What happens from now on; each reader has a stream of its own. It never carries sound. A reader that is
  /// more than 256 events behind loses the oldest. The stream ends when it is closed.
  public var events: AsyncStream<Event> { announcer.events() }
}

/// Passes the engine's events on to all streams. It is called on the engine's threads and never waits.
final class Announcer: EventListener {
  private struct Readers {
    var isFinished = false
    var next = 0
    var events: [Int: AsyncStream<Event>.Continuation] = [:]
    var consents: [Int: ConsentSubscriber] = [:]
    var endOfSource: (@Sendable () -> Void)?
  }
  private let readers = Locked(Readers())

  func onEvent(event: Event) {
    let now = readers.withLock { $0 }
    for reader in now.events.values { reader.yield(event) }
    switch event {
    case .consentChanged(let state): for reader in now.consents.values { reader.tell(state) }
    case .capture(event: .ended): now.endOfSource?()
    default: break
    }
  }

  func events() -> AsyncStream<Event> {
    let (stream, reader) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(256))
    let key = readers.withLock { readers -> Int? in
      guard !readers.isFinished else { return nil }
      readers.next += 1
      readers.events[readers.next] = reader
      return readers.next
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
      readers.next += 1
      readers.consents[readers.next] = subscriber
      return readers.next
    }
    reader.onTermination = { [readers] _ in readers.withLock { $0.consents[key] = nil } }
    return (stream, subscriber)
  }

  /// Has `action` called when the source that is being heard has ended.
  func atEndOfSource(_ action: (@Sendable () -> Void)?) {
    readers.withLock { $0.endOfSource = action }
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

/// A reader of consent's state: the state at the beginning, unless a change came before it was known.
final class ConsentSubscriber: Sendable {
  private let reader: AsyncStream<ConsentState>.Continuation
  private let hasBegun = Locked(false)

  init(_ reader: AsyncStream<ConsentState>.Continuation) { self.reader = reader }

  func begin(with state: ConsentState) {
    hasBegun.withLock { hasBegun in
      if !hasBegun { reader.yield(state) }
      hasBegun = true
    }
  }

  func tell(_ state: ConsentState) {
    hasBegun.withLock { hasBegun in
      hasBegun = true
      reader.yield(state)
    }
  }

  func finish() { reader.finish() }
}

/// A value behind a lock that is held for an instant only.
final class Locked<Value: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
