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
import dev.sordino.etude.label

@Composable
internal fun WithdrawalScreen(model: WithdrawalModel) {
    val state by model.state.collectAsState()
    Screen("Withdraw", "You do not have to give a reason, and everything continues to work.", model) {
        if (state.purposes.isEmpty()) Card {
            Heading("There is no consent to withdraw")
            BasicText(state.consent.label, style = Type.quiet)
        } else {
            Consequences()
            WithdrawButtons(model, state)
        }
        Deletions(model, state)
    }
}

@Composable
private fun Consequences() = Card {
    Heading("What happens then")
    for (sentence in SENTENCES) {
        Row(horizontalArrangement = Arrangement.spacedBy(Space.small)) {
            BasicText("•", style = Type.body)
            BasicText(sentence, style = Type.body)
        }
    }
}

@Composable
private fun WithdrawButtons(model: WithdrawalModel, state: WithdrawalState) = Card {
    Heading("Withdraw consent for")
    if (state.purposes.size > 1) for (purpose in state.purposes) {
        Button("Only ${purpose.label.lowercase()}", { model.withdraw(purpose) })
    }
    Button("All uses", { model.withdraw() }, emphasis = Emphasis.DANGER)
}

@Composable
private fun Deletions(model: WithdrawalModel, state: WithdrawalState) {
    if (state.deletions.isEmpty() && state.unacknowledged == 0) return
    Card {
        Heading("Deletions")
        for (sample in state.deletions) {
            Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween, Alignment.CenterVertically) {
                Column {
                    BasicText("${weekOf(sample.week)}, ${secondsOf(sample.seconds)}", style = Type.body)
                    BasicText(sample.trigger.label, style = Type.small)
                }
                StateTag(sample.state)
            }
        }
        if (state.unacknowledged > 0) {
            BasicText("Not confirmed by the service yet: ${state.unacknowledged}.", style = Type.quiet)
            Button(if (state.isBusy) "Requesting …" else "Request now", { model.sendDeletions() }, isEnabled = !state.isBusy)
        }
    }
}

private val SENTENCES = listOf(
    "Nothing more is recorded from now on.",
    "Moments on this device are deleted immediately.",
    "Moments that were sent are deleted everywhere, including copies. An offline device requests that when it is online again.",
    "The record of your consent, the list of who opened what, and random numbers remain.",
)
