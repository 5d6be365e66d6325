"""usage: bench.py SECONDS: prints the CPU time of pushing and receiving in real time, in one line."""

import sys
import tempfile
import time

import numpy as np

import sordino

RATE = 48_000
FRAME_S = 0.01
WINDOWS = 5
#: Frames pushed ahead of the listener when faster than real time: half the writer's buffer.
AHEAD = 100
# Any valid key will do: no plan is installed.
KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
NOWHERE = "http://127.0.0.1:9"
SOUND = (0.1 * np.sin(np.arange(480, dtype=np.float32))).astype(np.float32)


class Recognizer:
    """Reads one sample of each frame."""

    frames = 0

    def on_frame(self, frame):
        self.frames += 1
        assert frame.array[0] == 0


def share(seconds, step):
    """The CPU time of this process while `step` runs every 10 ms, as a share of one core: the minimum of several
    windows, since other load can only add to it."""
    return min(window(seconds / WINDOWS, step) for _ in range(WINDOWS))


def window(seconds, step):
    spent, begun = time.process_time(), time.monotonic()
    for number in range(1, round(seconds / FRAME_S) + 1):
        step()
        time.sleep(max(0.0, begun + number * FRAME_S - time.monotonic()))
    return (time.process_time() - spent) / (time.monotonic() - begun)


def faster(writer, recognizer, seconds):
    """The CPU time per second of sound faster than real time: the work without waking up threads."""
    spent, begun = time.process_time(), recognizer.frames
    for number in range(round(seconds / FRAME_S)):
        writer.push(SOUND)
        while number - (recognizer.frames - begun) > AHEAD:
            time.sleep(FRAME_S)
    return (time.process_time() - spent) / seconds


def main(seconds):
    idle = share(seconds / 3, lambda: None)
    with tempfile.TemporaryDirectory() as folder, sordino.Sordino.open(folder, KEY, NOWHERE) as engine:
        with engine.listen_to_pcm_source(RATE, 1) as writer:
            without_listener = share(seconds / 3, lambda: writer.push(SOUND)) - idle
        recognizer = Recognizer()
        with engine.listen_to_pcm_source(RATE, 1, recognizer) as writer:
            received = share(seconds, lambda: writer.push(SOUND)) - idle
            worked = faster(writer, recognizer, 2 * seconds)
        assert recognizer.frames - round(2 * seconds / FRAME_S) == WINDOWS * round(seconds / WINDOWS / FRAME_S), recognizer.frames
    print(
        f"python push+receive: {100 * received:.2f} % of a core (the work alone {100 * worked:.2f} %; pushing and the"
        f" engine without a listener {100 * without_listener:.2f} %; an empty loop {100 * idle:.2f} %, not counted)"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]))
