import Foundation
import Testing

/// The paths and programs that the tests use, as `cargo xtask swift test` sets them.
enum TestPaths {
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../../../..").standardizedFileURL
  static let programs = URL(
    fileURLWithPath: ProcessInfo.processInfo.environment["SORDINO_PROGRAMS"]
      ?? repository.appendingPathComponent("target/debug").path)
  static let recordings = repository.appendingPathComponent("samples/audio")
  /// A URL without a collector.
  static let unreachable = URL(string: "http://127.0.0.1:9")!

  /// A new temporary folder.
  static func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("sordino-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }
}

struct TestFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Runs a program with `--json` and returns its output.
@discardableResult
func run(_ program: String, _ arguments: String...) throws -> [String: Any] {
  let process = Process()
  process.executableURL = TestPaths.programs.appendingPathComponent(program)
  process.arguments = ["--json"] + arguments
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  try process.run()
  let printed = output.fileHandleForReading.readDataToEndOfFile()
  let errorOutput = errors.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw TestFailure("\(program) \(arguments[0]): \(String(decoding: errorOutput, as: UTF8.self))")
  }
  return try JSONSerialization.jsonObject(with: printed) as? [String: Any] ?? [:]
}

/// An organization: its key, a QA key, and a signed plan that selects every marked moment and none at random.
final class Organization: Sendable {
  let folder: URL
  let key: String
  let plan: Data
  let planFile: URL
  let identity: URL

  init(review: Bool = false) throws {
    folder = try TestPaths.folder()
    identity = folder.appendingPathComponent("qa.key")
    let recipient = try run("sordino", "keygen", "--out", identity.path)["recipient"] as! String
    let signing = folder.appendingPathComponent("plan.key").path
    key = try run("sordino", "plan", "keygen", "--out", signing)["public_key"] as! String

    let example = TestPaths.repository.appendingPathComponent("samples/plan.toml")
    var text = try String(contentsOf: example, encoding: .utf8)
    text = text.replacingOccurrences(of: "age1\\w+", with: recipient, options: .regularExpression)
    text = text.replacingOccurrences(
      of: "random_probability = .*", with: "random_probability = 0.0", options: .regularExpression)
    if review {
      text = text.replacingOccurrences(of: "\n[triggers]", with: "\nreview = \"required\"\n\n[triggers]")
    }
    let written = folder.appendingPathComponent("plan.toml")
    try text.write(to: written, atomically: true, encoding: .utf8)
    planFile = folder.appendingPathComponent("plan.json")
    try run("sordino", "plan", "sign", written.path, "--key", signing, "--out", planFile.path)
    plan = try Data(contentsOf: planFile)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }
}

/// A running collector on a free loopback port, and a reader's token for it.
final class Collector: @unchecked Sendable {
  let url: URL
  let data: URL
  private let organization: Organization
  private let process = Process()
  private let token: URL

  init(_ organization: Organization) throws {
    self.organization = organization
    data = organization.folder.appendingPathComponent("collector-\(UUID().uuidString)")
    process.executableURL = TestPaths.programs.appendingPathComponent("sordino-collector")
    process.arguments = ["serve", "--data", data.path, "--listen", "127.0.0.1:0"]
      + ["--plan", organization.planFile.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let ready = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    let address = ready.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
    url = try #require(URL(string: address), "the collector printed \(ready)")
    let made = try run(
      "sordino-collector", "token", "create", "--data", data.path, "--name", "qa",
      "--purpose", "quality-assurance")
    token = organization.folder.appendingPathComponent("token-\(UUID().uuidString)")
    try (made["token"] as! String).write(to: token, atomically: true, encoding: .utf8)
  }

  deinit {
    // A child inherits the signal mask of Foundation's threads, which block SIGTERM.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Pulls into `dataset`, and returns the CLI's summary.
  func pull(into dataset: URL) throws -> [String: Any] {
    try run(
      "sordino", "pull", "--collector", url.absoluteString, "--token-file", token.path,
      "--identity", organization.identity.path, "--out", dataset.path, "--format", "bundle")
  }

  /// The stored files of a sample.
  func sealed(_ sample: String) throws -> [URL] {
    let all = FileManager.default.enumerator(at: data, includingPropertiesForKeys: nil)
    return (all?.allObjects as? [URL] ?? []).filter { $0.lastPathComponent == "\(sample).age" }
  }

  /// Opens a stored sample into `folder`.
  func open(_ sample: String, into folder: URL) throws {
    let sealed = try #require(try sealed(sample).first)
    try run(
      "sordino", "open", sealed.path, "--identity", organization.identity.path, "--out", folder.path)
  }
}
