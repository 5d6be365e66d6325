import Foundation

/// A frame of captured audio for the app's recognizer: 10 ms, or shorter if samples were lost after it.
public struct Frame: Sendable, Hashable {
  /// Mono, full scale at ±1, finite. One buffer: a slice of it or `withUnsafeBufferPointer` copies nothing.
  public let samples: [Float]
  /// The sample rate in Hz.
  public let rate: Int
  /// The position of the first sample, in samples since the source was last opened, including lost ones.
  public let position: UInt64
  /// The number of samples lost immediately before this frame because the app did not take them in time.
  public let lost: UInt64

  /// Creates a frame, for example to test a recognizer.
  public init(samples: [Float], rate: Int, position: UInt64 = 0, lost: UInt64 = 0) {
    self.samples = samples
    self.rate = rate
    self.position = position
    self.lost = lost
  }
}

extension Frame {
  /// Converts a frame of the engine, before which `lostBefore` samples did not fit into a stream.
  init(_ frame: EngineFrame, lostBefore: UInt64) {
    self.init(
      samples: floats(of: frame.samples), rate: Int(frame.rate), position: frame.position,
      lost: frame.lost + lostBefore
    )
  }
}

/// Converts little-endian `bytes` to floats; every platform of Swift is little-endian.
private func floats(of bytes: Data) -> [Float] {
  let count = bytes.count / MemoryLayout<Float>.size
  return [Float](unsafeUninitializedCapacity: count) { floats, initialized in
    bytes.copyBytes(to: UnsafeMutableRawBufferPointer(floats))
    initialized = count
  }
}

/// The bytes of `samples` without a copy: valid as long as `samples` is.
func borrowed<Sample>(_ samples: UnsafeBufferPointer<Sample>) -> Data {
  guard let start = samples.baseAddress, !samples.isEmpty else { return Data() }
  // The engine only reads.
  return Data(
    bytesNoCopy: UnsafeMutableRawPointer(mutating: start),
    count: samples.count * MemoryLayout<Sample>.stride, deallocator: .none
  )
}

/// Converts a number to the width of the engine's argument.
func converted<Width: FixedWidthInteger>(
  _ number: Int, _ name: String, as width: Width.Type
) throws(SordinoError) -> Width {
  guard let number = Width(exactly: number) else {
    throw SordinoError(.argument, code: "invalid-argument", "invalid \(name) \(number); pass 0 to \(Width.max)")
  }
  return number
}
