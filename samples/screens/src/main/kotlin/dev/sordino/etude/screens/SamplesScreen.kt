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
import dev.sordino.etude.SamplesModel
import dev.sordino.etude.SamplesState
import dev.sordino.etude.describe
import dev.sordino.etude.isDeletable
import dev.sordino.etude.label

@Composable
internal fun SamplesScreen(model: SamplesModel) {
    val state by model.state.collectAsState()
    Screen("Samples", "All recorded moments, and their state.", model) {
        Actions(model, state)
        if (state.samples.isEmpty()) Card {
            Heading("No samples yet")
            BasicText("Moments that you accept appear here.", style = Type.quiet)
        }
        for (sample in state.samples) key(sample.id) { SampleCard(model, sample, state.accesses[sample.id]) }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun Actions(model: SamplesModel, state: SamplesState) {
    if (state.isConfirmingDeleteAll) Card {
        Heading("Delete all samples?")
        BasicText("They are deleted on this device and at the service. This cannot be undone. Your consent does not change.", style = Type.body)
        FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
            Button("Delete all samples", { model.deleteAll() }, emphasis = Emphasis.DANGER)
            Button("Keep them", { model.confirmDeleteAll(false) })
        }
    } else FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        val waiting = if (state.pending > 0) " (${state.pending} waiting)" else ""
        val send = if (state.isBusy) "Sending …" else "Send now$waiting"
        Button(send, { model.send() }, emphasis = Emphasis.MAIN, isEnabled = !state.isBusy)
        Button("Save all my data", { model.exportMyData() })
        Button("Delete all …", { model.confirmDeleteAll(true) }, emphasis = Emphasis.DANGER, isEnabled = state.canDelete)
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun SampleCard(model: SamplesModel, sample: Sample, accesses: Accesses?) = Card {
    Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween, Alignment.CenterVertically) {
        Heading(weekOf(sample.week))
        StateTag(sample.state)
    }
    Column {
        BasicText(sample.trigger.label, style = Type.body)
        BasicText("${secondsOf(sample.seconds)}, for ${describe(sample.purposes)}", style = Type.quiet)
    }
    accesses?.let { AccessList(it) }
    if (sample.state.isDeletable) FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        if (sample.state == SampleState.SENT) Button("Who opened it?", { model.loadAccesses(sample.id) })
        Button("Delete", { model.delete(sample.id) }, emphasis = Emphasis.DANGER)
    }
}

@Composable
internal fun StateTag(state: SampleState) = when (state) {
    SampleState.SENT, SampleState.DELETED -> Tag(state.label, Colors.accent, Colors.accentSoft)
    SampleState.PENDING, SampleState.DELETION_ASKED -> Tag(state.label, Colors.warm, Colors.warmSoft)
    SampleState.DROPPED, SampleState.REFUSED -> Tag(state.label, Colors.danger, Colors.dangerSoft)
}

@Composable
private fun AccessList(accesses: Accesses) {
    Column(verticalArrangement = Arrangement.spacedBy(Space.hair)) {
        if (accesses.accesses.isEmpty()) BasicText("Nobody has opened it.", style = Type.body)
        for (access in accesses.accesses) {
            val line = "Opened by “${access.reader}” in ${weekOf(access.week).lowercase()}, for ${access.purpose.label.lowercase()}"
            BasicText(line, style = Type.body)
        }
        accesses.inconsistency?.let { Notice("The list is inconsistent: $it", Colors.danger, Colors.dangerSoft) }
    }
}

/** An ISO week in words: `2026-W48` is “Week 48 of 2026”. */
internal fun weekOf(week: String): String = "Week ${week.substringAfter("-W").trimStart('0')} of ${week.substringBefore("-W")}"
