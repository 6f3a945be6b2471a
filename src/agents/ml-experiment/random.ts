/** Uniform numbers in [0, 1), the same sequence for the same seed. */
export type Random = () => number;

/**
 * A linear congruential generator, modulus 2^32 (Press et al., Numerical Recipes, "quick and dirty"). It is good enough
 * for shuffles and first weights, and simple enough to repeat in any language to check a split.
 *
 * @param seed 0 to 2^32 - 1
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Shuffles in place (Fisher-Yates, from the end; Knuth, The Art of Computer Programming, 3.4.2, algorithm P). */
export function shuffle(items: Int32Array, random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const item = items[last] ?? 0;
    items[last] = items[other] ?? 0;
    items[other] = item;
  }
}

/** A draw from the standard normal distribution (Box-Muller). */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** 0, 1, ... count - 1. */
export function rangeOf(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => index);
}
