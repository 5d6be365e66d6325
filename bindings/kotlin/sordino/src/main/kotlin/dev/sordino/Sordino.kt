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
 * Captures audio for the app's recognizer and, only with the person's consent, makes anonymous, encrypted samples of
 * it.
 *
 * ```kotlin
 * Sordino.open(folder, organizationKey, "https://collector.example").use { sordino ->
 *     sordino.installPlan(plan)
 *     sordino.frames().collect { frame -> recognize(frame.samples, frame.rate) }
 * }
 * ```
 *
 * All functions may be called from any thread. Functions that wait for the disk, the network or the anonymizer suspend
 * and run on [Dispatchers.IO]. If they are canceled before they start, they do nothing; once started, they complete
 * and only their result is lost. App code never runs on the engine's threads, so it cannot block the engine.
 *
 * Only one `Sordino` at a time can open a state folder. After [close] every call throws [SordinoException.Closed].
 * All errors are [SordinoException]s: the subclass is the kind, `code` identifies the case for programs, and `message`
 * says in one line what failed, on what, and what to do.
 */
class Sordino private constructor(
    private val engine: Engine,
    private val eventBus: EventBus,
    private val transport: Transport,
) : AutoCloseable {
    private val isClosed = AtomicBoolean()
    private val uploadLock = Mutex()

    /**
     * The state of consent. It follows the calls of this object and the answers of the collector. The expiry of consent
     * is noticed by the next [consent], [status], [samplingBlocked], or moment that is not sampled because of it.
     */
    val consentState: StateFlow<ConsentState> get() = eventBus.consentState

    /**
     * The events of the engine, from the start of the collection. They never contain audio, and the flow never
     * completes. A collector that is more than 256 events behind loses the oldest.
     */
    val events: Flow<Event> get() = eventBus.events

    // Plan

    /**
     * Installs a signed sampling plan: the JSON that `sordino plan sign` wrote.
     *
     * @throws SordinoException.Plan if the organization did not sign it, a value is out of bounds, it has expired, or
     *   it is older than the installed one.
     */
    suspend fun installPlan(json: ByteArray): Unit = onIo { installPlan(json.toDirectBuffer()) }

    /** The installed plan, even if it has expired; `null` before the first. */
    suspend fun plan(): Plan? = onIo { plan() }

    /** Makes the next upload ask the collector for a newer plan, regardless of when it last asked. */
    suspend fun renewPlan(): Unit = onIo { renewPlan() }

    // Consent

    /** The state of consent, and the receipt. */
    suspend fun consent(): ConsentStatus = onIo { consent() }.also { eventBus.updateConsent(it.state) }

    /**
     * The bundled consent notice for the installed plan, in the language closest to [language], or else in English.
     *
     * @param language a BCP 47 tag such as `en` or `pt-BR`.
     * @param app the app's name and contact, which the notice contains.
     * @throws SordinoException.Consent if no plan is installed.
     * @throws SordinoException.Argument if the name or the contact cannot be shown.
     */
    suspend fun notice(language: String, app: AppInfo): BundledNotice = onIo { notice(language, app) }

    /**
     * Records consent to each of [purposes], and returns the receipt for the person: a signed JSON document without a
     * name.
     *
     * Nothing is sampled from a child or a person of unknown age until a guardian has approved: in the same call with
     * [guardian], or later with [approve].
     *
     * @param notice the text that the person read, in the version that the plan names; see [notice].
     * @param guardianEvidence evidence of the guardian's approval, at least 16 random bytes; only its hash is stored.
     * @throws SordinoException.Consent if no plan is installed, the plan does not ask for one of the purposes or names
     *   another version of the notice, or the evidence is too short.
     */
    suspend fun giveConsent(
        purposes: Collection<Purpose>,
        ageBand: AgeBand,
        notice: Notice,
        guardian: GuardianMethod? = null,
        guardianEvidence: ByteArray? = null,
    ): String = onIo { giveConsent(purposes.toList(), ageBand, notice, guardian, guardianEvidence) }

    /**
     * Records the guardian's approval of a child's consent, and returns the receipt. For [evidence] see [giveConsent].
     *
     * @throws SordinoException.Consent if no consent waits for approval, or the evidence is too short.
     */
    suspend fun approve(method: GuardianMethod, evidence: ByteArray? = null): String =
        onIo { approve(method, evidence) }

    /**
     * Records that the child who consented has come of age. Sampling stops, and the app must ask again for consent, as
     * an adult.
     *
     * @throws SordinoException.Consent if there is no valid consent of a child.
     */
    suspend fun comeOfAge(): Unit = onIo { comeOfAge() }

    /**
     * Withdraws consent, for one purpose or, without one, for all. Sampling stops immediately, pending samples are
     * shredded, and the next upload asks the collector to delete the samples that were sent.
     */
    suspend fun withdraw(purpose: Purpose? = null): Withdrawal = onIo { withdraw(purpose) }

    // Capture

    /**
     * Frames of the microphone: mono, 10 ms each. If consent and plan allow it, moments of the audio become samples.
     *
     * Collecting opens the microphone. Canceling the collection, or an exception in it, closes the microphone and
     * waits until the selected samples are sealed and queued. A microphone that disappears is reopened, which [events]
     * report. The flow completes when this object is closed.
     *
     * The engine never waits for the collector. A collector that is more than [FRAME_BUFFER_SIZE] frames (one second)
     * behind loses the newest frames; [Frame.lost] of the next frame counts their samples, and `CaptureEvent.Overrun`
     * in [events] reports them.
     *
     * @param device the id of one of [inputDevices]; the system's default device if `null`.
     * @throws SordinoException.AlreadyListening when collected, if a capture is already in progress.
     * @throws SordinoException.PermissionDenied when collected, if the app may not use the microphone.
     * @throws SordinoException.NoDevice when collected, if there is no such microphone.
     * @throws SordinoException.DeviceBusy when collected, if another app uses the microphone.
     * @throws SordinoException.Capture when collected, if the microphone failed, or the library was built without one
     *   ([features]), as on Android: collect the frames of a [PcmSource] instead.
     */
    fun frames(device: String? = null): Flow<Frame> = frameFlow(eventBus) { listener ->
        val session = call { listenToMicrophone(device, listener) }
        Session({ session.stop() }, session)
    }

    /**
     * Frames of the audio that [source] pushes: mono, 10 ms each. Collecting runs [source] on [Dispatchers.IO],
     * canceling the collection cancels it, and the flow completes after the last pushed sample when it returns.
     * Otherwise like the overload for the microphone.
     *
     * @param rate the sample rate in Hz.
     * @param channels the number of interleaved channels, which are averaged.
     */
    fun frames(rate: Int, channels: Int = 1, source: suspend (PcmWriter) -> Unit): Flow<Frame> =
        frameFlow(eventBus) { listener ->
            val writer = writer(rate, channels, listener)
            Session({ writer.close() }, writer) { source(writer) }
        }

    /** Frames of the audio that a [PcmSource] pushes; otherwise like the overload for a function. */
    fun frames(source: PcmSource): Flow<Frame> = frames(source.rate, source.channels, source::run)

    /**
     * Captures the app's audio without returning frames, for an app that already passes the audio to its recognizer.
     * Push the recorded samples into the writer, and close it at the end.
     *
     * @param rate the sample rate in Hz.
     * @param channels the number of interleaved channels, which are averaged.
     * @throws SordinoException.AlreadyListening if a capture is already in progress.
     * @throws SordinoException.Capture if the format is not supported.
     */
    fun listenToPcmSource(rate: Int, channels: Int = 1): PcmWriter = writer(rate, channels, null)

    /**
     * Marks a moment of the captured audio, because the recognizer was unsure or wrong. It is sampled with the plan's
     * probability and within its budget, and never without consent. This call never waits.
     *
     * @throws SordinoException.Mark if no capture is in progress, sampling is blocked, or the moment is too old.
     */
    fun mark(moment: Moment = Moment()): MarkOutcome = call { mark(moment) }

    // Samples

    /** Why sampling is blocked now; `null` if it is allowed. */
    suspend fun samplingBlocked(): WithheldReason? = onIo { samplingBlocked() }.also {
        if (it == WithheldReason.NO_CONSENT) consent()
    }

    /**
     * Submits a recording as one sample, as if the app had marked it. It skips the random draw, but consent, budget and
     * the anonymizer's checks apply. If it is longer than the plan's clip, only its end is used.
     *
     * @param samples mono, full scale at ±1.
     * @param rate the sample rate in Hz, 8000 to 384000.
     * @param annotation its times are in seconds from the start of [samples].
     * @throws SordinoException.Clip if the recording is empty, contains NaN, or its rate is out of bounds.
     * @throws SordinoException.Annotation if the annotation is out of bounds.
     */
    suspend fun submit(samples: FloatArray, rate: Int, annotation: Annotation? = null): SubmitOutcome {
        val engineRate = unsigned(rate, "the sample rate")
        return onIo { submit(samples.toDirectBuffer(), engineRate, annotation) }
    }

    /** Consent, the queue of samples and what waits for the collector. */
    suspend fun status(): Status = onIo { status() }.also { eventBus.updateConsent(it.consent) }

    /** All samples ever made on this device, oldest first, with their state. */
    suspend fun samples(): List<Sample> = onIo { samples() }

    /**
     * Deletes one sample: immediately on the device, and at the collector with the next upload.
     *
     * @throws SordinoException.Outbox if there is no sample with this id.
     */
    suspend fun delete(sample: Id): Sample = onIo { delete(sample) }

    /**
     * Deletes all samples: immediately on the device, and at the collector with the next upload. Consent does not
     * change.
     */
    suspend fun deleteAll(): Unit = onIo { deleteAll() }

    /** All data about the person on this device, as a zip archive: records, receipts, notices, the list of samples. */
    suspend fun exportMyData(): ByteArray = onIo { exportMyData() }

    // Review

    /** The clips that wait for the person's review, oldest first. They are in memory only. */
    suspend fun previews(): List<Preview> = onIo { previews() }

    /**
     * The audio that would be sent; see [PreviewSound.toShorts].
     *
     * @throws SordinoException.Argument if there is no such preview.
     */
    suspend fun preview(preview: Id): PreviewSound = onIo { preview(preview) }

    /**
     * Accepts a preview: it is sealed and queued if consent, plan and budget still allow it.
     *
     * @throws SordinoException.Argument if there is no such preview.
     */
    suspend fun acceptPreview(preview: Id): SubmitOutcome = onIo { acceptPreview(preview) }

    /**
     * Discards a preview and wipes its audio.
     *
     * @throws SordinoException.Argument if there is no such preview.
     */
    suspend fun discardPreview(preview: Id): Unit = onIo { discardPreview(preview) }

    // Upload

    /**
     * Sends everything that is due, when the person asks for it: ignores the waiting time after failures, except one
     * that the collector asked for, and asks for a newer plan. The first problem is in the summary.
     *
     * If canceled, it aborts the current request, which stays due; sending it twice has no effect. A second upload
     * waits for the first.
     */
    suspend fun upload(): UploadSummary = uploadLock.withLock {
        renewPlan()
        sendAll(
            transport, { failed -> onIo { nextUploadTaskNow(failed) } }, ::processUploadResult,
            continueIfUnreachable = true,
        )
    }

    /** Like [upload], but respects the waiting time after failures; for background jobs. */
    suspend fun uploadInBackground(): UploadSummary = uploadLock.withLock {
        sendAll(transport, { onIo { nextUploadTask() } }, ::processUploadResult)
    }

    /** Sends the withdrawals and deletions that are due, without waiting for another upload in progress. */
    suspend fun uploadUrgent(): UploadSummary =
        sendAll(transport, { onIo { nextUrgentUploadTask() } }, ::processUploadResult)

    /**
     * Asks the collector which readers opened a sample.
     *
     * @throws SordinoException.Upload if the collector does not answer.
     * @throws SordinoException.Outbox if there is no such sample.
     */
    suspend fun accesses(sample: Id): Accesses {
        val request = onIo { accessesRequest(sample) }
        val result = transport.send(request)
        return onIo { readAccesses(request.task, result) }
    }

    /**
     * The next request that is due, for an app that sends requests itself, for example with a download manager that
     * continues while the app is suspended. Send it unchanged, pass the result to [processUploadResult], and repeat
     * until this returns `null`.
     */
    suspend fun nextUploadTask(): Request? = onIo { nextUploadTask() }

    /** Processes the result of the request for [task], also after a restart of the app. */
    suspend fun processUploadResult(task: UploadTask, result: UploadResult): TaskStatus =
        onIo { processUploadResult(task, result) }

    /**
     * Stops the capture, seals the selected samples, and releases the state folder. This takes up to a few seconds
     * while a sample is being made. Flows of frames complete. Does nothing if it is already closed.
     *
     * @throws SordinoException.Capture if the capture ended with a failure; the engine is closed nevertheless.
     */
    override fun close() {
        if (!isClosed.compareAndSet(false, true)) return
        try {
            engine.closeEngine()
        } finally {
            engine.destroy()
        }
    }

    private fun writer(rate: Int, channels: Int, listener: FrameListener?): PcmWriter {
        val format = PcmFormat(rate, channels)
        val engineWriter = call { listenToPcmSource(format.engineRate, format.engineChannels, listener) }
        return PcmWriter(engineWriter, format, eventBus)
    }

    private suspend fun <T> onIo(work: Engine.() -> T): T = withContext(Dispatchers.IO) { call(work) }

    private inline fun <T> call(work: Engine.() -> T): T {
        if (isClosed.get()) throw engineClosed()
        return try {
            engine.work()
        } catch (destroyed: IllegalStateException) {
            // The bindings throw this if another thread closed the engine in between.
            throw if (engine.uniffiIsDestroyed) engineClosed() else destroyed
        }
    }

    companion object {
        /** The number of frames that a flow of frames buffers for its collector: one second. */
        const val FRAME_BUFFER_SIZE: Int = 100

        /**
         * Opens the engine on its state folder, which is created if it does not exist. It reads a few small files; do
         * not call it on a main thread that is drawing.
         *
         * @param folder the state folder, which only the engine writes to. On Android use
         *   `SordinoHost.stateFolder`, which is excluded from backups.
         * @param organizationKey the organization's Ed25519 public key, 64 hexadecimal digits, pinned in the app: only
         *   plans signed with it are accepted.
         * @param collectorUrl the collector's URL: `https://…`, or `http://…` on the same machine.
         * @throws SordinoException.State if the folder cannot be used or is open in another `Sordino`.
         * @throws SordinoException.Damaged if only [reset] helps.
         * @throws SordinoException.Argument if the key or the URL is invalid.
         */
        fun open(
            folder: File,
            organizationKey: String,
            collectorUrl: String,
            configure: Options.() -> Unit = {},
        ): Sordino {
            val options = Options().apply(configure)
            val eventBus = EventBus()
            val engine = openEngine(folder, organizationKey, collectorUrl, options, eventBus)
            val sordino = Sordino(engine, eventBus, options.transport)
            try {
                eventBus.updateConsent(engine.consent().state)
            } catch (unreadable: SordinoException) {
                sordino.close()
                throw unreadable
            }
            return sordino
        }

        /**
         * Erases all state in a folder, even if it is corrupt: consent, samples, keys. Everything that was registered
         * with the collector is withdrawn; the next `Sordino` on the folder sends that withdrawal.
         *
         * @return whether the plan was kept; if not, install it again.
         * @throws SordinoException.State if the folder is open, or a newer version wrote it.
         * @throws SordinoException.NoState if the folder holds no state.
         */
        suspend fun reset(folder: File): Boolean =
            withContext(Dispatchers.IO) { reset(folder.path) }

        /** The optional parts that the loaded library was built with. Functions of a missing part throw an exception. */
        val features: LibraryFeatures get() = libraryFeatures()

        /**
         * The input devices that can be opened now.
         *
         * @throws SordinoException.NoDevice if there is none, or the sound service does not run.
         * @throws SordinoException.Capture if the library was built without a microphone ([features]).
         */
        suspend fun inputDevices(): List<InputDevice> =
            withContext(Dispatchers.IO) { dev.sordino.inputDevices() }
    }
}
