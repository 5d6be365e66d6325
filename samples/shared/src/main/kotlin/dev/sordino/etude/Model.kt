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

/** What a screen shows and can ask for. It knows no user interface and may be called from any thread. */
abstract class Model<State : Any>(private val scope: CoroutineScope, first: State) {
    private val shown = MutableStateFlow(first)
    private val said = MutableStateFlow<String?>(null)
    private val failed = MutableStateFlow<String?>(null)

    /** What the screen shows. */
    val state: StateFlow<State> = shown.asStateFlow()

    /** What came of what the person asked for last, in a sentence. */
    val told: StateFlow<String?> = said.asStateFlow()

    /** What went wrong with it, in one line. */
    val problem: StateFlow<String?> = failed.asStateFlow()

    /** Fetches what the screen shows. */
    abstract suspend fun refresh()

    /** Forgets what was told, when the person goes to another screen. */
    fun forget() = tell(null)

    protected fun show(change: (State) -> State) = shown.update(change)

    protected fun tell(sentence: String?) {
        failed.value = null
        said.value = sentence
    }

    /** Does what the person asked for; an error becomes [problem]. */
    protected fun act(work: suspend () -> Unit): Job = scope.launch {
        failed.value = null
        try {
            work()
        } catch (problem: SordinoException) {
            fail(problem)
        } catch (problem: IOException) {
            fail(problem)
        }
    }

    /** Sends what is due, deletions too, and tells what came of it; [showBusy] shows whether that is being done. */
    protected fun sendAll(sordino: Sordino, showBusy: (Boolean) -> Unit): Job = act {
        showBusy(true)
        try {
            val report = sordino.uploadNow()
            refresh()
            tell(sentenceOf(report))
        } finally {
            showBusy(false)
        }
    }

    private fun fail(problem: Exception) {
        said.value = null
        failed.value = problem.message
    }
}
