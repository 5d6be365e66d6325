import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Hands requests to the session, and their results to the engine.
final class SessionDelegate: NSObject, Sendable {
  private let sordino: Sordino
  private let bodies: RequestBodies
  private let next: @Sendable () async throws(SordinoError) -> Request?
  private let state = Locked(State())

  private struct State {
    var isSending = false
    var responseBodies: [Int: Data] = [:]
    var waiting: [CheckedContinuation<Void, Never>] = []
    var afterBackgroundEvents: (@Sendable () -> Void)?
    /// The number of results that the engine is processing, and whether the system has delivered all its events.
    var unprocessed = 0
    var areEventsDelivered = false
  }

  init(
    _ sordino: Sordino, _ bodies: RequestBodies, next: @escaping @Sendable () async throws(SordinoError) -> Request?
  ) {
    self.sordino = sordino
    self.bodies = bodies
    self.next = next
  }

  func sendNext(over session: URLSession) async throws(SordinoError) {
    let isFirst = state.withLock { state in
      defer { state.isSending = true }
      return !state.isSending
    }
    guard isFirst else { return }
    var isHandedOver = false
    defer { if !isHandedOver { becomeIdle() } }
    // A request from before the app was terminated may still be in progress.
    guard await !isBusy(session) else {
      isHandedOver = true
      return
    }
    isHandedOver = try await handOver(to: session)
  }

  func waitUntilIdle() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if state.isSending { state.waiting.append(continuation) }
        return !state.isSending
      }
      if isIdle { continuation.resume() }
    }
  }

  func afterBackgroundEvents(_ handler: @escaping @Sendable () -> Void) {
    state.withLock { $0.afterBackgroundEvents = handler }
  }

  /// Passes a result to the engine. Returns whether to continue: a closed engine processes nothing, and the same request
  /// is due again when it is reopened.
  private func process(_ result: UploadResult, of task: UploadTask?) async -> Bool {
    guard let task else { return false }
    bodies.remove(task)
    return await (try? sordino.processUploadResult(result, of: task)) != nil
  }

  private func isBusy(_ session: URLSession) async -> Bool {
    await withCheckedContinuation { continuation in
      session.getAllTasks { continuation.resume(returning: !$0.isEmpty) }
    }
  }

  /// Hands the next request to the session. Returns whether there was one.
  private func handOver(to session: URLSession) async throws(SordinoError) -> Bool {
    guard let request = try await next() else { return false }
    guard let url = URL(string: request.url) else {
      throw SordinoError(
        .upload, code: "invalid-url", "invalid URL \(request.url); open Sordino with the collector's URL")
    }
    var urlRequest = URLRequest(url: url)
    urlRequest.httpMethod = request.method
    for header in request.headers { urlRequest.setValue(header.value, forHTTPHeaderField: header.name) }

    let task: URLSessionTask
    switch request.body {
    case .empty:
      task = session.downloadTask(with: urlRequest)
    case .document(let content):
      task = session.uploadTask(with: urlRequest, fromFile: try bodies.write(content, for: request.task))
    case .file(let path):
      task = session.uploadTask(with: urlRequest, fromFile: URL(fileURLWithPath: path))
    }
    task.taskDescription = request.task
    task.resume()
    return true
  }

  /// No request is in progress anymore.
  private func becomeIdle() {
    let waiting = state.withLock { state in
      defer {
        state.isSending = false
        state.waiting = []
      }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
    completeBackgroundEvents()
  }

  private func completeBackgroundEvents() {
    let handler = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.areEventsDelivered, state.unprocessed == 0 else { return nil }
      defer {
        state.afterBackgroundEvents = nil
        state.areEventsDelivered = false
      }
      return state.afterBackgroundEvents
    }
    if let handler { DispatchQueue.main.async(execute: handler) }
  }
}

extension SessionDelegate: URLSessionDataDelegate, URLSessionDownloadDelegate {
  /// The part of a response that is read; the engine needs no more.
  private static let maxResponseBytes = 1 << 20

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    append(data, to: dataTask)
  }

  func urlSession(
    _ session: URLSession, downloadTask: URLSessionDownloadTask, didFinishDownloadingTo location: URL
  ) {
    // The system deletes the file when this function returns.
    guard let file = try? FileHandle(forReadingFrom: location) else { return }
    append((try? file.read(upToCount: Self.maxResponseBytes)) ?? Data(), to: downloadTask)
    try? file.close()
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    completionHandler(nil)
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    let body = state.withLock { state in
      state.unprocessed += 1
      return state.responseBodies.removeValue(forKey: task.taskIdentifier) ?? Data()
    }
    let result = result(of: task, body, error)
    let name = task.taskDescription
    Task {
      let isProcessed = await process(result, of: name)
      state.withLock { $0.unprocessed -= 1 }
      guard isProcessed, let isHandedOver = try? await handOver(to: session), isHandedOver else { return becomeIdle() }
    }
  }

  #if canImport(Darwin) || SORDINO_STUBS
    func urlSessionDidFinishEvents(forBackgroundURLSession session: URLSession) {
      state.withLock { $0.areEventsDelivered = true }
      completeBackgroundEvents()
    }
  #endif

  private func append(_ data: Data, to task: URLSessionTask) {
    state.withLock { state in
      let body = state.responseBodies[task.taskIdentifier] ?? Data()
      state.responseBodies[task.taskIdentifier] = body + data.prefix(Self.maxResponseBytes - body.count)
    }
  }

  private func result(of task: URLSessionTask, _ body: Data, _ error: (any Error)?) -> UploadResult {
    if let error { return .unreachable(reason: error.localizedDescription) }
    guard let response = task.response as? HTTPURLResponse else {
      return .unreachable(reason: "there was no HTTP response")
    }
    guard response.url?.host == task.originalRequest?.url?.host else {
      return .unreachable(reason: "the collector redirected to another host, which is not followed")
    }
    let headers = response.allHeaderFields.compactMap { name, value in
      (name as? String).map { Header(name: $0, value: "\(value)") }
    }
    return .response(
      response: HttpResponse(status: UInt16(clamping: response.statusCode), headers: headers, body: body))
  }
}
