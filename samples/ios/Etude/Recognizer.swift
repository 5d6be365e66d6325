import Foundation
import Sordino

/// The note that sounds, by the strongest period of the sound within the violin's range. A stand-in for your own.
struct Recognizer {
  struct Note {
    var name: String
    var isUnsure: Bool
  }

  private static let names = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"]
  private var window: [Float] = []
  private var last = -1

  /// Takes a frame; returns a note where a new one begins.
  mutating func take(_ frame: Frame) -> Note? {
    window += frame.samples
    let size = frame.rate / 10
    guard window.count >= size else { return nil }
    defer { window.removeAll(keepingCapacity: true) }
    guard let (period, likeness) = period(in: window.prefix(size), rate: frame.rate), likeness > 0.6 else {
      last = -1
      return nil
    }
    let midi = Int((69 + 12 * log2(Double(frame.rate) / Double(period) / 440)).rounded())
    guard midi != last else { return nil }
    last = midi
    return Note(name: "\(Self.names[midi % 12])\(midi / 12 - 1)", isUnsure: likeness < 0.8)
  }

  /// The shift in samples at which the sound is most like itself, and how much, 0 to 1.
  private func period(in sound: ArraySlice<Float>, rate: Int) -> (Int, Float)? {
    let samples = Array(sound)
    let power = samples.reduce(0) { $0 + $1 * $1 }
    guard power > 1e-4 * Float(samples.count) else { return nil }
    return (rate / 1500...rate / 180).map { shift in
      let products = zip(samples.dropFirst(shift), samples).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      return (shift, products / power)
    }
    .max { $0.1 < $1.1 }
  }
}
