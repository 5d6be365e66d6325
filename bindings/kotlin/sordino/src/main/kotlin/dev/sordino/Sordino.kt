package dev.sordino

import java.io.File
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * Captures sound for the app's recognizer and, only where the person has consented, makes anonymous, encrypted
 * samples of it.
 *
 * ```kotlin
 * Sordino.open(folder, organizationKey, "https://collector.example").use { sordino ->
 *     sordino.installPlan(plan)
 *     sordino.frames().collect { frame -> recognize(frame.samples, frame.rate) }
 * }
 * ```
 *
 * It may be called from many threads at once. Whatever waits (for the disk, the network, the anonymizer) is a
 * suspend function and runs on [Dispatchers.IO]; cancelled before it began, it does nothing, and what has begun is
 * carried through although its answer is then lost. No code of the app's ever runs on a thread of the engine's, so
 * that nothing the app does can hold it up.
 *
 * One `Sordino` at a time has a state folder open. After [close] every call throws [SordinoException.Closed].
 * All errors are [SordinoException]s, whose message says in one line what, where, and what to do.
 */
class Sordino private constructor(
    private val engine: Engine,
    private val happenings: Happenings,
    private val transport: Transport,
) : AutoCloseable {
    private val isClosed = AtomicBoolean()
    private val uploading = Mutex()

    /**
     * Where consent stands. It follows what is said here and by the collector; that time alone let a yes run out is
     * noticed by the next [consent], [status], [maySample], or moment that was not sampled for it.
     */
    val consentState: StateFlow<ConsentState> get() = happenings.consentState

    /**
     * What happens inside, from the moment of collecting on; it never carries sound and never completes. Of a
     * collector that is more than 256 events behind, the oldest are lost.
     */
    val events: Flow<Event> get() = happenings.events

    // Plan

    /**
     * Puts a signed sampling plan into force: the JSON that `sordino plan sign` wrote.
     *
     * @throws SordinoException.Plan where it is not the organization's, out of bounds, expired, or older than the
     *   one in force.
     */
    suspend fun installPlan(json: ByteArray): Unit = working { installPlan(json.toDirect()) }

    /** The plan in force, whether or not it has expired; `null` before the first. */
    suspend fun plan(): Plan? = working { plan() }

    /** Has the collector asked for a newer plan with the next upload, however lately it was. */
    suspend fun renewPlan(): Unit = working { renewPlan() }

    // Consent

    /** Where consent stands, and the receipt. */
    suspend fun consent(): ConsentStatus = working { consent() }.also { happenings.consentIs(it.state) }

    /**
     * Records a person's yes, purpose by purpose, and returns the receipt that the person gets: a signed JSON
     * document that names nobody.
     *
     * Of a child or of a person of unknown age nothing is sampled until a guardian has approved: here with
     * [guardian], or later with [approve].
     *
     * @param notice the text that was shown, of the version that the plan names; see [bundledNotice].
     * @param guardianEvidence what the app could show for the guardian's word later, at least 16 bytes that nobody
     *   could guess; only its hash is kept.
     * @throws SordinoException.Consent where no plan is in force, it does not ask for that, it names another version
     *   of the notice, or the evidence is too short.
     */
    suspend fun giveConsent(
        purposes: Collection<Purpose>,
        ageBand: AgeBand,
        notice: Notice,
        guardian: GuardianMethod? = null,
        guardianEvidence: ByteArray? = null,
    ): String = working { giveConsent(purposes.toList(), ageBand, notice, guardian, guardianEvidence) }

    /**
     * Records that the guardian approves of what the child said yes to, and returns the receipt. [evidence] is as in
     * [giveConsent].
     *
     * @throws SordinoException.Consent where nobody is waiting for it, or the evidence is too short.
     */
    suspend fun approve(method: GuardianMethod, evidence: ByteArray? = null): String =
        working { approve(method, evidence) }

    /**
     * Notes that the child who said yes has come of age: nothing is sampled any more, and the person is to be asked
     * anew, as an adult.
     *
     * @throws SordinoException.Consent where no child's yes stands.
     */
    suspend fun comeOfAge(): Unit = working { comeOfAge() }

    /**
     * Takes the yes back, for one purpose or, without one, for all. Nothing is sampled from this instant on, pending
     * samples are shredded, and what was sent is asked back with the next upload.
     */
    suspend fun withdraw(purpose: Purpose? = null): Withdrawal = working { withdraw(purpose) }

    // Listening

    /**
     * Frames of the machine's microphone: mono, 10 ms each. Where consent and plan allow it, moments of what is heard
     * become samples.
     *
     * Collecting opens the microphone; cancelling the collection, or an exception in it, closes it and waits until
     * what was chosen is sealed and queued. A microphone that goes away is opened anew; [events] tell. The flow
     * completes when this is closed.
     *
     * The engine never waits for the collector. One that is more than [FRAMES_HELD] frames (a second) behind loses
     * the newest until it has caught up; [Frame.lost] of the next says how many samples, and `CaptureEvent.Overrun` among
     * [events] tells of it.
     *
     * @param device the id of one of [inputDevices]; the system's default one without.
     * @throws SordinoException.Listening on collecting, where something is heard already.
     * @throws SordinoException.Capture on collecting, where there is no microphone or the app may not use it, where
     *   it ended by a fault, or where the library opens none ([features]), as that for Android: collect the frames of an
     *   [AudioSource] then.
     */
    fun frames(device: String? = null): Flow<Frame> = framesOf(happenings) { listener ->
        val listening = called { listenToMicrophone(device, listener) }
        Heard({ listening.stop() }, listening)
    }

    /**
     * Frames of the app's own audio path, as [source] pushes it: mono, 10 ms each. As [frames] of the microphone
     * otherwise; collecting runs [source] on [Dispatchers.IO], cancelling cancels it, and when it returns the flow
     * completes after all that was pushed.
     *
     * @param rate samples a second.
     * @param channels interleaved channels, whose average is taken.
     */
    fun frames(rate: Int, channels: Int = 1, source: suspend (Feed) -> Unit): Flow<Frame> =
        framesOf(happenings) { listener ->
            val feed = feed(rate, channels, listener)
            Heard({ feed.close() }, feed) { source(feed) }
        }

    /** As the other, for an [AudioSource]. */
    fun frames(source: AudioSource): Flow<Frame> = frames(source.rate, source.channels, source::run)

    /**
     * Hears the app's own audio path without giving frames back, for an app whose recognizer has the sound already.
     * Push into the feed what is recorded; close it when done.
     *
     * @param rate samples a second.
     * @param channels interleaved channels, whose average is taken.
     * @throws SordinoException.Listening where something is heard already.
     * @throws SordinoException.Capture for a format that cannot be taken.
     */
    fun openFeed(rate: Int, channels: Int = 1): Feed = feed(rate, channels, null)

    /**
     * Marks a moment of what is being heard, because the recognizer was unsure or wrong. It is taken with the plan's
     * probability and within its budget, and without consent not at all. It never waits.
     *
     * @throws SordinoException.Mark where nothing is being heard, nothing may be sampled, or the moment is over.
     */
    fun mark(moment: Moment = Moment()): Marked = called { mark(moment) }

    // Samples

    /** Why nothing may be sampled at this instant; `null` where it may. */
    suspend fun maySample(): WithheldReason? = working { maySample() }.also {
        if (it == WithheldReason.NO_CONSENT) consent()
    }

    /**
     * Offers a recording as one sample, as the app's own mark does: it skips the random draw and keeps consent, the
     * budget and the anonymizer's gate. A longer one than the plan's clip is cut to its end.
     *
     * @param samples mono, full scale at ±1.
     * @param rate samples a second, 8000 to 384000.
     * @param annotation its times are seconds from the start of [samples].
     * @throws SordinoException.Clip for no sound, for NaN and for a rate out of bounds.
     * @throws SordinoException.Annotation for one out of bounds.
     */
    suspend fun offer(samples: FloatArray, rate: Int, annotation: Annotation? = null): Offer {
        val hertz = unsigned(rate, "the rate")
        return working { offer(samples.toDirect(), hertz, annotation) }
    }

    /** Where the device stands. */
    suspend fun status(): Status = working { status() }.also { happenings.consentIs(it.consent) }

    /** Every sample there ever was, oldest first, and what became of it. */
    suspend fun samples(): List<Sample> = working { samples() }

    /**
     * Deletes one sample, here at once and at the collector with the next upload.
     *
     * @throws SordinoException.Outbox where there is none of that id.
     */
    suspend fun delete(sample: Id): Sample = working { delete(sample) }

    /** Deletes every sample, here at once and at the collector with the next upload. Consent stands as it is. */
    suspend fun deleteAll(): Unit = working { deleteAll() }

    /**
     * All that the device holds of the person, as a zip archive: records, receipts, the texts agreed to, the list of
     * samples.
     */
    suspend fun exportMyData(): ByteArray = working { exportMyData() }

    // Review

    /** The clips that wait for the person's word, oldest first. They are in memory only. */
    suspend fun previews(): List<Preview> = working { previews() }

    /**
     * What would be sent, to be heard; see [PreviewSound.toShorts].
     *
     * @throws SordinoException.Argument where no such clip waits.
     */
    suspend fun preview(preview: Id): PreviewSound = working { preview(preview) }

    /**
     * The person says yes to this clip: it is sealed and queued, if consent, plan and budget still allow it.
     *
     * @throws SordinoException.Argument where no such clip waits.
     */
    suspend fun acceptPreview(preview: Id): Offer = working { acceptPreview(preview) }

    /**
     * The person says no to this clip: it is wiped.
     *
     * @throws SordinoException.Argument where no such clip waits.
     */
    suspend fun discardPreview(preview: Id): Unit = working { discardPreview(preview) }

    // Upload

    /**
     * Sends all that is due, for a person who asks for it: waits after failures are passed over, but for those that
     * the collector asked for. A collector that cannot be reached is asked once; what stood in the way is in the report.
     *
     * Cancelled, it lets go of the request under way; that stays due, and sending it twice does no harm. A second
     * upload waits for the first.
     */
    suspend fun uploadNow(): UploadReport = uploading.withLock {
        renewPlan()
        sendAll(transport, { tried -> working { nextRequestNow(tried) } }, ::finish, passesOver = true)
    }

    /** As [uploadNow], for work in the background: what failed lately waits for its time. */
    suspend fun upload(): UploadReport = uploading.withLock {
        sendAll(transport, { working { nextRequest() } }, ::finish)
    }

    /** Sends the withdrawals and deletions that are due, and does not wait for another upload that is under way. */
    suspend fun uploadUrgent(): UploadReport = sendAll(transport, { working { nextUrgentRequest() } }, ::finish)

    /**
     * Who opened a sample, asked of the collector now.
     *
     * @throws SordinoException.Upload where it does not tell.
     * @throws SordinoException.Outbox where there is no such sample.
     */
    suspend fun accesses(sample: Id): Accesses {
        val request = working { accessesRequest(sample) }
        val outcome = transport.send(request)
        return working { readAccesses(request.task, outcome) }
    }

    /**
     * The next request that is due, if one is, for an app that sends requests by itself, as by a download manager
     * that goes on while the app sleeps. Send it as it is and hand what came of it to [finish], until there is none.
     */
    suspend fun nextRequest(): Request? = working { nextRequest() }

    /** Takes in what came of the request for [task], after a restart of the app too. */
    suspend fun finish(task: Task, outcome: Outcome): Finished = working { finish(task, outcome) }

    /**
     * Stops listening, seals what was chosen, and gives the state folder back. That takes up to a few seconds where a
     * sample is being made. Flows of frames complete. Closing twice does no harm.
     *
     * @throws SordinoException.Capture where what was being heard had ended by a fault; it is closed then too.
     */
    override fun close() {
        if (!isClosed.compareAndSet(false, true)) return
        try {
            engine.shutDown()
        } finally {
            engine.destroy()
        }
    }

    private fun feed(rate: Int, channels: Int, listener: FrameListener?): Feed {
        val format = HostFormat(rate, channels)
        return Feed(called { listenToHost(format.hertz, format.count, listener) }, format, happenings)
    }

    private suspend fun <T> working(work: Engine.() -> T): T = withContext(Dispatchers.IO) { called(work) }

    private inline fun <T> called(call: Engine.() -> T): T {
        if (isClosed.get()) throw closed()
        return try {
            engine.call()
        } catch (gone: IllegalStateException) {
            // What the face says where another thread closed this in between.
            throw if (engine.uniffiIsDestroyed) closed() else gone
        }
    }

    companion object {
        /** How many frames a flow of frames holds for its collector: a second. */
        const val FRAMES_HELD: Int = 100

        /**
         * Opens the engine on its state folder, making it where it is new. That reads a small file or two; it is no
         * work for a main thread that is drawing.
         *
         * @param folder where the state lives; nobody else writes there. On Android below `filesDir`, and left out
         *   of backups.
         * @param organizationKey the organization's Ed25519 public key, 64 hexadecimal digits, pinned in the app: only
         *   its plans count.
         * @param collectorUrl where samples go: `https://…`, or `http://…` on this very machine.
         * @throws SordinoException.State where the folder cannot be used or is open in another `Sordino`.
         * @throws SordinoException.Damaged where only [reset] helps.
         * @throws SordinoException.Argument for a key or a URL that is none.
         */
        fun open(
            folder: File,
            organizationKey: String,
            collectorUrl: String,
            configure: Options.() -> Unit = {},
        ): Sordino {
            val options = Options().apply(configure)
            val happenings = Happenings()
            val engine = openEngine(folder, organizationKey, collectorUrl, options, happenings)
            val sordino = Sordino(engine, happenings, options.transport)
            try {
                happenings.consentIs(engine.consent().state)
            } catch (unreadable: SordinoException) {
                sordino.close()
                throw unreadable
            }
            return sordino
        }

        /**
         * Forgets all that a state folder holds, also where it is damaged: consent, samples, keys. What was
         * registered with the collector is withdrawn as a whole; the next `Sordino` on the folder sends that.
         *
         * @return whether the plan was kept; where not, it is to be installed again.
         * @throws SordinoException.State where the folder is open, or a newer version wrote it.
         * @throws SordinoException.Argument where it is no state folder.
         */
        suspend fun reset(folder: File): Boolean =
            withContext(Dispatchers.IO) { reset(folder.path) }

        /** What the library that was loaded can do by itself; what it cannot do throws an exception that says so. */
        val features: LibraryFeatures get() = libraryFeatures()

        /**
         * The input devices that can be opened now.
         *
         * @throws SordinoException.Capture where there is none, the sound service does not run, or the library opens
         *   none ([features]).
         */
        suspend fun inputDevices(): List<InputDevice> =
            withContext(Dispatchers.IO) { dev.sordino.inputDevices() }
    }
}

private fun closed() = SordinoException.Closed("Sordino was closed; open it again")
