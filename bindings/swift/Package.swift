// swift-tools-version: 6.0
import Foundation
import PackageDescription

// On a Mac the engine is the XCFramework that `xcframework` builds. Otherwise it is the shared library that `generate`
// copies into Library.
let framework = "SordinoC.xcframework"
let hasFramework = FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(framework)")
let library = "\(Context.packageDirectory)/Library"

let engine: Target = hasFramework
  ? .binaryTarget(name: "SordinoC", path: framework)
  : .systemLibrary(name: "SordinoC")
let linkerSettings: [LinkerSetting] = hasFramework
  ? []
  : [.unsafeFlags(["-L\(library)", "-Xlinker", "-rpath", "-Xlinker", library])]

let package = Package(
  name: "Sordino",
  platforms: [.iOS(.v15), .macOS(.v12)],
  products: [.library(name: "Sordino", targets: ["Sordino"])],
  targets: [
    engine,
    .target(
      name: "Sordino",
      dependencies: ["SordinoC"],
      resources: [.copy("PrivacyInfo.xcprivacy")],
      linkerSettings: linkerSettings
    ),
    .executableTarget(name: "sordino-bench", dependencies: ["Sordino"], path: "Bench"),
    .executableTarget(name: "sordino-killed-host", dependencies: ["Sordino"], path: "Tests/KilledHost"),
    .testTarget(name: "SordinoTests", dependencies: ["Sordino", "sordino-killed-host"]),
  ],
  swiftLanguageModes: [.v6]
)
