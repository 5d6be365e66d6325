import Foundation
import Testing

@testable import Sordino

private let rate = 48_000

/// What holds a handle of the library is a class, whose references Swift counts: copying a value that refers to it copies
/// no handle. So that no class makes a second object of the same handle, none is written, copied or extended.
@Suite struct Handles {
  /// All Swift sources of the package, printed ones too, without comments.
  private static let sources: [(name: String, text: String)] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/Sordino").standardized
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)!
    return files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }.map { file in
      let lines = try! String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      let code = lines.filter { line in
        let line = line.trimmingCharacters(in: .whitespaces)
        return !["//", "/*", "*"].contains { line.hasPrefix($0) }
      }
      return (file.lastPathComponent, code.joined(separator: "\n"))
    }
  }()

  @Test func noClassCanBeExtendedCopiedOrWritten() throws {
    #expect(Self.sources.contains { $0.name == "Engine.swift" })
    var classes: [String] = []
    for source in Self.sources {
      for match in source.text.matches(of: /\b((?:[a-z]+ )*)class (\w+)[^\n{]*/) {
        let (declared, name) = (String(match.output.1), String(match.output.2))
        guard !["func", "var", "let"].contains(name) else { continue }
        classes.append(name)
        #expect(declared.split(separator: " ").contains("final"), "\(source.name): \(match.output.0)")
      }
      for kind in ["Codable", "Encodable", "Decodable", "NSCopying", "NSMutableCopying", "NSCoding", "NSSecureCoding"] {
        let conforms = try Regex(#"[:,&]\s*\#(kind)\b"#)
        #expect(!source.text.contains(conforms), "\(source.name) has a \(kind)")
      }
    }
    let known = ["Engine", "EngineBuilder", "EngineFeed", "EngineListening", "Sordino", "HostFeed", "UploadTransport"]
    #expect(Set(known).isSubset(of: classes))
  }

  @Test func onlyFinalClassesHoldAHandle() throws {
    let engine = try #require(Self.sources.first { $0.name == "Engine.swift" })
    var holders = 0
    var owner: Substring = ""
    for line in engine.text.split(separator: "\n") {
      // What stands at the margin declares what the lines below it belong to.
      if !line.hasPrefix(" ") && line != "}" { owner = line }
      if line.contains(/^ {4}(\w+ )*(let|var) handle: UInt64$/) {
        holders += 1
        #expect(owner.contains("final class "), "\(owner)")
      }
    }
    #expect(holders >= 4)
  }

  @Test func aCopyOfAReferenceKeepsTheFeedOpenAndFreesItOnce() async throws {
    let organization = try Organization()
    let app = try await App(organization)
    var feeds = [try await app.sordino.hostFeed(rate: rate)]
    feeds += feeds
    feeds.removeFirst()
    #expect(try feeds[0].push([Float](repeating: 0, count: rate / 100)) == 0)
    #expect((feeds[0] as Any) as? any Encodable == nil)
    try await feeds[0].stop()
    feeds.removeAll()
    try await app.sordino.hostFeed(rate: rate).stop()
  }
}
