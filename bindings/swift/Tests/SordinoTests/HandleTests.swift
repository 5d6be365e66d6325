import Foundation
import Testing

@testable import Sordino

private let rate = 48_000

/// Classes with a handle of the library are reference-counted, so copying a reference does not copy the handle. To prevent a
/// second object with the same handle, none of them can be encoded, copied or subclassed.
@Suite struct HandleTests {
  /// All Swift sources of the package, including generated ones, without comments.
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

  @Test func noClassCanBeSubclassedCopiedOrEncoded() throws {
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
        #expect(!source.text.contains(conforms), "\(source.name) conforms to \(kind)")
      }
    }
    let known = ["Engine", "EngineBuilder", "EnginePcmWriter", "EngineCaptureSession", "Sordino", "PcmWriter", "UploadTransport"]
    #expect(Set(known).isSubset(of: classes))
  }

  @Test func onlyFinalClassesHoldAHandle() throws {
    let engine = try #require(Self.sources.first { $0.name == "Engine.swift" })
    var holders = 0
    var owner: Substring = ""
    for line in engine.text.split(separator: "\n") {
      // An unindented line declares the owner of the indented lines below it.
      if !line.hasPrefix(" ") && line != "}" { owner = line }
      if line.contains(/^ {4}(\w+ )*(let|var) handle: UInt64$/) {
        holders += 1
        #expect(owner.contains("final class "), "\(owner)")
      }
    }
    #expect(holders >= 4)
  }

  @Test func aCopiedReferenceFreesTheHandleOnce() async throws {
    let organization = try Organization()
    let app = try await TestApp(organization)
    var writers = [try await app.sordino.listenToPcmSource(rate: rate)]
    writers += writers
    writers.removeFirst()
    #expect(try writers[0].push([Float](repeating: 0, count: rate / 100)) == 0)
    #expect((writers[0] as Any) as? any Encodable == nil)
    try await writers[0].stop()
    writers.removeAll()
    try await app.sordino.listenToPcmSource(rate: rate).stop()
  }
}
