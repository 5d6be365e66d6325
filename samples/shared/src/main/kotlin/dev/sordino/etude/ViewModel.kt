package dev.sordino.etude

import dev.sordino.Sordino
import dev.sordino.SordinoException
import java.io.IOException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/** The state and the actions of a screen. It does not depend on a UI toolkit and may be called from any thread. */
abstract class ViewModel<State : Any>(private val scope: CoroutineScope, initial: State) {
    private val currentState = MutableStateFlow(initial)
    private val currentMessage = MutableStateFlow<String?>(null)
    private val currentProblem = MutableStateFlow<Exception?>(null)

    /** The state that the screen shows. */
    val state: StateFlow<State> = currentState.asStateFlow()

    /** The result of the person's last action, in a sentence. */
    val message: StateFlow<String?> = currentMessage.asStateFlow()

    /** The failure of the person's last action; its message is one line. */
    val problem: StateFlow<Exception?> = currentProblem.asStateFlow()

    /** Loads the state. */
    abstract suspend fun refresh()

    /** Clears the message, when the person opens another screen. */
    fun clearMessage() = report(null)

    protected fun update(change: (State) -> State) = currentState.update(change)

    protected fun report(sentence: String?) {
        currentProblem.value = null
        currentMessage.value = sentence
    }

    /** Performs an action of the person; an error becomes [problem]. */
    protected fun perform(action: suspend () -> Unit): Job = scope.launch {
        currentProblem.value = null
        try {
            action()
        } catch (problem: SordinoException) {
            fail(problem)
        } catch (problem: IOException) {
            fail(problem)
        }
    }

    /** Sends everything that is due, including deletions, and reports the result; [showBusy] shows the progress. */
    protected fun sendAll(sordino: Sordino, showBusy: (Boolean) -> Unit): Job = perform {
        showBusy(true)
        try {
            val summary = sordino.upload()
            refresh()
            report(describe(summary))
        } finally {
            showBusy(false)
        }
    }

    private fun fail(problem: Exception) {
        currentMessage.value = null
        currentProblem.value = problem
    }
}
