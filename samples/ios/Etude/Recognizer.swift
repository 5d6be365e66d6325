import Foundation
import Sordino

/// A simple recognizer, to be replaced by yours: it finds the strongest period in the violin's range.
struct Recognizer {
  struct Note {
    var name: String
    var isUnsure: Bool
  }

  private static let names = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"]
  private var window: [Float] = []
  private var last = -1

  /// Processes a frame, and returns a note if a new one begins.
  mutating func process(_ frame: Frame) -> Note? {
    window += frame.samples
    let size = frame.rate / 10
    guard window.count >= size else { return nil }
    defer { window.removeAll(keepingCapacity: true) }
    guard let (period, correlation) = period(in: window.prefix(size), rate: frame.rate), correlation > 0.6 else {
      last = -1
      return nil
    }
    let midi = Int((69 + 12 * log2(Double(frame.rate) / Double(period) / 440)).rounded())
    guard midi != last else { return nil }
    last = midi
    return Note(name: "\(Self.names[midi % 12])\(midi / 12 - 1)", isUnsure: correlation < 0.8)
  }

  /// The lag in samples with the highest autocorrelation, and its value, 0 to 1.
  private func period(in window: ArraySlice<Float>, rate: Int) -> (Int, Float)? {
    let samples = Array(window)
    let power = samples.reduce(0) { $0 + $1 * $1 }
    guard power > 1e-4 * Float(samples.count) else { return nil }
    return (rate / 1500...rate / 180).map { lag in
      let products = zip(samples.dropFirst(lag), samples).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      return (lag, products / power)
    }
    .max { $0.1 < $1.1 }
  }
}
