import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Sends what is due over `URLSession`, also while the app sleeps or after the system has ended it.
///
/// Withdrawals and deletions have a session of their own, which the system does not put off, and go as soon as consent
/// changes. All else goes, one request after another, over a session that waits for a network that costs nothing. What
/// was handed over there for a consent that was withdrawn meanwhile is cancelled.
///
/// Make one as soon as the app starts, with the same identifiers each time: the system then tells it what became
/// of requests that it sent meanwhile. Call ``start()`` whenever something may be due, after a deletion above all.
/// Each request carries its ``UploadTask`` as `taskDescription`, which means the same after a relaunch, and its body
/// lies in a file, which is what a background session takes.
///
/// Nothing about the app, the device or the person is added: no cookies, no cache, no credentials, no locale.
/// Redirects are not followed. A background session follows them nevertheless, as Apple documents; what comes of
/// one is thrown away as if no answer had come. It cannot carry anything in the clear to another host: a sample
/// is encrypted, and the signature of each request holds for the collector's own host alone.
public final class UploadTransport: Sendable {
  private let sordino: Sordino
  private let urgent: Lane
  private let deferrable: Lane
  private let watch: Task<Void, Never>

  /// - Parameters:
  ///   - sordino: Whose requests are sent.
  ///   - session: What kind of session sends what can wait; one that goes on in the background, unless told otherwise.
  ///   - urgentSession: What kind of session sends withdrawals and deletions; one that goes on in the background too.
  ///   - bodies: Where bodies lie until they are sent; beside the state folder unless told otherwise.
  public init(
    _ sordino: Sordino, session: URLSessionConfiguration? = nil, urgentSession: URLSessionConfiguration? = nil,
    bodies: URL? = nil
  ) {
    let bodies = Bodies(folder: bodies ?? sordino.configuration.folder.appendingPathExtension("requests"))
    self.sordino = sordino
    let urgent = Lane(
      Postman(sordino, bodies) { () throws(SordinoError) in try await sordino.nextUrgentRequest() },
      Self.bare(urgentSession ?? Self.urgentSession()))
    let deferrable = Lane(
      Postman(sordino, bodies) { () throws(SordinoError) in try await sordino.nextDeferrableRequest() },
      Self.bare(session ?? Self.deferrableSession()))
    self.urgent = urgent
    self.deferrable = deferrable
    let changes = sordino.events
    watch = Task {
      for await event in changes {
        guard case .consentChanged = event else { continue }
        await deferrable.cancelUnwanted(sordino)
        try? await urgent.start()
      }
    }
  }

  deinit { watch.cancel() }

  /// Sends the next requests that are due, where none is on its way, and goes on until none is. It returns as soon as
  /// the first are handed over.
  ///
  /// Throws what ``Sordino/nextRequest()`` throws, and ``SordinoError/upload(_:)`` where a body cannot be written.
  public func start() async throws(SordinoError) {
    await deferrable.cancelUnwanted(sordino)
    try await urgent.start()
    try await deferrable.start()
  }

  /// Sends all that is due, and waits until nothing is.
  ///
  /// Throws as ``start()`` does.
  public func sendAll() async throws(SordinoError) {
    try await start()
    await urgent.postman.untilIdle()
    await deferrable.postman.untilIdle()
  }

  /// Has `handler` called once all that the system woke the app for is told: what
  /// `application(_:handleEventsForBackgroundURLSession:completionHandler:)` gives. It is called on the main
  /// queue.
  public func afterBackgroundEvents(
    of identifier: String = UploadTransport.identifier, _ handler: @escaping @Sendable () -> Void
  ) {
    let lane = identifier == Self.urgentIdentifier ? urgent : deferrable
    lane.postman.afterBackgroundEvents(handler)
  }

  /// Lets go of the sessions once what is on its way is done.
  public func invalidate() {
    watch.cancel()
    urgent.session.finishTasksAndInvalidate()
    deferrable.session.finishTasksAndInvalidate()
  }

  /// The identifier of the background session for what can wait.
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

