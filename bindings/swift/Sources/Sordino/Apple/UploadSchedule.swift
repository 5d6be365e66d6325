#if os(iOS) || SORDINO_STUBS
  import BackgroundTasks
  import Foundation

  /// Uploads while the app is not in front: iOS wakes it when the device is charged and has a network, and a
  /// ``UploadTransport`` hands over what is due.
  ///
  /// The app's Info.plist lists ``identifier`` under `BGTaskSchedulerPermittedIdentifiers` and has `processing` among
  /// its `UIBackgroundModes`.
  public enum UploadSchedule {
    /// The name of the task.
    public static let identifier = "dev.sordino.uploads"

    /// Has `transport` called when iOS finds the time. Call it before the app has finished launching, once.
    ///
    /// Returns whether iOS took it: it does not where Info.plist lacks the identifier.
    @discardableResult
    public static func register(_ transport: UploadTransport) -> Bool {
      BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: nil) { task in
        let task = Unshared(task)
        let work = Task {
          var isDone = true
          do { try await transport.start() } catch { isDone = false }
          try? ask()
          task.value.setTaskCompleted(success: isDone)
        }
        task.value.expirationHandler = { work.cancel() }
      }
    }

    /// Asks iOS for the next time. Call it when the app goes to the background.
    ///
    /// Throws what `BGTaskScheduler` throws, as in the simulator.
    public static func ask() throws {
      let request = BGProcessingTaskRequest(identifier: identifier)
      request.requiresNetworkConnectivity = true
      request.requiresExternalPower = true
      try BGTaskScheduler.shared.submit(request)
    }
  }

  /// A task of the system's, which comes on one thread and is only told what became of it.
  private struct Unshared<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }
#endif
