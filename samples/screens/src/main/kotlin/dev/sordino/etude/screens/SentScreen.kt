package dev.sordino.etude.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.text.BasicText
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import dev.sordino.Accesses
import dev.sordino.Sample
import dev.sordino.SampleState
import dev.sordino.etude.SentModel
import dev.sordino.etude.SentState
import dev.sordino.etude.isThere
import dev.sordino.etude.words
import dev.sordino.etude.wordsOf

@Composable
internal fun SentScreen(model: SentModel) {
    val state by model.state.collectAsState()
    Screen("What was sent", "Every moment there ever was, and what became of it.", model) {
        Actions(model, state)
        if (state.samples.isEmpty()) Card {
            Heading("Nothing was sent")
            BasicText("Moments that you said yes to appear here.", style = Type.quiet)
        }
        for (sample in state.samples) key(sample.id) { SampleCard(model, sample, state.accesses[sample.id]) }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun Actions(model: SentModel, state: SentState) {
    if (state.isAskedDeleteAll) Card {
        Heading("Delete all of them?")
        BasicText("They are gone for good, here and at the service. Your yes stands as it is.", style = Type.body)
        FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
            Button("Delete them all", { model.deleteAll() }, weight = Weight.DANGER)
            Button("Keep them", { model.askDeleteAll(false) })
        }
    } else FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        val waiting = if (state.pending > 0) " (${state.pending} waiting)" else ""
        val send = if (state.isBusy) "Sending …" else "Send now$waiting"
        Button(send, { model.send() }, weight = Weight.MAIN, isEnabled = !state.isBusy)
        Button("Save all my data", { model.exportMyData() })
        Button("Delete all …", { model.askDeleteAll(true) }, weight = Weight.DANGER, isEnabled = state.canDelete)
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun SampleCard(model: SentModel, sample: Sample, accesses: Accesses?) = Card {
    Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween, Alignment.CenterVertically) {
        Heading(weekOf(sample.week))
        StateTag(sample.state)
    }
    Column {
        BasicText(sample.trigger.words, style = Type.body)
        BasicText("${secondsOf(sample.seconds)}, for ${wordsOf(sample.purposes)}", style = Type.quiet)
    }
    accesses?.let { WhoOpened(it) }
    if (sample.state.isThere) FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        if (sample.state == SampleState.SENT) Button("Who opened it?", { model.askWhoOpened(sample.id) })
        Button("Delete", { model.delete(sample.id) }, weight = Weight.DANGER)
    }
}

@Composable
internal fun StateTag(state: SampleState) = when (state) {
    SampleState.SENT, SampleState.DELETED -> Tag(state.words, Colors.accent, Colors.accentSoft)
    SampleState.PENDING, SampleState.DELETION_ASKED -> Tag(state.words, Colors.warm, Colors.warmSoft)
    SampleState.DROPPED, SampleState.REFUSED -> Tag(state.words, Colors.danger, Colors.dangerSoft)
}

@Composable
private fun WhoOpened(accesses: Accesses) {
    Column(verticalArrangement = Arrangement.spacedBy(Space.hair)) {
        if (accesses.accesses.isEmpty()) BasicText("Nobody has opened it.", style = Type.body)
        for (access in accesses.accesses) {
            val line = "Opened by “${access.reader}” in ${weekOf(access.week).lowercase()}, for ${access.purpose.words.lowercase()}"
            BasicText(line, style = Type.body)
        }
        accesses.broken?.let { Notice("The list cannot be relied on: $it", Colors.danger, Colors.dangerSoft) }
    }
}

/** An ISO week in words: `2026-W48` is “Week 48 of 2026”. */
internal fun weekOf(week: String): String = "Week ${week.substringAfter("-W").trimStart('0')} of ${week.substringBefore("-W")}"
