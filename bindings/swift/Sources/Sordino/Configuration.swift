import Foundation

extension Sordino {
  /// What an engine is opened with.
  public struct Configuration: Sendable, Hashable {
    /// Where the state lives; nobody else writes there. It is made where it is not there.
    public var folder: URL
    /// The organization's Ed25519 public key, 64 hexadecimal digits, pinned in the app: only its plans count.
    public var organizationKey: String
    /// Where samples go: `https://…`, or `http://…` on this very machine.
    public var collector: URL
    /// Whether the person hears each sample before it is sealed, also where the plan does not ask for that:
    /// see ``Sordino/previews()``.
    public var reviewRequired: Bool
    /// How much may wait to be sent.
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
  /// How much may wait to be sent. The oldest go first.
  public struct Quota: Sendable, Hashable {
    /// Samples.
    public var samples: UInt32
    /// Bytes of them.
    public var bytes: UInt64

    public init(samples: UInt32 = 200, bytes: UInt64 = 32 << 20) {
      self.samples = samples
      self.bytes = bytes
    }
  }
}

extension Engine {
  static func opened(
    _ configuration: Sordino.Configuration, telling listener: any EventListener
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
