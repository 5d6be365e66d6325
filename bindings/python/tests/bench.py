"""usage: bench.py SECONDS: what a core has to do for pushing and receiving, in real time, in one line."""

import sys
import tempfile
import time

import numpy as np

import sordino

RATE = 48_000
FRAME_S = 0.01
WINDOWS = 5
#: Frames that are pushed ahead of the listener where nobody waits for the clock: half the feed's room.
AHEAD = 100
# Any point of the curve will do: no plan is installed.
KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
NOWHERE = "http://127.0.0.1:9"
SOUND = (0.1 * np.sin(np.arange(480, dtype=np.float32))).astype(np.float32)


class Recognizer:
    """Looks at each frame, as little as can be."""

    frames = 0

    def on_frame(self, frame):
        self.frames += 1
        assert frame.array[0] == 0


def share(seconds, step):
    """What this process costs while `step` runs every 10 ms, as a share of one core: the least of some windows,
    since what else the machine does can only add to it."""
    return min(window(seconds / WINDOWS, step) for _ in range(WINDOWS))


def window(seconds, step):
    spent, begun = time.process_time(), time.monotonic()
    for number in range(1, round(seconds / FRAME_S) + 1):
        step()
        time.sleep(max(0.0, begun + number * FRAME_S - time.monotonic()))
    return (time.process_time() - spent) / (time.monotonic() - begun)


def faster(feed, recognizer, seconds):
    """What it costs a second of sound when nobody waits for the clock: the work without the waking up."""
    spent, begun = time.process_time(), recognizer.frames
    for number in range(round(seconds / FRAME_S)):
        feed.push(SOUND)
        while number - (recognizer.frames - begun) > AHEAD:
            time.sleep(FRAME_S)
    return (time.process_time() - spent) / seconds


def main(seconds):
    idle = share(seconds / 3, lambda: None)
    with tempfile.TemporaryDirectory() as folder, sordino.Sordino.open(folder, KEY, NOWHERE) as engine:
        with engine.listen_to_host(RATE, 1) as feed:
            unheard = share(seconds / 3, lambda: feed.push(SOUND)) - idle
        recognizer = Recognizer()
        with engine.listen_to_host(RATE, 1, recognizer) as feed:
            heard = share(seconds, lambda: feed.push(SOUND)) - idle
            worked = faster(feed, recognizer, 2 * seconds)
        assert recognizer.frames - round(2 * seconds / FRAME_S) == WINDOWS * round(seconds / WINDOWS / FRAME_S), recognizer.frames
    print(
        f"python push+receive: {100 * heard:.2f} % of a core (the work alone {100 * worked:.2f} %; pushing and the"
        f" engine without a listener {100 * unheard:.2f} %; an empty loop {100 * idle:.2f} %, not counted)"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]))
