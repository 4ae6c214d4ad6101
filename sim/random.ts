/** Numbers that look random and come again with the same seed. */
export interface Random {
  /** 0 ≤ next < 1. */
  next(): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** A number from `min` up to `max`. */
  between(min: number, max: number): number;
  /** Hexadecimal digits. */
  hex(digits: number): string;
  /** An id in the form of a UUID. */
  uuid(): string;
}

/** Mulberry32: 32 bits of state, more than enough to vary a run. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;

  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
  return {
    next,
    chance: (probability) => next() < probability,
    between: (min, max) => min + next() * (max - min),
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
  };
}
