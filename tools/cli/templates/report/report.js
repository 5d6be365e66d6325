// Plays a track from where its picture is pressed, and moves a line over the picture meanwhile.
// Without it the players still work.
"use strict";
(() => {
  const STEP_SECONDS = 1;

  const wire = (track) => {
    const audio = track.querySelector("audio");
    const picture = track.querySelector(".picture");
    // [[heard, shown, seconds], …]: where a part of the file is on the axis of time.
    const stretches = JSON.parse(track.dataset.map);
    const seconds = Number(track.dataset.seconds);

    const shownAt = (heard) => {
      const stretch = stretches.findLast(([from]) => heard >= from) ?? stretches[0];
      return stretch[1] + Math.min(heard - stretch[0], stretch[2]);
    };
    // What was taken out cannot be heard: the next stretch is.
    const heardAt = (shown) => {
      const stretch = stretches.find(([, from, length]) => shown < from + length) ?? stretches.at(-1);
      return stretch[0] + Math.min(Math.max(shown - stretch[1], 0), stretch[2]);
    };

    const show = () => {
      const shown = shownAt(audio.currentTime);
      picture.style.setProperty("--at", `${(shown / seconds) * 100}%`);
      picture.setAttribute("aria-valuenow", shown.toFixed(1));
      picture.setAttribute("aria-valuetext", `${shown.toFixed(1)} seconds`);
    };
    const follow = () => {
      show();
      if (!audio.paused) requestAnimationFrame(follow);
    };
    const seek = (shown) => {
      audio.currentTime = heardAt(Math.min(Math.max(shown, 0), seconds));
      track.classList.add("touched");
      show();
    };
    const toggle = () => (audio.paused ? audio.play() : audio.pause());

    picture.setAttribute("role", "slider");
    picture.setAttribute("aria-label", picture.dataset.label);
    picture.setAttribute("aria-valuemin", "0");
    picture.setAttribute("aria-valuemax", seconds.toFixed(1));
    picture.tabIndex = 0;
    show();

    const pressed = (event) => {
      const box = picture.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * seconds);
    };
    picture.addEventListener("click", (event) => {
      pressed(event);
      if (audio.paused) audio.play();
    });
    picture.addEventListener("keydown", (event) => {
      const at = shownAt(audio.currentTime);
      const moves = {
        ArrowRight: () => seek(at + STEP_SECONDS),
        ArrowUp: () => seek(at + STEP_SECONDS),
        ArrowLeft: () => seek(at - STEP_SECONDS),
        ArrowDown: () => seek(at - STEP_SECONDS),
        Home: () => seek(0),
        End: () => seek(seconds),
        " ": toggle,
        Enter: toggle,
      };
      if (event.key in moves) {
        event.preventDefault();
        moves[event.key]();
      }
    });
    audio.addEventListener("play", () => {
      for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
      track.classList.add("touched");
      follow();
    });
    audio.addEventListener("seeked", show);
    audio.addEventListener("ended", show);
  };

  document.querySelectorAll(".track[data-map]").forEach(wire);

  const overlay = document.getElementById("overlay");
  if (overlay) {
    overlay.parentElement.hidden = false;
    const apply = () => document.body.classList.toggle("without-overlay", !overlay.checked);
    overlay.addEventListener("change", apply);
    apply();
  }
})();
