/** The round distance (1, 2 or 5 times a power of ten) at which about `count` ticks lie between two values. */
function stepOf(low: number, high: number, count: number): number {
  const step = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(step));
  const rest = step / power;
  return power * (rest >= Math.sqrt(50) ? 10 : rest >= Math.sqrt(10) ? 5 : rest >= Math.sqrt(2) ? 2 : 1);
}

/** Without what is lost by binary fractions. */
const clean = (value: number): number => Number(value.toPrecision(12));

/** Round numbers between two values, evenly spaced, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  if (high <= low) return [low];
  const step = stepOf(low, high, count);
  const first = Math.ceil(clean(low / step));
  const last = Math.floor(clean(high / step));
  return Array.from({ length: last - first + 1 }, (_, place) => clean((first + place) * step));
}

/** The nearest round numbers at or below `low` and at or above `high`. */
export function niceEnds(low: number, high: number, count: number): [number, number] {
  let ends: [number, number] = [low, high];
  // A wider span may have a wider step.
  for (let round = 0; round < 5; round++) {
    const step = stepOf(ends[0], ends[1], count);
    const wider: [number, number] = [
      clean(Math.floor(clean(ends[0] / step)) * step),
      clean(Math.ceil(clean(ends[1] / step)) * step),
    ];
    if (wider[0] === ends[0] && wider[1] === ends[1]) break;
    ends = wider;
  }
  return ends;
}
