// swift-tools-version: 6.0
import Foundation
import PackageDescription

// On macs the engine comes as an XCFramework, where `xcframework` made one. Elsewhere it is the shared
// library that `generate` put into Library.
let framework = "SordinoC.xcframework"
let hasFramework = FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(framework)")
let library = "\(Context.packageDirectory)/Library"

let engine: Target = hasFramework
  ? .binaryTarget(name: "SordinoC", path: framework)
  : .systemLibrary(name: "SordinoC")
let finding: [LinkerSetting] = hasFramework
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
      linkerSettings: finding
    ),
    .executableTarget(name: "sordino-bench", dependencies: ["Sordino"], path: "Bench"),
    .executableTarget(name: "sordino-victim", dependencies: ["Sordino"], path: "Tests/Victim"),
    .testTarget(name: "SordinoTests", dependencies: ["Sordino", "sordino-victim"]),
  ],
  swiftLanguageModes: [.v6]
)
