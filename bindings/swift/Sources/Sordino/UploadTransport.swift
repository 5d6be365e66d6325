import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Sends what is due with `URLSession`, also while the app is suspended or after the system has terminated it.
///
/// Withdrawals and deletions have a separate session, which the system does not defer, and are sent as soon as consent
/// changes. Everything else is sent one request at a time, over a session that waits for an inexpensive network. A request
/// that was handed to the system under a consent that has since been withdrawn is canceled.
///
/// Create one as soon as the app starts, with the same identifiers each time: the system then reports the requests that it
/// sent meanwhile. Call ``start()`` whenever something may be due, especially after a deletion. Each request carries its
/// ``UploadTask`` as `taskDescription`, which stays valid after a relaunch, and its body is in a file, as a background
/// session requires.
///
/// Nothing about the app, the device or the person is added: no cookies, no cache, no credentials, no locale. Redirects are
/// not followed. Only a background session follows them, as Apple documents; the response is then discarded as if there
/// were none. Nothing readable reaches another host: a sample is encrypted, and the signature of each request is valid
/// only for the collector's host.
public final class UploadTransport: Sendable {
  private let sordino: Sordino
  private let urgent: UploadSession
  private let deferrable: UploadSession
  private let observer: Task<Void, Never>

  /// - Parameters:
  ///   - sordino: The engine whose requests are sent.
  ///   - session: The configuration for everything that can wait; by default a background session.
  ///   - urgentSession: The configuration for withdrawals and deletions; by default another background session.
  ///   - bodies: The folder for request bodies until they are sent; by default next to the state folder.
  public init(
    _ sordino: Sordino, session: URLSessionConfiguration? = nil, urgentSession: URLSessionConfiguration? = nil,
    bodies: URL? = nil
  ) {
    let bodies = RequestBodies(folder: bodies ?? sordino.configuration.folder.appendingPathExtension("requests"))
    self.sordino = sordino
    let urgent = UploadSession(
      SessionDelegate(sordino, bodies) { () throws(SordinoError) in try await sordino.nextUrgentUploadTask() },
      Self.withoutIdentity(urgentSession ?? Self.urgentSession()))
    let deferrable = UploadSession(
      SessionDelegate(sordino, bodies) { () throws(SordinoError) in try await sordino.nextDeferrableUploadTask() },
      Self.withoutIdentity(session ?? Self.deferrableSession()))
    self.urgent = urgent
    self.deferrable = deferrable
    let events = sordino.events
    observer = Task {
      for await event in events {
        guard case .consentChanged = event else { continue }
        await deferrable.cancelUnwanted(sordino)
        try? await urgent.start()
      }
    }
  }

  deinit { observer.cancel() }

  /// Starts to send what is due, unless it is already being sent, and continues until nothing is due. It returns after the
  /// first requests are handed to the sessions.
  ///
  /// Throws what ``Sordino/nextUploadTask()`` throws, and ``SordinoError/Kind/upload`` if a body cannot be written.
  public func start() async throws(SordinoError) {
    await deferrable.cancelUnwanted(sordino)
    try await urgent.start()
    try await deferrable.start()
  }

  /// Sends everything that is due, and waits until nothing is due.
  ///
  /// Throws as ``start()`` does.
  public func sendAll() async throws(SordinoError) {
    try await start()
    await urgent.delegate.waitUntilIdle()
    await deferrable.delegate.waitUntilIdle()
  }

  /// Sets the handler to call after all results have been processed for which the system woke the app: the one of
  /// `application(_:handleEventsForBackgroundURLSession:completionHandler:)`. It is called on the main queue.
  public func afterBackgroundEvents(
    of identifier: String = UploadTransport.identifier, _ handler: @escaping @Sendable () -> Void
  ) {
    let session = identifier == Self.urgentIdentifier ? urgent : deferrable
    session.delegate.afterBackgroundEvents(handler)
  }

  /// Invalidates the sessions after the current requests finish.
  public func invalidate() {
    observer.cancel()
    urgent.session.finishTasksAndInvalidate()
    deferrable.session.finishTasksAndInvalidate()
  }

  /// The identifier of the background session for everything that can wait.
  public static let identifier = "dev.sordino.uploads"
  /// The identifier of the background session for withdrawals and deletions.
  public static let urgentIdentifier = "dev.sordino.withdrawals"

  private static func deferrableSession() -> URLSessionConfiguration {
    #if canImport(Darwin) || SORDINO_STUBS
      let configuration = URLSessionConfiguration.background(withIdentifier: identifier)
      configuration.sessionSendsLaunchEvents = true
      configuration.isDiscretionary = true
      configuration.allowsExpensiveNetworkAccess = false
      return configuration
    #else
      return .ephemeral
    #endif
  }

  private static func urgentSession() -> URLSessionConfiguration {
    #if canImport(Darwin) || SORDINO_STUBS
      let configuration = URLSessionConfiguration.background(withIdentifier: urgentIdentifier)
      configuration.sessionSendsLaunchEvents = true
      configuration.isDiscretionary = false
      return configuration
    #else
      return .ephemeral
    #endif
  }

  /// Removes everything that could identify the app or the person.
  private static func withoutIdentity(_ configuration: URLSessionConfiguration) -> URLSessionConfiguration {
    configuration.httpCookieStorage = nil
    configuration.httpShouldSetCookies = false
    configuration.urlCache = nil
    configuration.urlCredentialStorage = nil
    configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
    // By default the system sends the app's name, its version and the person's languages.
    configuration.httpAdditionalHeaders = ["User-Agent": "sordino", "Accept-Language": "*"]
    return configuration
  }
}

/// A `URLSession` with its delegate.
private struct UploadSession: Sendable {
  let delegate: SessionDelegate
  let session: URLSession

  init(_ delegate: SessionDelegate, _ configuration: URLSessionConfiguration) {
    self.delegate = delegate
    session = URLSession(configuration: configuration, delegate: delegate, delegateQueue: nil)
  }

  func start() async throws(SordinoError) {
    try await delegate.sendNext(over: session)
  }

  /// Cancels the requests that should not be sent anymore.
  func cancelUnwanted(_ sordino: Sordino) async {
    let tasks = await withCheckedContinuation { continuation in
      session.getAllTasks { continuation.resume(returning: $0) }
    }
    for task in tasks {
      guard let name = task.taskDescription else { continue }
      // Also canceled if the engine throws; the request stays due.
      if (try? await sordino.isStillWanted(name)) != true { task.cancel() }
    }
  }
}
