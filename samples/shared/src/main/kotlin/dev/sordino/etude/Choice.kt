package dev.sordino.etude

import dev.sordino.AgeBand
import dev.sordino.BundledNotice
import dev.sordino.ConsentState
import dev.sordino.GuardianMethod
import dev.sordino.Purpose
import dev.sordino.Sordino
import dev.sordino.bundledNotice
import kotlinx.coroutines.CoroutineScope

/** A language that the notice can be read in: its BCP 47 tag and its own name. */
enum class Language(val tag: String, val words: String) {
    GERMAN("de", "Deutsch"),
    ENGLISH("en", "English"),
    SPANISH("es", "Español"),
    FRENCH("fr", "Français"),
    ITALIAN("it", "Italiano"),
    DUTCH("nl", "Nederlands"),
    POLISH("pl", "Polski"),
    PORTUGUESE("pt", "Português"),
    SWEDISH("sv", "Svenska"),
}

/** What the app calls itself, and where questions go: the notice says both. */
class AppName(val name: String, val contact: String)

/**
 * The consent screen.
 *
 * @property notice the notice in its layers; `null` before a plan says what is to be asked.
 * @property isFullShown whether the full layer is open.
 * @property asked the purposes that the plan asks for.
 * @property chosen the switches that the person has put on; none is on before.
 * @property age `null` before it was answered.
 * @property standing where consent stands.
 * @property agreed what the standing yes is for.
 * @property gate the guardian's gate, while it is open.
 */
data class ChoiceState(
    val language: Language = Language.ENGLISH,
    val notice: BundledNotice? = null,
    val isFullShown: Boolean = false,
    val asked: List<Purpose> = emptyList(),
    val chosen: Set<Purpose> = emptySet(),
    val age: AgeBand? = null,
    val standing: ConsentState = ConsentState.UNANSWERED,
    val agreed: List<Purpose> = emptyList(),
    val receipt: String? = null,
    val gate: Gate? = null,
) {
    /** What is missing before the person can say yes; `null` where nothing is. */
    val missing: String?
        get() = when {
            notice == null -> "There is no plan yet that says what to ask."
            chosen.isEmpty() -> "Switch on at least one use, or leave it: everything works without."
            age == null -> "Say whether you are an adult or a child."
            else -> null
        }
}

/**
 * What a parent or guardian is asked.
 *
 * @property method how it was made sure that it is the guardian.
 * @property evidence the reference of that check, which nobody could guess; only its hash is kept.
 */
data class Gate(val method: GuardianMethod? = null, val evidence: String = "") {
    val missing: String?
        get() = when {
            method == null -> "Choose how you show that you are the parent or guardian."
            evidence.toByteArray().size < LEAST_BYTES -> "Enter the reference of the check, $LEAST_BYTES characters or more."
            else -> null
        }

    private companion object {
        const val LEAST_BYTES = 16
    }
}

/** Asks for consent, and shows what was answered. */
class ChoiceModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
    private val app: AppName,
    private val keeper: Keeper,
) : Model<ChoiceState>(scope, ChoiceState()) {
    override suspend fun refresh() {
        val status = sordino.consent()
        val plan = sordino.plan()
        val notice = plan?.let {
            bundledNotice(it.noticeVersion, state.value.language.tag, app.name, app.contact, it.consentDays, it.retentionDays)
        }
        show {
            it.copy(
                notice = notice,
                asked = plan?.purposes.orEmpty(),
                standing = status.state,
                agreed = status.purposes,
                receipt = status.receipt,
            )
        }
    }

    fun read(language: Language) = act {
        show { it.copy(language = language) }
        refresh()
    }

    fun showFull(isShown: Boolean) = show { it.copy(isFullShown = isShown) }

    fun switch(purpose: Purpose, isOn: Boolean) =
        show { it.copy(chosen = if (isOn) it.chosen + purpose else it.chosen - purpose) }

    fun answerAge(age: AgeBand) = show { it.copy(age = age) }

    /** The person says yes to what is switched on. Does nothing while something is missing. */
    fun agree() = act {
        val answers = state.value
        if (answers.missing != null) return@act
        sordino.giveConsent(answers.asked.filter { it in answers.chosen }, answers.age!!, answers.notice!!.notice)
        refresh()
        show { it.copy(chosen = emptySet(), age = null, isFullShown = false) }
        tell(
            if (answers.age == AgeBand.ADULT) "Thank you. Your receipt is below."
            else "Thank you. Now a parent or guardian has to say yes too.",
        )
    }

    /** A parent or guardian comes to answer. */
    fun openGate() {
        forget()
        show { it.copy(gate = Gate()) }
    }

    fun closeGate() = show { it.copy(gate = null) }

    fun choose(method: GuardianMethod) = show { it.copy(gate = it.gate?.copy(method = method)) }

    fun enterEvidence(text: String) = show { it.copy(gate = it.gate?.copy(evidence = text)) }

    /** The guardian says yes. Does nothing while something is missing. */
    fun approve() = act {
        val gate = state.value.gate ?: return@act
        if (gate.missing != null) return@act
        sordino.approve(gate.method!!, gate.evidence.toByteArray())
        closeGate()
        refresh()
        tell("Thank you. A parent or guardian has said yes; the receipt is below.")
    }

    fun saveReceipt() = act {
        val receipt = state.value.receipt ?: return@act
        tell("Saved: ${keeper.keep("receipt.json", receipt.toByteArray())}")
    }
}
