import Foundation

/// A stretch of captured sound, for the app's recognizer: 10 ms, or shorter where something was lost after it.
public struct Frame: Sendable, Hashable {
  /// Mono, full scale at ±1, finite. One buffer: a slice of it or `withUnsafeBufferPointer` copies nothing.
  public let samples: [Float]
  /// Samples a second.
  public let rate: Int
  /// Where the first sample stands, counted in samples since the source was last opened. Lost ones count.
  public let position: UInt64
  /// How many samples were lost immediately before this frame, because nobody took them in time.
  public let lost: UInt64

  /// A frame of one's own, as for the test of a recognizer.
  public init(samples: [Float], rate: Int, position: UInt64 = 0, lost: UInt64 = 0) {
    self.samples = samples
    self.rate = rate
    self.position = position
    self.lost = lost
  }
}

extension Frame {
  /// A frame as the engine gives it, before which `unheard` samples found no room in a stream.
  init(_ frame: EngineFrame, after unheard: UInt64) {
    self.init(
      samples: floats(of: frame.samples), rate: Int(frame.rate), position: frame.position,
      lost: frame.lost + unheard
    )
  }
}

/// The floats that little-endian `bytes` are, which is what every machine with Swift has in memory.
private func floats(of bytes: Data) -> [Float] {
  let count = bytes.count / MemoryLayout<Float>.size
  return [Float](unsafeUninitializedCapacity: count) { floats, initialized in
    bytes.copyBytes(to: UnsafeMutableRawBufferPointer(floats))
    initialized = count
  }
}

/// The bytes of `samples`, which are not copied: they may be used while `samples` may.
func borrowed<Sample>(_ samples: UnsafeBufferPointer<Sample>) -> Data {
  guard let start = samples.baseAddress, !samples.isEmpty else { return Data() }
  // The engine only reads.
  return Data(
    bytesNoCopy: UnsafeMutableRawPointer(mutating: start),
    count: samples.count * MemoryLayout<Sample>.stride, deallocator: .none
  )
}

/// A number of the app's in the width that the engine takes.
func whole<Width: FixedWidthInteger>(
  _ number: Int, _ what: String, as width: Width.Type
) throws(SordinoError) -> Width {
  guard let number = Width(exactly: number) else {
    throw .argument("\(number) is not \(what): 0 to \(Width.max)")
  }
  return number
}
