import Sordino
import SwiftUI

struct PracticeView: View {
  @ObservedObject var model: Model

  var body: some View {
    VStack(spacing: 24) {
      Text(model.heard.first ?? "–").font(.largeTitle)
      Text(model.heard.dropFirst().joined(separator: "  "))
      Button(model.isPracticing ? "Stop" : "Practice") {
        if model.isPracticing { model.stopPracticing() } else { model.practice() }
      }
    }
    .padding()
  }
}

/// The notice in layers, a switch a purpose, and the guardian's gate.
struct ConsentView: View {
  @ObservedObject var model: Model
  @State private var helpsQuality = false
  @State private var helpsResearch = false
  @State private var isAdult = false
  @State private var evidence = ""

  var body: some View {
    Form {
      switch model.consent {
      case .granted: granted
      case .awaitingGuardian: guardian
      default: if let notice = model.notice { question(notice) } else { Text("There is no plan yet.") }
      }
    }
  }

  private func question(_ notice: BundledNotice) -> some View {
    Group {
      Section(notice.title) {
        Text(notice.short)
        DisclosureGroup("All of it") {
          ForEach(notice.full, id: \.heading) { section in
            Text(section.heading).font(.headline)
            Text(section.paragraphs.joined(separator: "\n\n"))
          }
        }
      }
      Section {
        Toggle(notice.purposes[.qualityAssurance] ?? "", isOn: $helpsQuality)
        Toggle(notice.purposes[.recognitionResearch] ?? "", isOn: $helpsResearch)
        Toggle("I am of age", isOn: $isAdult)
      }
      Section {
        Button("Yes, that may be used") {
          Task { await model.giveConsent(to: chosen, as: isAdult ? .adult : .child) }
        }
        .disabled(chosen.isEmpty)
      }
    }
  }

  private var guardian: some View {
    Section("Now a parent or guardian") {
      Text("Nothing is sampled before they approve. They get a code by e-mail; enter it here.")
      TextField("Code, at least 16 characters", text: $evidence)
      Button("I approve") { Task { await model.approve(evidence: Data(evidence.utf8)) } }
        .disabled(evidence.utf8.count < 16)
    }
  }

  private var granted: some View {
    Section("You are helping") {
      Text("Moments of your playing may be used, without anything that tells who you are.")
      Button("Stop, and delete what was sent") { Task { await model.withdraw() } }
    }
  }

  private var chosen: Set<Purpose> {
    Set((helpsQuality ? [.qualityAssurance] : []) + (helpsResearch ? [.recognitionResearch] : []))
  }
}

/// What we would send, to be heard first.
struct ReviewView: View {
  @ObservedObject var model: Model

  var body: some View {
    List {
      ForEach(model.previews, id: \.id) { preview in
        VStack {
          Text("\(Int(preview.seconds.rounded())) seconds, week \(preview.week)")
          HStack {
            Button("Play") { Task { await model.play(preview) } }
            Button("Send") { Task { await model.decide(preview, send: true) } }
            Button("Throw away") { Task { await model.decide(preview, send: false) } }
          }
        }
        .buttonStyle(.borderless)
      }
    }
  }
}

/// What was sent, each with a button that deletes it.
struct SentView: View {
  @ObservedObject var model: Model

  var body: some View {
    List {
      ForEach(model.samples, id: \.id) { sample in
        HStack {
          Text("\(sample.week): \(Int(sample.seconds.rounded())) seconds, \(word(for: sample.state))")
          if sample.state == .sent || sample.state == .pending {
            Button("Delete") { Task { await model.delete(sample) } }
          }
        }
      }
    }
    .task { await model.refresh() }
  }

  private func word(for state: SampleState) -> String {
    switch state {
    case .pending: "waiting"
    case .sent: "sent"
    case .deletionAsked: "being deleted"
    case .deleted: "deleted"
    case .dropped: "never sent"
    case .refused: "refused"
    }
  }
}
