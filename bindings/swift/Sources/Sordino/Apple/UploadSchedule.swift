#if os(iOS) || SORDINO_STUBS
  import BackgroundTasks
  import Foundation

  /// Uploads while the app is in the background: iOS wakes it when the device is charging and has a network, and an
  /// ``UploadTransport`` sends what is due.
  ///
  /// The app's Info.plist lists ``identifier`` under `BGTaskSchedulerPermittedIdentifiers` and has `processing` in its
  /// `UIBackgroundModes`.
  public enum UploadSchedule {
    /// The identifier of the task.
    public static let identifier = "dev.sordino.uploads"

    /// Registers `transport` for the task. Call it once, before the app finishes launching.
    ///
    /// Returns whether iOS accepted it: it does not if Info.plist lacks the identifier.
    @discardableResult
    public static func register(_ transport: UploadTransport) -> Bool {
      BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: nil) { task in
        let task = UncheckedSendable(task)
        let work = Task {
          var isSuccessful = true
          do { try await transport.start() } catch { isSuccessful = false }
          try? submit()
          task.value.setTaskCompleted(success: isSuccessful)
        }
        task.value.expirationHandler = { work.cancel() }
      }
    }

    /// Requests the next run. Call it when the app moves to the background.
    ///
    /// Throws what `BGTaskScheduler` throws, for example in the simulator.
    public static func submit() throws {
      let request = BGProcessingTaskRequest(identifier: identifier)
      request.requiresNetworkConnectivity = true
      request.requiresExternalPower = true
      try BGTaskScheduler.shared.submit(request)
    }
  }

  /// A system object that is used on one thread at a time.
  private struct UncheckedSendable<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }
#endif
