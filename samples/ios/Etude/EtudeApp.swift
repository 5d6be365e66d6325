import Sordino
import SwiftUI

/// A practice app: it shows the recognized notes, and asks whether moments of the audio may be used to improve the
/// recognizer.
@main
struct EtudeApp: App {
  @StateObject private var model = Model()
  @Environment(\.scenePhase) private var phase

  var body: some Scene {
    WindowGroup {
      TabView {
        PracticeView(model: model).tabItem { Label("Practice", systemImage: "music.note") }
        ConsentView(model: model).tabItem { Label("Consent", systemImage: "hand.raised") }
        ReviewView(model: model).tabItem { Label("Review", systemImage: "ear") }
        SamplesView(model: model).tabItem { Label("Samples", systemImage: "tray") }
      }
      .task { await model.open() }
      .alert("Error", isPresented: $model.hasProblem) {
        Button("OK") {}
      } message: {
        Text(model.problem ?? "")
      }
    }
    .onChange(of: phase) { phase in
      if phase == .background { model.goToBackground() }
    }
  }
}
