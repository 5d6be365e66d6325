// A host that is killed while it processes a frame: `sordino-killed-host FOLDER ORGANIZATION_KEY`.

import Foundation
import Sordino

let sordino = try Sordino(
  configuration: Sordino.Configuration(
    folder: URL(fileURLWithPath: CommandLine.arguments[1]),
    organizationKey: CommandLine.arguments[2],
    collector: URL(string: "http://127.0.0.1:9")!))
let writer = try await sordino.listenToPcmSource(rate: 48_000)
_ = try writer.push([Float](repeating: 0.25, count: 48_000))
for await _ in writer.frames { kill(getpid(), SIGKILL) }
