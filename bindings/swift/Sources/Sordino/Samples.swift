import Foundation

/// Samples.
extension Sordino {
  /// Why nothing may be sampled at this instant; `nil` where it may.
  public func mayNotSample() async throws(SordinoError) -> WithheldReason? {
    try await offPool { [engine] in try engine.maySample() }
  }

  /// Marks a moment of what is being heard, because the recognizer was unsure or wrong. It is taken with the
  /// plan's probability and within its budget, and without consent not at all.
  ///
  /// Throws ``SordinoError/mark(_:)`` where nothing is being heard, nothing may be sampled, or the moment is
  /// over.
  @discardableResult
  public func mark(_ moment: Moment = Moment()) async throws(SordinoError) -> Marked {
    try await offPool { [engine] in try engine.mark(moment: moment) }
  }

  /// Offers a recording as one sample, as the app's own mark does: it skips the random draw and keeps consent,
  /// the budget and the anonymizer's gate. A longer one than the plan's clip is cut to its end.
  ///
  /// - Parameters:
  ///   - samples: Mono, full scale at ±1, at `rate` Hz.
  ///   - rate: Samples a second, 8000 to 384000.
  ///   - annotation: What the app says of it, its times in seconds from the start.
  ///
  /// Throws ``SordinoError/clip(_:)`` for no sound, for NaN and for a rate out of bounds, and
  /// ``SordinoError/annotation(_:)``.
  public func offer(
    _ samples: [Float], rate: Int, annotation: Annotation? = nil
  ) async throws(SordinoError) -> Offer {
    try await offPool { [engine] in
      let rate = try whole(rate, "a rate in Hz", as: UInt32.self)
      return try samples.withUnsafeBufferPointer { samples in
        try engine.offer(samples: borrowed(samples), rate: rate, annotation: annotation)
      }
    }
  }

  /// Where the device stands.
  public func status() async throws(SordinoError) -> Status {
    try await offPool { [engine] in try engine.status() }
  }

  /// Every sample there ever was, oldest first, and what became of it.
  public func samples() async throws(SordinoError) -> [Sample] {
    try await offPool { [engine] in try engine.samples() }
  }

  /// Deletes one sample, here at once and at the collector with the next upload.
  ///
  /// Throws ``SordinoError/outbox(_:)`` where there is none of that id.
  @discardableResult
  public func delete(_ sample: SordinoId) async throws(SordinoError) -> Sample {
    try await offPool { [engine] in try engine.delete(sample: sample) }
  }

  /// Deletes every sample, here at once and at the collector with the next upload. Consent stands as it is.
  public func deleteAll() async throws(SordinoError) {
    try await offPool { [engine] in try engine.deleteAll() }
  }

  /// All that the device holds of the person, as a zip archive: records, receipts, the texts agreed to, the
  /// list of samples.
  public func exportMyData() async throws(SordinoError) -> Data {
    try await offPool { [engine] in try engine.exportMyData() }
  }
}

/// Review: what would be sent, for the person to hear before it is sealed.
extension Sordino {
  /// The clips that wait for the person's word, oldest first. They are in memory only.
  public func previews() async throws(SordinoError) -> [Preview] {
    try await offPool { [engine] in try engine.previews() }
  }

  /// What would be sent, to be heard.
  ///
  /// Throws ``SordinoError/argument(_:)`` where no such clip waits.
  public func preview(_ preview: SordinoId) async throws(SordinoError) -> PreviewSound {
    try await offPool { [engine] in try engine.preview(preview: preview) }
  }

  /// The person says yes to this clip: it is sealed and queued, if consent, plan and budget still allow it.
  ///
  /// Throws ``SordinoError/argument(_:)`` where no such clip waits.
  @discardableResult
  public func accept(_ preview: SordinoId) async throws(SordinoError) -> Offer {
    try await offPool { [engine] in try engine.acceptPreview(preview: preview) }
  }

  /// The person says no to this clip: it is wiped.
  ///
  /// Throws ``SordinoError/argument(_:)`` where no such clip waits.
  public func discard(_ preview: SordinoId) async throws(SordinoError) {
    try await offPool { [engine] in try engine.discardPreview(preview: preview) }
  }
}
