package dev.sordino.etude.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.text.BasicText
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import dev.sordino.etude.WithdrawalModel
import dev.sordino.etude.WithdrawalState
import dev.sordino.etude.words

@Composable
internal fun WithdrawalScreen(model: WithdrawalModel) {
    val state by model.state.collectAsState()
    Screen("Take it back", "You need not say why, and everything works just the same.", model) {
        if (state.purposes.isEmpty()) Card {
            Heading("There is nothing to take back")
            BasicText(state.standing.words, style = Type.quiet)
        } else {
            WhatHappens()
            Ways(model, state)
        }
        Deletions(model, state)
    }
}

@Composable
private fun WhatHappens() = Card {
    Heading("What happens then")
    for (sentence in SENTENCES) {
        Row(horizontalArrangement = Arrangement.spacedBy(Space.small)) {
            BasicText("•", style = Type.body)
            BasicText(sentence, style = Type.body)
        }
    }
}

@Composable
private fun Ways(model: WithdrawalModel, state: WithdrawalState) = Card {
    Heading("Take back")
    if (state.purposes.size > 1) for (purpose in state.purposes) {
        Button("Only ${purpose.words.lowercase()}", { model.withdraw(purpose) })
    }
    Button("My whole yes", { model.withdraw() }, weight = Weight.DANGER)
}

@Composable
private fun Deletions(model: WithdrawalModel, state: WithdrawalState) {
    if (state.deletions.isEmpty() && state.unacknowledged == 0) return
    Card {
        Heading("What became of each deletion")
        for (sample in state.deletions) {
            Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween, Alignment.CenterVertically) {
                Column {
                    BasicText("${weekOf(sample.week)}, ${secondsOf(sample.seconds)}", style = Type.body)
                    BasicText(sample.trigger.words, style = Type.small)
                }
                StateTag(sample.state)
            }
        }
        if (state.unacknowledged > 0) {
            BasicText("Not confirmed by the service yet: ${state.unacknowledged}.", style = Type.quiet)
            Button(if (state.isBusy) "Asking …" else "Ask now", { model.sendDeletions() }, isEnabled = !state.isBusy)
        }
    }
}

private val SENTENCES = listOf(
    "From this moment on nothing more is kept.",
    "What waits on this device is destroyed at once.",
    "What was sent is deleted everywhere, copies too. If this device is offline, that is asked for when it is online again.",
    "What stays is the note of your yes, the list of who opened what, and random numbers.",
)