  /// The same without all that would tell who asks.
  private static func bare(_ configuration: URLSessionConfiguration) -> URLSessionConfiguration {
    configuration.httpCookieStorage = nil
    configuration.httpShouldSetCookies = false
    configuration.urlCache = nil
    configuration.urlCredentialStorage = nil
    configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
    // Without these the system would send the app's name, its version and the person's languages.
    configuration.httpAdditionalHeaders = ["User-Agent": "sordino", "Accept-Language": "*"]
    return configuration
  }
}

/// A session with what sends over it.
private struct Lane: Sendable {
  let postman: Postman
  let session: URLSession

  init(_ postman: Postman, _ configuration: URLSessionConfiguration) {
    self.postman = postman
    session = URLSession(configuration: configuration, delegate: postman, delegateQueue: nil)
  }

  func start() async throws(SordinoError) {
    try await postman.sendNext(over: session)
  }

  /// Cancels what was handed over and should not go any more.
  func cancelUnwanted(_ sordino: Sordino) async {
    let tasks = await withCheckedContinuation { continuation in
      session.getAllTasks { continuation.resume(returning: $0) }
    }
    for task in tasks {
      guard let name = task.taskDescription else { continue }
      // In doubt it goes no further; the request is due again.
      if (try? await sordino.isStillWanted(name)) != true { task.cancel() }
    }
  }
}

/// Hands requests to the session and what came of them to the engine.
final class Postman: NSObject, Sendable {
  private let sordino: Sordino
  private let bodies: Bodies
  private let next: @Sendable () async throws(SordinoError) -> Request?
  private let mail = Locked(Mail())

  private struct Mail {
    var isSending = false
    var answers: [Int: Data] = [:]
    var waiting: [CheckedContinuation<Void, Never>] = []
    var afterBackgroundEvents: (@Sendable () -> Void)?
    /// Outcomes that are being handed to the engine, and whether the system has no more to tell.
    var unfinished = 0
    var isToldAll = false
  }

  init(
    _ sordino: Sordino, _ bodies: Bodies, next: @escaping @Sendable () async throws(SordinoError) -> Request?
  ) {
    self.sordino = sordino
    self.bodies = bodies
    self.next = next
  }

  func sendNext(over session: URLSession) async throws(SordinoError) {
    let isFirst = mail.withLock { mail in
      defer { mail.isSending = true }
      return !mail.isSending
    }
    guard isFirst else { return }
    var isHandedOver = false
    defer { if !isHandedOver { rest() } }
    // What was sent before the app was ended is still on its way.
    guard await !isBusy(session) else {
      isHandedOver = true
      return
    }
    isHandedOver = try await handOver(to: session)
  }

  func untilIdle() async {
    await withCheckedContinuation { continuation in
      let isIdle = mail.withLock { mail in
        if mail.isSending { mail.waiting.append(continuation) }
        return !mail.isSending
      }
      if isIdle { continuation.resume() }
    }
  }

  func afterBackgroundEvents(_ handler: @escaping @Sendable () -> Void) {
    mail.withLock { $0.afterBackgroundEvents = handler }
  }

  /// Hands to the engine what came of a request. Returns whether to go on: an engine that is closed takes nothing
  /// in, and the same request is due again with the next one.
  private func take(_ outcome: Outcome, of task: UploadTask?) async -> Bool {
    guard let task else { return false }
    bodies.remove(task)
    return await (try? sordino.finish(task, outcome)) != nil
  }

  private func isBusy(_ session: URLSession) async -> Bool {
    await withCheckedContinuation { continuation in
      session.getAllTasks { continuation.resume(returning: !$0.isEmpty) }
    }
  }

  /// Returns whether there was anything to send.
  private func handOver(to session: URLSession) async throws(SordinoError) -> Bool {
    guard let request = try await next() else { return false }
    guard let url = URL(string: request.url) else {
      throw .upload("\(request.url) is no URL; open Sordino with the collector's")
    }
    var sent = URLRequest(url: url)
    sent.httpMethod = request.method
    for header in request.headers { sent.setValue(header.value, forHTTPHeaderField: header.name) }

    let task: URLSessionTask
    switch request.body {
    case .empty:
      task = session.downloadTask(with: sent)
    case .document(let content):
      task = session.uploadTask(with: sent, fromFile: try bodies.write(content, for: request.task))
    case .file(let path):
      task = session.uploadTask(with: sent, fromFile: URL(fileURLWithPath: path))
    }
    task.taskDescription = request.task
    task.resume()
    return true
  }

