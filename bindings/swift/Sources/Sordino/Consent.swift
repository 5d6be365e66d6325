import Foundation

/// Consent.
extension Sordino {
  /// Where consent stands, and the receipt.
  public func consent() async throws(SordinoError) -> ConsentStatus {
    try await offPool { [engine] in try engine.consent() }
  }

  /// Where consent stands now, then each change. A reader that is slow gets the newest alone. The stream ends
  /// when it is closed.
  ///
  /// A yes that runs out by the calendar changes nothing at that instant: ask ``consent()`` when the app comes
  /// to the front.
  public func consentStates() async throws(SordinoError) -> AsyncStream<ConsentState> {
    let (stream, subscriber) = announcer.consentStates()
    let now = try await consent().state
    subscriber.begin(with: now)
    return stream
  }

  /// Records a person's yes, purpose by purpose, and returns the receipt that the person gets: a signed JSON
  /// document that names nobody.
  ///
  /// - Parameters:
  ///   - purposes: What was answered yes, each by itself.
  ///   - ageBand: Of a child or a person of unknown age nothing is sampled until a guardian has approved: here,
  ///     or later by ``approve(by:)``.
  ///   - notice: The text that was shown, of the version that the plan names.
  ///   - guardian: How the app made sure that it was the guardian who approved.
  ///
  /// Throws ``SordinoError/consent(_:)`` where no plan is in force, it does not ask for that, it names another
  /// version of the notice, or the evidence is too short.
  @discardableResult
  public func giveConsent(
    to purposes: Set<Purpose>, ageBand: AgeBand, notice: Notice, guardian: Guardian? = nil
  ) async throws(SordinoError) -> String {
    try await offPool { [engine] in
      try engine.giveConsent(
        purposes: Array(purposes), ageBand: ageBand, notice: notice,
        guardian: guardian?.method, guardianEvidence: guardian?.evidence
      )
    }
  }

  /// Records that the guardian approves of what the child said yes to, and returns the receipt.
  ///
  /// Throws ``SordinoError/consent(_:)`` where nobody is waiting for it, or the evidence is too short.
  @discardableResult
  public func approve(by guardian: Guardian) async throws(SordinoError) -> String {
    try await offPool { [engine] in
      try engine.approve(method: guardian.method, evidence: guardian.evidence)
    }
  }

  /// Notes that the child who said yes has come of age: nothing is sampled any more, and the person is to be
  /// asked anew, as an adult.
  ///
  /// Throws ``SordinoError/consent(_:)`` where no child's yes stands.
  public func comeOfAge() async throws(SordinoError) {
    try await offPool { [engine] in try engine.comeOfAge() }
  }

  /// Takes the yes back, for one purpose or for all. Nothing is sampled from this instant on, pending samples
  /// are shredded, and what was sent is asked back with the next upload.
  @discardableResult
  public func withdraw(_ purpose: Purpose? = nil) async throws(SordinoError) -> Withdrawal {
    try await offPool { [engine] in try engine.withdraw(purpose: purpose) }
  }
}

/// A guardian who approved, and how the app made sure of it.
public struct Guardian: Sendable, Hashable {
  /// How.
  public var method: GuardianMethod
  /// What the app could show for it later, at least 16 bytes that nobody could guess; only its hash is kept.
  public var evidence: Data?

  public init(method: GuardianMethod, evidence: Data? = nil) {
    self.method = method
    self.evidence = evidence
  }
}

extension BundledNotice {
  /// The notice that comes with the SDK, in the language nearest to `language`, or else in English.
  ///
  /// - Parameters:
  ///   - version: The organization's count of its texts: the plan's `noticeVersion`.
  ///   - language: A BCP 47 tag, such as `Locale.preferredLanguages` has.
  ///   - app: What the app is called, 1 to 100 characters.
  ///   - contact: Where questions go, 1 to 200 characters.
  ///   - days: How long a yes lasts: the plan's `consentDays`.
  ///   - retentionDays: How long a purpose's samples are kept: the plan's `retentionDays`. Those of a purpose
  ///     that it lacks are kept until the person says no.
  ///
  /// Throws ``SordinoError/argument(_:)`` where one of them cannot be shown.
  public init(
    version: UInt32, language: String, app: String, contact: String, days: UInt32,
    retentionDays: [Purpose: UInt32] = [:]
  ) throws(SordinoError) {
    self = try told {
      try engineNotice(
        version: version, language: language, appName: app, appContact: contact, days: days,
        retentionDays: retentionDays)
    }.get()
  }
}
