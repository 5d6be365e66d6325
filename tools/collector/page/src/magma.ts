// The color map `magma` of matplotlib (CC0), as in `sordino report`: its lightness rises evenly, so that equal
// steps in level look equal, also to most color-blind eyes.

/** Every sixteenth entry of the map, from quiet to loud. */
const STOPS = [
  [0, 0, 4], [10, 8, 34], [29, 17, 71], [54, 16, 107], [81, 18, 124], [106, 28, 129], [131, 38, 129], [156, 46, 127],
  [183, 55, 121], [208, 65, 111], [231, 82, 99], [245, 107, 92], [252, 137, 97], [254, 167, 114], [254, 196, 136],
  [253, 226, 163], [252, 253, 191],
] as const;

/** 256 colors, each red, green, blue and alpha in [0, 1]. */
export const magma: number[][] = Array.from({ length: 256 }, (_, at) => {
  const scaled = (at / 255) * (STOPS.length - 1);
  const below = Math.min(Math.floor(scaled), STOPS.length - 2);
  const part = scaled - below;
  const [from, to] = [STOPS[below]!, STOPS[below + 1]!];
  const channel = (which: 0 | 1 | 2) => (from[which] + (to[which] - from[which]) * part) / 255;
  return [channel(0), channel(1), channel(2), 1];
});
