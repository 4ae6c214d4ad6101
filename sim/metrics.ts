import type { Point } from '../events';
import { hash } from '../events';
import type { Clock, Metrics } from '../handlers';
import type { LocalFsx } from './fsx';

interface Parts {
  readonly clock: Pick<Clock, 'now'>;
  readonly fsx: Pick<LocalFsx, 'queueOf'>;
  /** Whether a minute's point never comes; the same answer for the same minute. */
  readonly isMissing?: (point: { readonly fileSystemId: string; readonly at: number }) => boolean;
}

const MINUTE = 60_000;

/**
 * The twin of CloudWatch for `AgeOfOldestQueuedMessage`. From the documents: a point a minute, in seconds,
 * zero where nothing waits. Measured by others: points are there while the queue is idle. Assumed: a point is taken at
 * the end of its minute, and shown one to two minutes after that; before a file system can be used it has none.
 */
export function localMetrics({ clock, fsx, isMissing }: Parts): Metrics {
  /** The points of single minutes that are to be seen by now. */
  function shown(fileSystemId: string, from: number, to: number): Point[] {
    const notes = fsx.queueOf(fileSystemId);
    const points: Point[] = [];
    const begun = notes[0]?.at ?? Number.POSITIVE_INFINITY;
    const last = Math.min(to, clock.now());
    for (let at = asMinute(Math.max(from, begun)); at < last; at += MINUTE) {
      const taken = at + MINUTE;
      if (at < from || taken + latenessOf(fileSystemId, at) > clock.now()) continue;
      if (isMissing?.({ fileSystemId, at })) continue;
      const oldest = notes.findLast((note) => note.at <= taken)?.oldest;
      points.push({ at, value: oldest === undefined ? 0 : Math.floor((taken - oldest) / 1000) });
    }
    return points;
  }

  return {
    async exportQueueAge({ fileSystemId, from, to, periodSeconds }) {
      const period = periodSeconds * 1000;
      const periods = new Map<number, number>();
      for (const { at, value } of shown(fileSystemId, from, to)) {
        const start = Math.floor(at / period) * period;
        periods.set(start, Math.max(value, periods.get(start) ?? 0));
      }
      return [...periods].map(([at, value]) => ({ at, value }));
    },
  };
}

/** One to two minutes, the same for the same point. */
function latenessOf(fileSystemId: string, at: number): number {
  return MINUTE + (hash(`${fileSystemId}.${at}`) % MINUTE);
}

function asMinute(at: number): number {
  return Math.floor(at / MINUTE) * MINUTE;
}
