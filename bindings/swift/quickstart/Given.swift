// What docs/quickstart/swift.md takes for given: an organisation's key, plan and collector, sound, a recogniser.
import Foundation

let stateFolder = URL(fileURLWithPath: CommandLine.arguments[1])
let organisationKey = CommandLine.arguments[2]
let planFile = URL(fileURLWithPath: CommandLine.arguments[3])
let collector = URL(string: CommandLine.arguments[4])!
let (recording, rate) = try! readWav(URL(fileURLWithPath: CommandLine.arguments[5]))
let recorded = stride(from: 0, to: rate, by: rate / 100).map { Array(recording[$0..<$0 + rate / 100]) }

func isUnsure(_ samples: [Float]) -> Bool { false }

/// Mono samples within ±1 and their rate, of a WAV file of 16 bits whose header has the usual 44 bytes.
func readWav(_ file: URL) throws -> (samples: [Float], rate: Int) {
  let bytes = try Data(contentsOf: file)
  let rate = bytes[24..<28].reversed().reduce(0) { $0 << 8 | Int($1) }
  let samples = bytes.dropFirst(44).withUnsafeBytes { sound in
    (0..<sound.count / 2).map { Float(sound.loadUnaligned(fromByteOffset: 2 * $0, as: Int16.self)) / 32768 }
  }
  return (samples, rate)
}
