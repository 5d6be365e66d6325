// Measures the cost of a frame from the app's audio callback through the engine and back into the app: the CPU time of
// this process while 48 kHz mono is pushed in blocks of 10 ms and read back, as a share of one core in real time. There is
// no consent, so sampling is idle.

import Foundation
import Sordino

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

let rate = 48_000
let block = rate / 100
let organizationKey = CommandLine.arguments[1]
let seconds = 30
// The factor by which to push faster than real time. Each block is still pushed and read separately; only the effect of other
// programs on the processor's caches changes.
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
let writer = try await sordino.listenToPcmSource(rate: rate)

let reader = Task.detached {
  var received = 0
  for await frame in writer.frames { received += frame.samples.count + Int(frame.lost) }
  return received
}
let tone = (0..<block).map { Float(sin(2 * .pi * 440 * Double($0) / Double(rate)) / 4) }

/// The CPU time of `work` every 10 ms, including the loop.
func cpuTime(in seconds: Int, work: () throws -> Void) rethrows -> Double {
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

let loop = cpuTime(in: seconds) {}
let total = try cpuTime(in: seconds) { _ = try writer.push(tone) }
try await writer.stop()
try await sordino.close()
let received = await reader.value
guard received == seconds * rate else {
  FileHandle.standardError.write(Data("\(received) of \(seconds * rate) samples were received\n".utf8))
  exit(1)
}
func percent(_ time: Double) -> String { String(format: "%.2f", 100 * time / Double(seconds)) }
print(
  "swift push+receive: \(percent(total - loop)) % of a core (an empty loop, not counted, \(percent(loop)) %)")
