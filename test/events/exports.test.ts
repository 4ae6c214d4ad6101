import fc from 'fast-check';
import {
  defaultsOf,
  drainedSince,
  EXPORT_TRIES_MAX,
  type Export,
  exportPauseMs,
  exportStep,
  type Point,
  queueWindow,
  type Run,
  type RunParameters,
  type Storage,
  taskLook,
} from '../../events';
import { job, later, lustreRun, NOW } from '../support/builders';

const SECOND = 1_000;
const MINUTE = 60_000;

/** An exporting run whose jobs ended at NOW. */
function exporting(
  mode: 'taskExport' | 'autoExport',
  {
    asked,
    storage,
    parameters,
  }: {
    readonly asked?: Partial<Export>;
    readonly storage?: Partial<Storage>;
    readonly parameters?: RunParameters;
  } = {},
): Run {
  return lustreRun({
    mode,
    status: 'exporting',
    parameters: { ...defaultsOf(mode), ...parameters },
    storage: { ...lustreRun().storage, ...storage },
    export: { requestedAt: later(0), tries: 1, ...asked },
  });
}

describe('the next step of an export', () => {
  const off = { autoExportOffAt: later(0) };
  const drained = { drainedAt: later(0) };

  it.each([
    ['taskExport', 'a task', {}, {}, 'task'],
    ['taskExport', 'to wait for its task', { taskId: 'task-1' }, {}, 'wait'],
    ['taskExport', 'a pause after a failure', { retryAt: later(1) }, {}, 'pause'],
    ['taskExport', 'a task once the pause is over', { retryAt: later(0) }, {}, 'task'],
    ['taskExport', 'no queue, whatever was seen of one', drained, {}, 'task'],
    ['autoExport', 'an empty queue first', {}, {}, 'drain'],
    ['autoExport', 'an empty queue before a task that it has', { taskId: 'task-1' }, {}, 'drain'],
    ['autoExport', 'no auto-export once the queue is empty', drained, {}, 'switch-off'],
    ['autoExport', 'a task once auto-export is off', drained, off, 'task'],
    ['autoExport', 'a task at once where auto-export was off before', {}, off, 'task'],
    ['autoExport', 'to wait for its task', { ...drained, taskId: 'task-1' }, off, 'wait'],
    ['autoExport', 'a pause after a failure', { ...drained, retryAt: later(1) }, off, 'pause'],
  ] as const)('of %s is %s (%j, %j)', (mode, _title, asked, storage, step) => {
    expect(exportStep(exporting(mode, { asked, storage }), NOW)).toBe(step);
  });

  it.each([
    ['is not over', { status: 'RUNNING', submission: 1 }],
    ['may not be at Batch', { status: 'REQUESTED', submission: 1 }],
    ['was submitted before', { status: 'SUCCEEDED', submission: 2 }],
    ['Batch lost sight of', { status: 'FAILED', submission: 1, missedAt: later(0) }],
  ] as const)('is the end of the jobs, before all else, where one of them %s', (_what, main) => {
    const busy = { jobs: { main: job(main) } };
    for (const asked of [{}, drained, { taskId: 'task-1' }, { retryAt: later(60) }]) {
      for (const mode of ['taskExport', 'autoExport'] as const) {
        const run = exporting(mode, { asked });
        expect(exportStep({ ...run, ...busy }, NOW)).toBe('end-jobs');
        expect(exportStep({ ...run, ...busy, jobsEndedAt: later(0) }, NOW)).toBe(
          exportStep(run, NOW),
        );
      }
    }
  });

  it('is a pause, too, where auto-export could not be switched off', () => {
    const refused = { drainedAt: later(0), tries: 2, retryAt: later(60) };
    expect(exportStep(exporting('autoExport', { asked: refused }), NOW)).toBe('pause');
  });
});

describe('the pause before another export', () => {
  it('is two minutes, then sixteen: an association may heal within fifteen', () => {
    expect([1, 2].map(exportPauseMs)).toEqual([2 * MINUTE, 16 * MINUTE]);
  });

  it('comes twice', () => {
    expect(EXPORT_TRIES_MAX).toBe(3);
  });
});

const point = (second: number, value = 0): Point => ({ at: NOW + second * SECOND, value });

