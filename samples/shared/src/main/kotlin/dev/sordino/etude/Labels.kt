package dev.sordino.etude

import dev.sordino.AgeBand
import dev.sordino.ConsentState
import dev.sordino.GuardianMethod
import dev.sordino.Purpose
import dev.sordino.SampleState
import dev.sordino.Trigger
import dev.sordino.WithheldReason

/** A purpose's name; the notice describes it. */
val Purpose.label: String
    get() = when (this) {
        Purpose.QUALITY_ASSURANCE -> "Quality assurance"
        Purpose.RECOGNITION_RESEARCH -> "Recognition research"
    }

/** Purposes as a list in a sentence. */
fun describe(purposes: Collection<Purpose>): String = purposes.joinToString(" and ") { it.label.lowercase() }

val AgeBand.label: String
    get() = when (this) {
        AgeBand.ADULT -> "An adult"
        AgeBand.CHILD -> "A child"
        AgeBand.UNKNOWN -> "Prefer not to answer"
    }

val GuardianMethod.label: String
    get() = when (this) {
        GuardianMethod.SIGNED_FORM -> "A signed form, by post, fax or scan"
        GuardianMethod.PAYMENT_CARD -> "A payment by card"
        GuardianMethod.TOLL_FREE_CALL -> "A free call with trained staff"
        GuardianMethod.VIDEO_CONFERENCE -> "A video call with trained staff"
        GuardianMethod.GOVERNMENT_ID -> "An identity document, checked and then deleted"
        GuardianMethod.KNOWLEDGE_BASED -> "Questions that only a parent can answer"
        GuardianMethod.FACE_MATCH -> "A face compared with a photo document"
        GuardianMethod.EMAIL_PLUS -> "An e-mail, confirmed by a second step"
        GuardianMethod.TEXT_PLUS -> "A text message, confirmed by a second step"
    }

val ConsentState.label: String
    get() = when (this) {
        ConsentState.UNANSWERED -> "You have not answered yet."
        ConsentState.AWAITING_GUARDIAN -> "Your parent or guardian has not answered yet."
        ConsentState.GRANTED -> "You agreed."
        ConsentState.WITHDRAWN -> "You withdrew your consent."
        ConsentState.EXPIRED -> "Your consent has expired."
        ConsentState.OUTDATED -> "The question has changed, so we ask again."
    }

/** The reason why nothing is sampled, given the state of consent. */
fun describe(reason: WithheldReason, consent: ConsentState): String = when (reason) {
    WithheldReason.NO_PLAN -> "no plan is installed"
    WithheldReason.PLAN_EXPIRED -> "the plan has expired"
    WithheldReason.PLAN_NOT_FRESH -> "the plan has not been confirmed recently"
    WithheldReason.PAUSED -> "the makers of this app have paused it"
    WithheldReason.NO_CONSENT -> when (consent) {
        ConsentState.AWAITING_GUARDIAN -> "your parent or guardian has not answered yet"
        ConsentState.WITHDRAWN -> "you withdrew your consent"
        ConsentState.EXPIRED -> "your consent has expired"
        ConsentState.OUTDATED -> "the question has changed and has not been answered again"
        else -> "you have not agreed"
    }
    WithheldReason.BUDGET -> "today's limit is reached"
    WithheldReason.VOICE -> "it may contain a voice"
    WithheldReason.SILENCE -> "it is silent"
    WithheldReason.TOO_SHORT -> "the remaining part is too short"
    WithheldReason.UNREVIEWED -> "you have not reviewed it"
    WithheldReason.FAILED -> "it could not be processed"
}

val Trigger.label: String
    get() = when (this) {
        Trigger.MARK -> "You reported a wrong note"
        Trigger.RANDOM -> "Selected at random"
    }

val SampleState.label: String
    get() = when (this) {
        SampleState.PENDING -> "Not sent yet"
        SampleState.SENT -> "Sent"
        SampleState.DELETION_ASKED -> "Deletion requested"
        SampleState.DELETED -> "Deleted everywhere"
        SampleState.DROPPED -> "Dropped, never sent"
        SampleState.REFUSED -> "Refused by the service"
    }

/** A number of things in words. */
internal fun count(number: Int, one: String, many: String = "${one}s"): String =
    when (number) {
        0 -> "none"
        1 -> "one $one"
        else -> "$number $many"
    }