  /// Nothing is on its way any more.
  private func rest() {
    let waiting = mail.withLock { mail in
      defer {
        mail.isSending = false
        mail.waiting = []
      }
      return mail.waiting
    }
    for continuation in waiting { continuation.resume() }
    answerTheSystem()
  }

  private func answerTheSystem() {
    let handler = mail.withLock { mail -> (@Sendable () -> Void)? in
      guard mail.isToldAll, mail.unfinished == 0 else { return nil }
      defer {
        mail.afterBackgroundEvents = nil
        mail.isToldAll = false
      }
      return mail.afterBackgroundEvents
    }
    if let handler { DispatchQueue.main.async(execute: handler) }
  }
}

extension Postman: URLSessionDataDelegate, URLSessionDownloadDelegate {
  /// The engine reads that much of an answer.
  private static let answerRoom = 1 << 20

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    keep(data, of: dataTask)
  }

  func urlSession(
    _ session: URLSession, downloadTask: URLSessionDownloadTask, didFinishDownloadingTo location: URL
  ) {
    // The file is gone when this returns.
    guard let file = try? FileHandle(forReadingFrom: location) else { return }
    keep((try? file.read(upToCount: Self.answerRoom)) ?? Data(), of: downloadTask)
    try? file.close()
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    completionHandler(nil)
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    let body = mail.withLock { mail in
      mail.unfinished += 1
      return mail.answers.removeValue(forKey: task.taskIdentifier) ?? Data()
    }
    let outcome = outcome(of: task, body, error)
    let name = task.taskDescription
    Task {
      let goesOn = await take(outcome, of: name)
      mail.withLock { $0.unfinished -= 1 }
      guard goesOn, let isHandedOver = try? await handOver(to: session), isHandedOver else { return rest() }
    }
  }

  #if canImport(Darwin) || SORDINO_STUBS
    func urlSessionDidFinishEvents(forBackgroundURLSession session: URLSession) {
      mail.withLock { $0.isToldAll = true }
      answerTheSystem()
    }
  #endif

  private func keep(_ data: Data, of task: URLSessionTask) {
    mail.withLock { mail in
      let kept = mail.answers[task.taskIdentifier] ?? Data()
      mail.answers[task.taskIdentifier] = kept + data.prefix(Self.answerRoom - kept.count)
    }
  }

  private func outcome(of task: URLSessionTask, _ body: Data, _ error: (any Error)?) -> Outcome {
    if let error { return .unreachable(reason: error.localizedDescription) }
    guard let answer = task.response as? HTTPURLResponse else {
      return .unreachable(reason: "there was no HTTP answer")
    }
    guard answer.url?.host == task.originalRequest?.url?.host else {
      return .unreachable(reason: "the collector's answer was a redirect, which is not followed")
    }
    let headers = answer.allHeaderFields.compactMap { name, value in
      (name as? String).map { Header(name: $0, value: "\(value)") }
    }
    return .answered(status: UInt16(clamping: answer.statusCode), headers: headers, body: body)
  }
}

/// Documents on their way, each in a file of its own, since a background session takes files only. They hold
/// what the collector is told: registrations, deletions; never sound.
struct Bodies: Sendable {
  let folder: URL

  func write(_ content: Data, for task: UploadTask) throws(SordinoError) -> URL {
    let file = file(task)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      keepOutOfBackups(folder)
      try content.write(to: file, options: .atomic)
    } catch {
      throw .upload("\(file.path) cannot be written (\(error.localizedDescription)); make room for it")
    }
    return file
  }

  func remove(_ task: UploadTask) {
    try? FileManager.default.removeItem(at: file(task))
  }

  private func file(_ task: UploadTask) -> URL {
    let (kind, collector) = task.split(separator: "@", maxSplits: 1).map(String.init).pair
    let name = kind.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? kind
    return folder.appendingPathComponent("\(name)@\(checksum(collector))")
  }
}

extension [String] {
  fileprivate var pair: (String, String) { (first ?? "", count > 1 ? self[1] : "") }
}

/// FNV-1a with 64 bits, in hexadecimal: a URL is longer than a file's name may be, and a device knows few.
private func checksum(_ text: String) -> String {
  let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  return String(hash, radix: 16)
}