describe('a queue of which a task brings the proof', () => {
  const run = exporting('autoExport');
  const now = NOW + 10 * MINUTE;

  it.each([
    ['a zero a minute after the end of the jobs', [point(60)], 60],
    ['a zero later than that', [point(180)], 180],
    ['a zero after others that were none', [point(60, 9), point(120)], 120],
    ['the newest zero, in whatever order they come', [point(120), point(60, 9)], 120],
  ])('is empty with %s', (_title, points, second) => {
    expect(drainedSince(run, points, now)).toBe(NOW + second * SECOND);
  });

  it.each([
    ['no points at all', []],
    ['a zero of less than a minute after the end of the jobs', [point(59)]],
    ['a zero before that end', [point(-60)]],
    ['a value', [point(120, 1)]],
    ['a value after a zero', [point(60), point(120, 1)]],
    ['a value that is no number', [point(120, Number.NaN)]],
    ['a zero of a minute that is not over', [point(541)]],
    ['a value in a minute that is not over', [point(120), point(541, 1)]],
  ])('is not known to be empty with %s', (_title, points) => {
    expect(drainedSince(run, points, now)).toBeUndefined();
  });

  it('is never known to be empty by zeros from before the end of the jobs was known', () => {
    const ended = { ...run, jobsEndedAt: later(120) };
    const zeros = [point(60), point(120), point(179)];
    expect([
      drainedSince(ended, zeros, now),
      drainedSince(ended, [...zeros, point(180)], now),
      drainedSince({ ...ended, jobsEndedAt: later(-600) }, [point(-60), point(59)], now),
    ]).toEqual([undefined, NOW + 180 * SECOND, undefined]);
  });

  it('is empty with nothing else, whatever points there are', () => {
    const seconds = fc.integer({ min: -600, max: 600 });
    const points = fc.uniqueArray(fc.record({ second: seconds, value: fc.nat({ max: 2 }) }), {
      selector: ({ second }) => second,
      maxLength: 12,
    });
    fc.assert(
      fc.property(points, (drawn) => {
        const shown = drawn.map(({ second, value }) => point(second, value));
        // A minute that is not over may only disprove.
        const over = shown.filter(({ at }) => at + MINUTE <= now);
        const isBusy = shown.some(({ at, value }) => at + MINUTE > now && value > 0);
        const newest = over.toSorted((a, b) => b.at - a.at)[0];
        const isEmpty = !isBusy && newest?.value === 0 && newest.at >= NOW + MINUTE;
        expect(drainedSince(run, shown, now)).toBe(isEmpty ? newest?.at : undefined);
      }),
    );
  });
});

/** A run whose proof is the queue: a point per so many seconds, for so many minutes. */
const proving = (lambdaPeriodSeconds = 60, lambdaTimeDiffMinutes = 15) =>
  exporting('autoExport', {
    parameters: { exportProof: 'metrics', lambdaPeriodSeconds, lambdaTimeDiffMinutes },
  });
/** So many zeros in a row, from this second on. */
const zeros = (from: number, count: number, period = 60) =>
  Array.from({ length: count }, (_, index) => point(from + index * period));

