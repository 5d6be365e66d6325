import Sordino
import SwiftUI

struct PracticeView: View {
  @ObservedObject var model: Model

  var body: some View {
    VStack(spacing: 24) {
      Text(model.notes.first ?? "–").font(.largeTitle)
      Text(model.notes.dropFirst().joined(separator: "  "))
      Button(model.isPracticing ? "Stop" : "Practice") {
        if model.isPracticing { model.stopPracticing() } else { model.practice() }
      }
    }
    .padding()
  }
}

/// The notice in layers, a switch for each purpose, and the guardian's form.
struct ConsentView: View {
  @ObservedObject var model: Model
  @State private var allowsQuality = false
  @State private var allowsResearch = false
  @State private var isAdult = false
  @State private var evidence = ""

  var body: some View {
    Form {
      switch model.consent {
      case .granted: granted
      case .awaitingGuardian: guardian
      default: if let notice = model.notice { question(notice) } else { Text("No plan is installed yet.") }
      }
    }
  }

  private func question(_ notice: BundledNotice) -> some View {
    Group {
      Section(notice.title) {
        Text(notice.short)
        DisclosureGroup("Full notice") {
          ForEach(notice.full, id: \.heading) { section in
            Text(section.heading).font(.headline)
            Text(section.paragraphs.joined(separator: "\n\n"))
          }
        }
      }
      Section {
        Toggle(notice.purposes[.qualityAssurance] ?? "", isOn: $allowsQuality)
        Toggle(notice.purposes[.recognitionResearch] ?? "", isOn: $allowsResearch)
        Toggle("I am of age", isOn: $isAdult)
      }
      Section {
        Button("I agree") {
          Task { await model.giveConsent(to: selected, as: isAdult ? .adult : .child) }
        }
        .disabled(selected.isEmpty)
      }
    }
  }

  private var guardian: some View {
    Section("For the parent or guardian") {
      Text("Nothing is recorded until you agree. Enter the code from the e-mail that you received.")
      TextField("Code, at least 16 characters", text: $evidence)
      Button("I agree for my child") { Task { await model.approve(evidence: Data(evidence.utf8)) } }
        .disabled(evidence.utf8.count < 16)
    }
  }

  private var granted: some View {
    Section("You agreed") {
      Text("Moments of your playing may be used, without anything that identifies you.")
      Button("Withdraw, and delete what was sent") { Task { await model.withdraw() } }
    }
  }

  private var selected: Set<Purpose> {
    Set((allowsQuality ? [.qualityAssurance] : []) + (allowsResearch ? [.recognitionResearch] : []))
  }
}

/// The clips that would be sent, to play and to accept or discard.
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
            Button("Discard") { Task { await model.decide(preview, send: false) } }
          }
        }
        .buttonStyle(.borderless)
      }
    }
  }
}

/// The samples, each with a button that deletes it.
struct SamplesView: View {
  @ObservedObject var model: Model

  var body: some View {
    List {
      ForEach(model.samples, id: \.id) { sample in
        HStack {
          Text("\(sample.week): \(Int(sample.seconds.rounded())) seconds, \(label(of: sample.state))")
          if sample.state == .sent || sample.state == .pending {
            Button("Delete") { Task { await model.delete(sample) } }
          }
        }
      }
    }
    .task { await model.refresh() }
  }

  private func label(of state: SampleState) -> String {
    switch state {
    case .pending: "not sent yet"
    case .sent: "sent"
    case .deletionAsked: "deletion requested"
    case .deleted: "deleted"
    case .dropped: "dropped, never sent"
    case .refused: "refused"
    }
  }
}
