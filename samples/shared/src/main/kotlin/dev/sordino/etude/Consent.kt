package dev.sordino.etude

import dev.sordino.AgeBand
import dev.sordino.AppInfo
import dev.sordino.BundledNotice
import dev.sordino.ConsentState
import dev.sordino.GuardianMethod
import dev.sordino.Purpose
import dev.sordino.Sordino
import kotlinx.coroutines.CoroutineScope

/** A language of the bundled notice: its BCP 47 tag and its name. */
enum class Language(val tag: String, val label: String) {
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

/**
 * The state of the consent screen.
 *
 * @property notice the notice in its layers; `null` without a plan.
 * @property isFullShown whether the full layer is open.
 * @property requested the purposes that the plan asks for.
 * @property selected the purposes that the person has switched on; none by default.
 * @property age `null` until it is answered.
 * @property consent the state of consent.
 * @property agreed the purposes of the valid consent.
 * @property guardian the guardian's form, while it is open.
 */
data class ConsentScreenState(
    val language: Language = Language.ENGLISH,
    val notice: BundledNotice? = null,
    val isFullShown: Boolean = false,
    val requested: List<Purpose> = emptyList(),
    val selected: Set<Purpose> = emptySet(),
    val age: AgeBand? = null,
    val consent: ConsentState = ConsentState.UNANSWERED,
    val agreed: List<Purpose> = emptyList(),
    val receipt: String? = null,
    val guardian: GuardianForm? = null,
) {
    /** The answer that is missing before the person can agree; `null` if none is. */
    val missing: String?
        get() = when {
            notice == null -> "No plan is installed yet."
            selected.isEmpty() -> "Switch on at least one use. Everything works without it."
            age == null -> "Select whether you are an adult or a child."
            else -> null
        }
}

/**
 * The questions to a parent or guardian.
 *
 * @property method how the guardian was verified.
 * @property evidence the reference number of that verification; only its hash is stored.
 */
data class GuardianForm(val method: GuardianMethod? = null, val evidence: String = "") {
    val missing: String?
        get() = when {
            method == null -> "Select how you were verified."
            evidence.toByteArray().size < MIN_BYTES -> "Enter the reference number, at least $MIN_BYTES characters."
            else -> null
        }

    private companion object {
        const val MIN_BYTES = 16
    }
}

/** Asks for consent, and shows the answer. */
class ConsentModel(
    private val sordino: Sordino,
    scope: CoroutineScope,
    private val app: AppInfo,
    private val documents: DocumentStore,
) : ViewModel<ConsentScreenState>(scope, ConsentScreenState()) {
    override suspend fun refresh() {
        val status = sordino.consent()
        val plan = sordino.plan()
        val notice = plan?.let { sordino.notice(state.value.language.tag, app) }
        update {
            it.copy(
                notice = notice,
                requested = plan?.purposes.orEmpty(),
                consent = status.state,
                agreed = status.purposes,
                receipt = status.receipt,
            )
        }
    }

    fun selectLanguage(language: Language) = perform {
        update { it.copy(language = language) }
        refresh()
    }

    fun showFull(isShown: Boolean) = update { it.copy(isFullShown = isShown) }

    fun selectPurpose(purpose: Purpose, isOn: Boolean) =
        update { it.copy(selected = if (isOn) it.selected + purpose else it.selected - purpose) }

    fun selectAge(age: AgeBand) = update { it.copy(age = age) }

    /** Gives consent to the selected purposes. Does nothing while an answer is missing. */
    fun giveConsent() = perform {
        val answers = state.value
        if (answers.missing != null) return@perform
        sordino.giveConsent(answers.requested.filter { it in answers.selected }, answers.age!!, answers.notice!!.notice)
        refresh()
        update { it.copy(selected = emptySet(), age = null, isFullShown = false) }
        report(
            if (answers.age == AgeBand.ADULT) "Thank you. Your receipt is below."
            else "Thank you. Now a parent or guardian has to agree too.",
        )
    }

    fun openGuardianForm() {
        clearMessage()
        update { it.copy(guardian = GuardianForm()) }
    }

    fun closeGuardianForm() = update { it.copy(guardian = null) }

    fun selectMethod(method: GuardianMethod) = update { it.copy(guardian = it.guardian?.copy(method = method)) }

    fun enterEvidence(text: String) = update { it.copy(guardian = it.guardian?.copy(evidence = text)) }

    /** Records the guardian's approval. Does nothing while an answer is missing. */
    fun approve() = perform {
        val form = state.value.guardian ?: return@perform
        if (form.missing != null) return@perform
        sordino.approve(form.method!!, form.evidence.toByteArray())
        closeGuardianForm()
        refresh()
        report("Thank you. A parent or guardian has agreed. The receipt is below.")
    }

    fun saveReceipt() = perform {
        val receipt = state.value.receipt ?: return@perform
        report("Saved: ${documents.save("receipt.json", receipt.toByteArray())}")
    }
}
