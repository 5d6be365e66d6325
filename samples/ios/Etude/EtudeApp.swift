import Sordino
import SwiftUI

/// An app for practicing: it shows the notes that it hears, and asks whether moments of them may be used to make the
/// recognizer better.
@main
struct EtudeApp: App {
  @StateObject private var model = Model()
  @Environment(\.scenePhase) private var phase

  var body: some Scene {
    WindowGroup {
      TabView {
        PracticeView(model: model).tabItem { Label("Practice", systemImage: "music.note") }
        ConsentView(model: model).tabItem { Label("Helping", systemImage: "hand.raised") }
        ReviewView(model: model).tabItem { Label("Would send", systemImage: "ear") }
        SentView(model: model).tabItem { Label("Sent", systemImage: "tray") }
      }
      .task { await model.open() }
      .alert("That did not work", isPresented: $model.hasProblem) {
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
