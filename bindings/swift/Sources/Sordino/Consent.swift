import Foundation

/// Consent.
extension Sordino {
  /// The state of consent, and the receipt.
  public func consent() async throws(SordinoError) -> ConsentStatus {
    try await BlockingQueue.run { [engine] in try engine.consent() }
  }

  /// The current state of consent, then each change. A slow reader gets only the newest. The stream ends on ``close()``.
  ///
  /// The expiry of consent is not reported when it happens: call ``consent()`` when the app moves to the foreground.
  public func consentStates() async throws(SordinoError) -> AsyncStream<ConsentState> {
    let (stream, subscriber) = broadcaster.consentStates()
    let current = try await consent().state
    subscriber.start(with: current)
    return stream
  }

  /// The bundled consent notice for the installed plan, in the language closest to `language`, or else in English.
  ///
  /// - Parameters:
  ///   - language: A BCP 47 tag, such as `Locale.preferredLanguages` contains.
  ///   - app: The app's name and contact, which the notice contains.
  ///
  /// Throws ``SordinoError/Kind/consent`` if no plan is installed, and ``SordinoError/Kind/argument`` if the name or the
  /// contact cannot be shown.
  public func notice(language: String, app: AppInfo) async throws(SordinoError) -> BundledNotice {
    try await BlockingQueue.run { [engine] in try engine.notice(language: language, app: app) }
  }

  /// Records consent to each of `purposes`, and returns the receipt for the person: a signed JSON document without a name.
  ///
  /// - Parameters:
  ///   - purposes: The purposes that the person agreed to.
  ///   - ageBand: Nothing is sampled from a child or a person of unknown age until a guardian has approved: in this call,
  ///     or later with ``approve(by:)``.
  ///   - notice: The text that the person read, in the version that the plan names; see ``notice(language:app:)``.
  ///   - guardian: How the app verified the guardian who approved.
  ///
  /// Throws ``SordinoError/Kind/consent`` if no plan is installed, the plan does not ask for one of the purposes or names
  /// another version of the notice, or the evidence is too short.
  @discardableResult
  public func giveConsent(
    to purposes: Set<Purpose>, ageBand: AgeBand, notice: Notice, guardian: Guardian? = nil
  ) async throws(SordinoError) -> String {
    try await BlockingQueue.run { [engine] in
      try engine.giveConsent(
        purposes: Array(purposes), ageBand: ageBand, notice: notice,
        guardian: guardian?.method, guardianEvidence: guardian?.evidence
      )
    }
  }

  /// Records the guardian's approval of a child's consent, and returns the receipt.
  ///
  /// Throws ``SordinoError/Kind/consent`` if no consent waits for approval, or the evidence is too short.
  @discardableResult
  public func approve(by guardian: Guardian) async throws(SordinoError) -> String {
    try await BlockingQueue.run { [engine] in
      try engine.approve(method: guardian.method, evidence: guardian.evidence)
    }
  }

  /// Records that the child who consented has come of age. Sampling stops, and the app must ask again for consent, as an
  /// adult.
  ///
  /// Throws ``SordinoError/Kind/consent`` if there is no valid consent of a child.
  public func comeOfAge() async throws(SordinoError) {
    try await BlockingQueue.run { [engine] in try engine.comeOfAge() }
  }

  /// Withdraws consent, for one purpose or for all. Sampling stops immediately, pending samples are shredded, and the next
  /// upload asks the collector to delete the samples that were sent.
  @discardableResult
  public func withdraw(_ purpose: Purpose? = nil) async throws(SordinoError) -> Withdrawal {
    try await BlockingQueue.run { [engine] in try engine.withdraw(purpose: purpose) }
  }
}

/// A guardian who approved, and how the app verified it.
public struct Guardian: Sendable, Hashable {
  /// The method of verification.
  public var method: GuardianMethod
  /// Evidence of the approval, at least 16 random bytes; only its hash is stored.
  public var evidence: Data?

  public init(method: GuardianMethod, evidence: Data? = nil) {
    self.method = method
    self.evidence = evidence
  }
}

extension BundledNotice {
  /// The bundled consent notice for given terms, for an app without an installed plan; otherwise use
  /// ``Sordino/notice(language:app:)``.
  ///
  /// - Parameters:
  ///   - language: A BCP 47 tag; the closest bundled language is used, or else English.
  ///   - app: The app's name and contact, which the notice contains.
  ///   - terms: The version of the notice, and how long consent and samples last.
  ///
  /// Throws ``SordinoError/Kind/argument`` if the name or the contact cannot be shown.
  public init(language: String, app: AppInfo, terms: NoticeTerms) throws(SordinoError) {
    self = try mapError { try engineNotice(language: language, app: app, terms: terms) }.get()
  }
}
