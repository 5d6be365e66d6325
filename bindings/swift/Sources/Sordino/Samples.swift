import Foundation

/// Samples.
extension Sordino {
  /// Why sampling is blocked now; `nil` if it is allowed.
  public func samplingBlocked() async throws(SordinoError) -> WithheldReason? {
    try await BlockingQueue.run { [engine] in try engine.samplingBlocked() }
  }

  /// Marks a moment of the captured audio, because the recognizer was unsure or wrong. It is sampled with the plan's
  /// probability and within its budget, and never without consent.
  ///
  /// Throws ``SordinoError/Kind/mark`` if no capture is in progress, sampling is blocked, or the moment is too old.
  @discardableResult
  public func mark(_ moment: Moment = Moment()) async throws(SordinoError) -> MarkOutcome {
    try await BlockingQueue.run { [engine] in try engine.mark(moment: moment) }
  }

  /// Submits a recording as one sample, as if the app had marked it. It skips the random draw, but consent, budget and the
  /// anonymizer's checks apply. If it is longer than the plan's clip, only its end is used.
  ///
  /// - Parameters:
  ///   - samples: Mono, full scale at ±1.
  ///   - rate: The sample rate in Hz, 8000 to 384000.
  ///   - annotation: The app's annotation, with times in seconds from the start of the recording.
  ///
  /// Throws ``SordinoError/Kind/clip`` if the recording is empty, contains NaN, or its rate is out of bounds, and
  /// ``SordinoError/Kind/annotation`` if the annotation is out of bounds.
  public func submit(
    _ samples: [Float], rate: Int, annotation: Annotation? = nil
  ) async throws(SordinoError) -> SubmitOutcome {
    try await BlockingQueue.run { [engine] in
      let rate = try converted(rate, "sample rate", as: UInt32.self)
      return try samples.withUnsafeBufferPointer { samples in
        try engine.submit(samples: borrowed(samples), rate: rate, annotation: annotation)
      }
    }
  }

  /// Consent, the queue of samples and what waits for the collector.
  public func status() async throws(SordinoError) -> Status {
    try await BlockingQueue.run { [engine] in try engine.status() }
  }

  /// All samples ever made on this device, oldest first, with their state.
  public func samples() async throws(SordinoError) -> [Sample] {
    try await BlockingQueue.run { [engine] in try engine.samples() }
  }

  /// Deletes one sample: immediately on the device, and at the collector with the next upload.
  ///
  /// Throws ``SordinoError/Kind/outbox`` if there is no sample with this id.
  @discardableResult
  public func delete(_ sample: SordinoId) async throws(SordinoError) -> Sample {
    try await BlockingQueue.run { [engine] in try engine.delete(sample: sample) }
  }

  /// Deletes all samples: immediately on the device, and at the collector with the next upload. Consent does not change.
  public func deleteAll() async throws(SordinoError) {
    try await BlockingQueue.run { [engine] in try engine.deleteAll() }
  }

  /// All data about the person on this device, as a zip archive: records, receipts, notices, the list of samples.
  public func exportMyData() async throws(SordinoError) -> Data {
    try await BlockingQueue.run { [engine] in try engine.exportMyData() }
  }
}

/// Review: the person listens to each clip before it is sealed.
extension Sordino {
  /// The clips that wait for the person's review, oldest first. They are in memory only.
  public func previews() async throws(SordinoError) -> [Preview] {
    try await BlockingQueue.run { [engine] in try engine.previews() }
  }

  /// The audio that would be sent.
  ///
  /// Throws ``SordinoError/Kind/argument`` if there is no such preview.
  public func preview(_ preview: SordinoId) async throws(SordinoError) -> PreviewSound {
    try await BlockingQueue.run { [engine] in try engine.preview(preview: preview) }
  }

  /// Accepts a preview: it is sealed and queued if consent, plan and budget still allow it.
  ///
  /// Throws ``SordinoError/Kind/argument`` if there is no such preview.
  @discardableResult
  public func acceptPreview(_ preview: SordinoId) async throws(SordinoError) -> SubmitOutcome {
    try await BlockingQueue.run { [engine] in try engine.acceptPreview(preview: preview) }
  }

  /// Discards a preview and wipes its audio.
  ///
  /// Throws ``SordinoError/Kind/argument`` if there is no such preview.
  public func discardPreview(_ preview: SordinoId) async throws(SordinoError) {
    try await BlockingQueue.run { [engine] in try engine.discardPreview(preview: preview) }
  }
}
