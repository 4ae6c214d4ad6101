import type { Clock } from '../handlers';

/** A clock on which things can be put. Virtual or real, everything in the local cloud runs by one. */
export interface Timeline extends Clock {
  /** Runs this at that time (epoch milliseconds), or at once if it is past. Gives a way to forget it. */
  at(time: number, run: () => void): () => void;
}

/** A clock that stands still until it is moved. */
export interface VirtualClock extends Timeline {
  /** Runs what is due next, and lets everything that it set going come to rest. False: nothing is due. */
  step(): Promise<boolean>;
  /** Steps until `isDone` says so. Throws when that takes too many steps, or nothing is left to do. */
  runUntil(isDone: () => boolean, stepsMax: number): Promise<void>;
}

interface Entry {
  readonly time: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that moves only when somebody moves it: entries of the same time run in the order they came. */
export function virtualClock(start: number): VirtualClock {
  const entries = new Set<Entry>();
  let now = start;
  let order = 0;

  function at(time: number, run: () => void): () => void {
    order += 1;
    const entry = { time: Math.max(now, time), order, run };
    entries.add(entry);
    return () => void entries.delete(entry);
  }

  async function step(): Promise<boolean> {
    const next = earliest(entries);
    if (!next) return false;
    entries.delete(next);
    now = next.time;
    next.run();
    // Handlers wait for nothing but this clock, so one turn of the event loop brings them to rest.
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }

  async function runUntil(isDone: () => boolean, stepsMax: number): Promise<void> {
    for (let steps = 0; steps < stepsMax; steps += 1) {
      if (isDone()) return;
      if (!(await step())) throw new Error(`nothing is left to happen after ${steps} steps`);
    }
    throw new Error(`not done after ${stepsMax} steps`);
  }

  const sleep = (ms: number) => new Promise<void>((resolve) => void at(now + ms, resolve));
  return { now: () => now, at, sleep, step, runUntil };
}

/** The longest wait that setTimeout takes. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Real time, `speed` times as fast: an hour passes in 3600 / speed seconds. Begins at `start`. */
export function realClock({ start, speed }: { start: number; speed: number }): Timeline {
  const begun = performance.now();
  const now = () => start + (performance.now() - begun) * speed;

  function at(time: number, run: () => void): () => void {
    let timer: NodeJS.Timeout;
    const wait = () => {
      const left = (time - now()) / speed;
      // Timers may fire a fraction early, and an early look would see nothing.
      timer =
        left <= 0 ? setTimeout(run, 0) : setTimeout(wait, Math.min(left + 0.5, TIMEOUT_MS_MAX));
      // A cloud that nobody waits for must not keep the process alive.
      timer.unref();
    };
    wait();
    return () => clearTimeout(timer);
  }

  const sleep = (ms: number) => new Promise<void>((resolve) => void at(now() + ms, resolve));
  return { now, at, sleep };
}

function earliest(entries: ReadonlySet<Entry>): Entry | undefined {
  let first: Entry | undefined;
  for (const entry of entries) {
    if (
      !first ||
      entry.time < first.time ||
      (entry.time === first.time && entry.order < first.order)
    ) {
      first = entry;
    }
  }
  return first;
}

/** Waits in real time, a little at a time. False: it took longer than it may. */
export async function until(isDone: () => Promise<boolean>, msMax: number): Promise<boolean> {
  const end = performance.now() + msMax;
  while (performance.now() < end) {
    if (await isDone()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