describe('a queue that is the proof itself', () => {
  const run = proving();
  // The first point that counts is later than two minutes after the jobs' end, the last is of minute 17.
  const whole = zeros(180, 15);
  const now = NOW + 18 * MINUTE;
  const damaged = (index: number, change: (each: Point) => Point[]) =>
    whole.flatMap((each, place) => (place === index ? change(each) : [each]));
  const anyPlace = fc.nat({ max: 14 });

  it('is proven empty by a whole window of zeros, from its first one on', () => {
    expect(drainedSince(run, whole, now)).toBe(NOW + 180 * SECOND);
  });

  it('is proven in whatever order the points come', () => {
    expect(drainedSince(run, [...whole].reverse(), now)).toBe(NOW + 180 * SECOND);
  });

  it('is proven by the newest window, whatever was before', () => {
    const before = [point(60, 100), point(120, 50)];
    expect(drainedSince(run, [...before, ...whole], now)).toBe(NOW + 180 * SECOND);
  });

  it('is not proven without points', () => {
    expect(drainedSince(run, [], now)).toBeUndefined();
  });

  it('is not proven while one is missing, wherever', () => {
    fc.assert(
      fc.property(anyPlace, (place) => {
        expect(
          drainedSince(
            run,
            damaged(place, () => []),
            now,
          ),
        ).toBeUndefined();
      }),
    );
  });

  it('is not proven where one older point stands for the one that is missing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 13 }), (place) => {
        const padded = [point(120), ...damaged(place, () => [])];
        expect(drainedSince(run, padded, now)).toBeUndefined();
      }),
    );
  });

  it.each([1, -1, 0.001, Number.NaN, Number.POSITIVE_INFINITY])(
    'is not proven while one is %d, wherever',
    (value) => {
      fc.assert(
        fc.property(anyPlace, (place) => {
          const points = damaged(place, ({ at }) => [{ at, value }]);
          expect(drainedSince(run, points, now)).toBeUndefined();
        }),
      );
    },
  );

  it('is not proven where one is of another second', () => {
    fc.assert(
      fc.property(anyPlace, (place) => {
        const points = damaged(place, ({ at }) => [{ at: at + 1, value: 0 }]);
        expect(drainedSince(run, points, now)).toBeUndefined();
      }),
    );
  });

  it('is not proven by a window that begins two minutes after the end of the jobs', () => {
    expect(drainedSince(run, zeros(120, 15), now)).toBeUndefined();
  });

  it('counts from the end of the jobs, not from that of an earlier export', () => {
    const again = { ...run, export: { requestedAt: later(61), tries: 1 } };
    expect(drainedSince(again, whole, now)).toBeUndefined();
  });

  it('counts from when the jobs were known to have ended, where that came later', () => {
    const ended = (second: number) => ({ ...run, jobsEndedAt: later(second) });
    expect([-60, 0, 59, 60].map((second) => drainedSince(ended(second), whole, now))).toEqual([
      ...[NOW + 180 * SECOND, NOW + 180 * SECOND, NOW + 180 * SECOND],
      undefined,
    ]);
  });

  it.each([
    ['is not proven by a window whose newest point is 3 minutes late', 241, undefined],
    ['is proven until then', 240, NOW + 180 * SECOND],
  ])('%s', (_title, secondsAfterNewest, since) => {
    const newest = whole.at(-1)?.at ?? 0;
    expect(drainedSince(run, whole, newest + secondsAfterNewest * SECOND)).toBe(since);
  });

  it.each([
    [60, 3, 3],
    [60, 180, 180],
    [300, 15, 3],
    [420, 15, 3],
  ])('with a period of %i s and %i minutes takes %i points', (period, minutes, count) => {
    const each = proving(period, minutes);
    const points = zeros(180, count, period);
    const end = (points.at(-1)?.at ?? 0) + period * SECOND;
    expect([drainedSince(each, points, end), drainedSince(each, points.slice(1), end)]).toEqual([
      NOW + 180 * SECOND,
      undefined,
    ]);
  });

  it('is not proven where something came in a minute that is not over', () => {
    expect(drainedSince(run, [...whole, point(1_080, 1)], now)).toBeUndefined();
  });

  it('is proven beside a minute that is not over, as long as it is a zero', () => {
    expect(drainedSince(run, [...whole, point(1_080)], now)).toBe(NOW + 180 * SECOND);
  });

  it('is not proven by a period that has only begun', () => {
    expect(drainedSince(proving(3600, 15), [point(180)], NOW + 190 * SECOND)).toBeUndefined();
  });

  it('is proven by nothing but such a window, whatever points there are', () => {
    const values = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 5, undefined), { maxLength: 40 });
    fc.assert(
      fc.property(values, fc.nat({ max: 40 }), (drawn, minute) => {
        const points = drawn.flatMap((value, index) =>
          value === undefined ? [] : [point(index * 60, value)],
        );
        const at = NOW + minute * MINUTE;
        const since = drainedSince(proving(60, 3), points, at);
        if (since === undefined) return;
        const over = drawn.slice(0, minute);
        const newest = over.findLastIndex((value) => value !== undefined);
        expect(since).toBe(NOW + (newest - 2) * MINUTE);
        expect(over.slice(newest - 2, newest + 1)).toEqual([0, 0, 0]);
        expect(newest - 2).toBeGreaterThan(2);
        expect(newest + 1).toBeGreaterThanOrEqual(minute - 3);
        expect(drawn.slice(minute).filter((value) => value !== undefined && value > 0)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the part of the metric that is read', () => {
  const shape = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 3, max: 180 }));

  it('has every point of a window that may be a proof, its newest one late or not', () => {
    fc.assert(
      fc.property(shape, fc.nat({ max: 180 }), ([minutes, span], lateSeconds) => {
        const period = minutes * 60;
        const run = proving(period, span);
        const points = zeros(180, Math.ceil(span / minutes), period);
        const now = (points.at(-1)?.at ?? 0) + (period + lateSeconds) * SECOND;
        const { from, to, periodSeconds } = queueWindow(run, now);
        const read = points.filter(({ at }) => at >= from && at < to);
        expect([periodSeconds, drainedSince(run, read, now)]).toEqual([period, points[0]?.at]);
      }),
    );
  });

  it('has the point of the period that has just begun', () => {
    expect(queueWindow(proving(), NOW).to).toBeGreaterThan(NOW);
  });
});

describe('the next look at a task', () => {
  const run = exporting('taskExport', { asked: { taskId: 'task-1', taskCreatedAt: later(0) } });
  const ahead = (second: number, progress?: Parameters<typeof taskLook>[2]) =>
    (taskLook(run, NOW + second * SECOND, progress) - NOW) / SECOND - second;

  it.each([
    ['10 seconds ahead at first', 0, undefined, 10],
    ['10 seconds ahead for the first minutes', 200, undefined, 10],
    ['a twentieth of its time ahead', 1_000, undefined, 50],
    ['at the pace of waitForDataRepositoryTaskSeconds at most', 100_000, undefined, 300],
    ['when its counts say that it ends', 100, { total: 300, done: 100 }, 200],
    ['no sooner than its counts are refreshed', 100, { total: 100, done: 99 }, 10],
    ['10 seconds ahead where all is done but the end', 100, { total: 100, done: 100 }, 10],
    ['a twentieth of its time ahead where nothing is done', 1_000, { total: 9, done: 0 }, 50],
  ])('is %s', (_title, second, progress, expected) => {
    expect(ahead(second, progress)).toBe(expected);
  });

  it('lies ahead, within the pace, whatever FSx counts', () => {
    const counts = fc.record({ total: fc.nat(), done: fc.nat() });
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), fc.option(counts), (second, progress) => {
        const seconds = ahead(second, progress ?? undefined);
        expect(seconds).toBeGreaterThan(9.9);
        expect(seconds).toBeLessThanOrEqual(300);
      }),
    );
  });
});
