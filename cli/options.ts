import { UsageError } from './command';

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** 20s, 1.5m, 500ms: a time as people type it, in milliseconds. */
export function parseDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (!(ms > 0))
    throw new UsageError(`a time must be a number and ms, s, m or h, like 20s, got ${text}`);
  return ms;
}

/** A whole number from `min` to `max`. */
export function parseWhole(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= min && number <= max) return number;
    throw new UsageError(`${name} must be a whole number from ${min} to ${max}, got ${text}`);
  };
}

/** How many times faster than real time: from 1, the real pace, to 10,000. */
export function parseSpeed(text: string): number {
  const speed = Number(text);
  if (speed >= 1 && speed <= 10_000) return speed;
  throw new UsageError(`--speed must be a number from 1 to 10000, got ${text}`);
}
