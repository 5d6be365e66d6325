// Playback of the sample or of a selection, looped, at half speed with constant pitch; removed parts are skipped.

import type { Removal } from "./manifest";
import type { Sound } from "./sound";

export interface Region { readonly start: number; readonly end: number }

/** The seek step of the keyboard shortcuts, in seconds. */
export const STEP_S = 0.5;

export class Player {
  readonly media = new Audio();
  readonly #url: string;
  readonly #seconds: number;
  readonly #removed: readonly Removal[];
  readonly #changed: () => void;
  loops = false;
  region: Region | undefined;
  #frame = 0;
  /** The position at the previous animation frame. */
  #previousTime = 0;

  constructor(sound: Sound, removed: readonly Removal[], changed: () => void) {
    this.#seconds = sound.seconds;
    this.#removed = removed;
    this.#changed = changed;
    this.#url = URL.createObjectURL(sound.file);
    this.media.src = this.#url;
    this.media.preservesPitch = true;
    for (const event of ["play", "pause", "seeked", "ratechange", "timeupdate"]) this.media.addEventListener(event, changed);
    this.media.addEventListener("play", () => this.#follow());
    this.media.addEventListener("ended", () => {
      if (this.loops) void this.#playFrom(this.region?.start ?? 0);
    });
  }

  get isPlaying(): boolean {
    return !this.media.paused && !this.media.ended;
  }

  get time(): number {
    return this.media.currentTime;
  }

  get isSlow(): boolean {
    return this.media.playbackRate !== 1;
  }

  toggle(): void {
    if (this.isPlaying) return this.media.pause();
    const { region } = this;
    const isOutside = region && (this.time < region.start || this.time >= region.end - 0.01);
    void this.#playFrom(isOutside ? region.start : this.media.ended ? 0 : this.time);
  }

  seek(time: number): void {
    this.#previousTime = Math.max(0, Math.min(time, this.#seconds));
    this.media.currentTime = this.#previousTime;
    this.#changed();
  }

  setSlow(slow: boolean): void {
    this.media.playbackRate = slow ? 0.5 : 1;
  }

  /** Stops playback and releases the audio. */
  close(): void {
    cancelAnimationFrame(this.#frame);
    this.media.pause();
    this.media.removeAttribute("src");
    this.media.load();
    URL.revokeObjectURL(this.#url);
  }

  async #playFrom(time: number): Promise<void> {
    this.seek(time);
    try {
      await this.media.play();
    } catch {
      // The player was closed, or the browser requires a user gesture: the button still shows "Play".
      this.#changed();
    }
  }

  /** Updates on every animation frame: `timeupdate` fires four times a second, too rarely to loop a note. */
  #follow(): void {
    cancelAnimationFrame(this.#frame);
    const update = () => {
      if (!this.isPlaying) return;
      this.#keepWithin();
      this.#changed();
      this.#frame = requestAnimationFrame(update);
    };
    this.#frame = requestAnimationFrame(update);
  }

  #keepWithin(): void {
    const { time, region } = this;
    const previous = this.#previousTime;
    this.#previousTime = time;
    const gap = this.#removed.find(({ start, end }) => time >= start && time < end - 0.02);
    if (gap) this.media.currentTime = Math.min(gap.end, this.#seconds);
    if (!region || time < region.end) return;
    if (this.loops) this.media.currentTime = region.start;
    else if (previous < region.end) {
      // A busy browser may have played past the end.
      this.media.pause();
      this.media.currentTime = region.end;
    }
  }
}
