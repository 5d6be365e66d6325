// swift-tools-version: 6.0
import PackageDescription

// `cargo xtask swift test` uses this for the code of docs/quickstart/swift.md, as an app that depends on Sordino.
let package = Package(
  name: "quickstart",
  dependencies: [.package(name: "Sordino", path: "../../../bindings/swift")],
  targets: [.executableTarget(name: "quickstart", dependencies: ["Sordino"], path: "Sources")],
  swiftLanguageModes: [.v6]
)
