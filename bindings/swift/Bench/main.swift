// What a frame costs from the app's audio callback through the engine and back into the app: the processor time
// of this process while 48 kHz mono is pushed in pieces of 10 ms and read back, as a share of one core had it
// come in real time. Nobody consented, so that sampling is idle.

import Foundation
import Sordino

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

let rate = 48_000
let piece = rate / 100
let organizationKey = CommandLine.arguments[1]
let seconds = 30
// How much faster than real time. Each piece is pushed, heard and read by itself all the same; what changes is how
// much else the machine's other programs do in between to the processor's caches.
let speed = CommandLine.arguments.dropFirst(2).first.flatMap(Int.init) ?? 1

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sordino-bench-\(UUID())")
defer { try? FileManager.default.removeItem(at: folder) }
let sordino = try await Sordino.open(
  Sordino.Configuration(
    folder: folder, organizationKey: organizationKey,
    collector: URL(string: "http://127.0.0.1:9")!))
let feed = try await sordino.hostFeed(rate: rate)

let reader = Task.detached {
  var heard = 0
  for await frame in feed.frames { heard += frame.samples.count + Int(frame.lost) }
  return heard
}
let sound = (0..<piece).map { Float(sin(2 * .pi * 440 * Double($0) / Double(rate)) / 4) }

/// What `work` costs when it is done every 10 ms, in processor time, and the loop that does it.
func spent(in seconds: Int, work: () throws -> Void) rethrows -> Double {
  let before = processorSeconds()
  var next = DispatchTime.now()
  for _ in 0..<(seconds * 100) {
    try work()
    next = next + .microseconds(10_000 / speed)
    let wait = Int64(next.uptimeNanoseconds) - Int64(DispatchTime.now().uptimeNanoseconds)
    if wait > 0 { usleep(UInt32(wait / 1000)) }
  }
  return processorSeconds() - before
}

let loop = spent(in: seconds) {}
let all = try spent(in: seconds) { _ = try feed.push(sound) }
try await feed.stop()
try await sordino.close()
let heard = await reader.value
guard heard == seconds * rate else {
  FileHandle.standardError.write(Data("\(heard) samples of \(seconds * rate) came back\n".utf8))
  exit(1)
}
func percent(_ spent: Double) -> String { String(format: "%.2f", 100 * spent / Double(seconds)) }
print(
  "swift push+receive: \(percent(all - loop)) % of a core (an empty loop \(percent(loop)) %, not counted)")
