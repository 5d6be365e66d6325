package dev.sordino.etude

import dev.sordino.AgeBand
import dev.sordino.ConsentState
import dev.sordino.GuardianMethod
import dev.sordino.Purpose
import dev.sordino.SampleState
import dev.sordino.Trigger
import dev.sordino.WithheldReason

/** A purpose's name; what it is, the notice says. */
val Purpose.words: String
    get() = when (this) {
        Purpose.QUALITY_ASSURANCE -> "Quality assurance"
        Purpose.RECOGNITION_RESEARCH -> "Recognition research"
    }

/** Purposes as a list in a sentence. */
fun wordsOf(purposes: Collection<Purpose>): String = purposes.joinToString(" and ") { it.words.lowercase() }

val AgeBand.words: String
    get() = when (this) {
        AgeBand.ADULT -> "An adult"
        AgeBand.CHILD -> "A child"
        AgeBand.UNKNOWN -> "I would rather not say"
    }

val GuardianMethod.words: String
    get() = when (this) {
        GuardianMethod.SIGNED_FORM -> "A signed form, sent back by post, fax or scan"
        GuardianMethod.PAYMENT_CARD -> "A payment by card"
        GuardianMethod.TOLL_FREE_CALL -> "A free call with trained people"
        GuardianMethod.VIDEO_CONFERENCE -> "A video call with trained people"
        GuardianMethod.GOVERNMENT_ID -> "An identity document, checked and then deleted"
        GuardianMethod.KNOWLEDGE_BASED -> "Questions that only a parent can answer"
        GuardianMethod.FACE_MATCH -> "A face compared with a photo document"
        GuardianMethod.EMAIL_PLUS -> "An e-mail, confirmed by a second step"
        GuardianMethod.TEXT_PLUS -> "A text message, confirmed by a second step"
    }

val ConsentState.words: String
    get() = when (this) {
        ConsentState.UNANSWERED -> "Nobody has answered yet."
        ConsentState.AWAITING_GUARDIAN -> "We are waiting for your parent or guardian."
        ConsentState.GRANTED -> "You said yes."
        ConsentState.WITHDRAWN -> "You took your yes back."
        ConsentState.EXPIRED -> "Your yes has run out."
        ConsentState.OUTDATED -> "The question has changed, so we ask again."
    }

/** Why nothing is sampled, to somebody whose consent stands at [consent]. */
fun wordsOf(reason: WithheldReason, consent: ConsentState): String = when (reason) {
    WithheldReason.NO_PLAN -> "no plan says what may be kept"
    WithheldReason.PLAN_EXPIRED -> "the plan that says what may be kept has expired"
    WithheldReason.PLAN_NOT_FRESH -> "the plan that says what may be kept has not been confirmed lately"
    WithheldReason.PAUSED -> "the makers of this app have paused it"
    WithheldReason.NO_CONSENT -> when (consent) {
        ConsentState.AWAITING_GUARDIAN -> "your parent or guardian has not answered yet"
        ConsentState.WITHDRAWN -> "you took your yes back"
        ConsentState.EXPIRED -> "your yes has run out"
        ConsentState.OUTDATED -> "the question has changed and you were not asked again yet"
        else -> "nobody has said yes"
    }
    WithheldReason.BUDGET -> "enough was kept for today"
    WithheldReason.VOICE -> "there may be a voice in it"
    WithheldReason.SILENCE -> "there is nothing to hear in it"
    WithheldReason.TOO_SHORT -> "too little of it is left"
    WithheldReason.UNREVIEWED -> "you were to hear it first"
    WithheldReason.FAILED -> "it could not be worked on"
}

val Trigger.words: String
    get() = when (this) {
        Trigger.MARK -> "You said that the app got it wrong"
        Trigger.RANDOM -> "Chosen by chance"
    }

val SampleState.words: String
    get() = when (this) {
        SampleState.PENDING -> "Waits on this device"
        SampleState.SENT -> "Sent"
        SampleState.DELETION_ASKED -> "Deletion asked for"
        SampleState.DELETED -> "Deleted everywhere"
        SampleState.DROPPED -> "Thrown away here, never sent"
        SampleState.REFUSED -> "Not taken by the service"
    }

/** How many there are of [one], in words. */
internal fun count(number: Int, one: String, many: String = "${one}s"): String =
    when (number) {
        0 -> "none"
        1 -> "one $one"
        else -> "$number $many"
    }
