import Foundation
import Testing

@testable import Sordino

/// Leaks and crashes. These tests run separately, since they count the resources of the process.
@Suite(.serialized) struct LeakTests {
  /// Detects leaks of 4 kB for each engine, such as its store or a thread; with SORDINO_SOAK=1 of 0.8 kB.
  private let openings = ProcessInfo.processInfo.environment["SORDINO_SOAK"] == "1" ? 10_000 : 2_000

  @Test func thousandsOfOpeningsLeakNothing() async throws {
    let organization = try Organization()
    let folder = try TestPaths.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let configuration = configuration(folder, organization)

    func open(_ times: Int) async throws {
      for _ in 0..<times {
        let sordino = try await Sordino.open(configuration)
        _ = sordino.events
        try await sordino.close()
      }
    }
    // Allocates everything that is allocated once, such as the allocator's arenas.
    try await open(openings / 10)
    let before = try resources()
    try await open(openings)
    let after = try resources()
    #expect(after.memory - before.memory < 8 << 20, "\(before.memory) bytes became \(after.memory)")
    #expect(after.files <= before.files + 2)
    #expect(after.threads <= before.threads + 4)
  }

  @Test func theFolderOpensAfterTheHostWasKilled() async throws {
    let organization = try Organization()
    let folder = try TestPaths.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let configuration = configuration(folder, organization)
    let host = Process()
    host.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("sordino-killed-host")
    host.arguments = [configuration.folder.path, organization.key]
    try host.run()
    host.waitUntilExit()
    #expect(host.terminationReason == .uncaughtSignal && host.terminationStatus == SIGKILL)
    let sordino = try await Sordino.open(configuration)
    #expect(try await sordino.status().pending == 0)
    try await sordino.close()
  }

  /// Resident bytes, open files and threads of this process.
  private func resources() throws -> (memory: Int, files: Int, threads: Int) {
    let status = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = try #require(Int(status.split(separator: " ")[1]))
    func entries(_ kind: String) throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/\(kind)").count
    }
    return (pages * Int(getpagesize()), try entries("fd"), try entries("task"))
  }
}
