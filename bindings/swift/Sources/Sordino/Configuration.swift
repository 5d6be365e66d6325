import Foundation

extension Sordino {
  /// The configuration of an engine.
  public struct Configuration: Sendable, Hashable {
    /// The state folder, which only the engine writes to. It is created if it does not exist.
    public var folder: URL
    /// The organization's Ed25519 public key, 64 hexadecimal digits, pinned in the app: only plans signed with it are
    /// accepted.
    public var organizationKey: String
    /// The collector's URL: `https://…`, or `http://…` on the same machine.
    public var collector: URL
    /// Whether the person reviews each sample before it is sealed, even if the plan does not require it: see
    /// ``Sordino/previews()``.
    public var reviewRequired: Bool
    /// The limits of the queue of samples.
    public var quota: Quota

    public init(
      folder: URL, organizationKey: String, collector: URL, reviewRequired: Bool = false,
      quota: Quota = Quota()
    ) {
      self.folder = folder
      self.organizationKey = organizationKey
      self.collector = collector
      self.reviewRequired = reviewRequired
      self.quota = quota
    }
  }
}

extension Sordino {
  /// The limits of the queue of samples. The oldest are dropped first.
  public struct Quota: Sendable, Hashable {
    /// The largest number of samples.
    public var samples: UInt32
    /// The largest total size, in bytes.
    public var bytes: UInt64

    public init(samples: UInt32 = 200, bytes: UInt64 = 32 << 20) {
      self.samples = samples
      self.bytes = bytes
    }
  }
}

extension Engine {
  static func open(
    _ configuration: Sordino.Configuration, listener: any EventListener
  ) throws -> Engine {
    var builder = try EngineBuilder(
      folder: configuration.folder.path,
      organizationKey: configuration.organizationKey,
      collectorUrl: configuration.collector.absoluteString
    )
    .quota(samples: configuration.quota.samples, bytes: configuration.quota.bytes)
    .eventListener(listener: listener)
    if configuration.reviewRequired { builder = builder.reviewRequired() }
    return try builder.open()
  }
}
