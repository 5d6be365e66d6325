import Foundation

/// The bodies of requests in progress, each in a file, since a background session accepts only files. They contain
/// registrations and deletions, never audio.
struct RequestBodies: Sendable {
  let folder: URL

  func write(_ content: Data, for task: UploadTask) throws(SordinoError) -> URL {
    let file = file(of: task)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      excludeFromBackup(folder)
      try content.write(to: file, options: .atomic)
    } catch {
      throw SordinoError(
        .upload, code: "body-not-written",
        "cannot write \(file.path) (\(error.localizedDescription)); free some disk space")
    }
    return file
  }

  func remove(_ task: UploadTask) {
    try? FileManager.default.removeItem(at: file(of: task))
  }

  private func file(of task: UploadTask) -> URL {
    folder.appendingPathComponent(checksum(task))
  }
}

/// FNV-1a with 64 bits, in hexadecimal: a task can be longer than a file name may be, and there are few at a time.
private func checksum(_ text: String) -> String {
  let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  return String(hash, radix: 16)
}
