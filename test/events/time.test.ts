import fc from 'fast-check';
import {
  ACTIVE_STATUSES,
  deadlineOf,
  defaultsOf,
  type Export,
  isDoubtful,
  isLast,
  isSettled,
  type Job,
  LAST_STATUSES,
  lookBy,
  nextLook,
  type Run,
  type RunParameters,
} from '../../events';
import { job, lustreRun, run } from '../support/builders';
import { walks } from './walks';

const NOON = '2026-01-01T12:00:00.000Z';
const NOON_MS = Date.parse(NOON);
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

/** How long after noon, in minutes. */
const minutesOf = (each: Run) => (deadlineOf(each) - NOON_MS) / MINUTE;
const hoursBefore = (hours: number) => new Date(NOON_MS - hours * HOUR).toISOString();

describe('the deadline of a run', () => {
  it.each([
    ['provisioning', 60],
    ['ready', 10],
    ['exporting', 6 * 60],
    ['releasing', 60],
  ] as const)('that is %s lies %i minutes after it entered the status', (status, minutes) => {
    expect(minutesOf(run({ status, since: NOON, acceptedAt: hoursBefore(9) }))).toBe(minutes);
  });

  it('that waits for room is counted from its acceptance, however often it was refused', () => {
    const queued = run({ status: 'queued', since: NOON, acceptedAt: hoursBefore(20) });
    expect(minutesOf(queued)).toBe(4 * 60);
  });

  it('whose input is imported lies three hours after its storage was requested', () => {
    const parameters = { ...defaultsOf('taskExport'), inputRepositoryPath: 's3://bucket/in' };
    const importing = lustreRun({ since: NOON, parameters });
    expect(minutesOf(importing)).toBe(3 * 60);
  });

  it('that is retained is the end of its retention', () => {
    const retainUntil = '2026-01-02T12:00:00.000Z';
    expect(minutesOf(run({ status: 'retained', since: NOON, retainUntil }))).toBe(24 * 60);
  });

  it.each(LAST_STATUSES)('that is %s never comes', (status) => {
    expect(deadlineOf(run({ status }))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the deadline of a running run', () => {
  const running = (jobs: Partial<Job>[], changes: Partial<Run> = {}) =>
    run({
      status: 'running',
      since: hoursBefore(10),
      jobs: Object.fromEntries(jobs.map((each) => [each.name ?? 'main', job(each)])),
      ...changes,
    });

  it.each(['SUBMITTED', 'PENDING', 'RUNNABLE'] as const)(
    'lies 24 hours after the last change where its job is %s',
    (status) => {
      expect(minutesOf(running([{ status, since: NOON }]))).toBe(24 * 60);
    },
  );

  it('counts the change of any job', () => {
    const jobs = [
      { name: 'a', status: 'SUCCEEDED', since: NOON },
      { name: 'b', status: 'RUNNABLE', since: hoursBefore(5) },
    ] as const;
    expect(minutesOf(running([...jobs]))).toBe(24 * 60);
  });

  it('counts from its own beginning where that is later than every change', () => {
    const late = running([{ status: 'RUNNABLE', since: hoursBefore(5) }], { since: NOON });
    expect(minutesOf(late)).toBe(24 * 60);
  });

  it.each(['STARTING', 'RUNNING'] as const)(
    'waits for its longest time while a job without a limit is %s',
    (status) => {
      expect(minutesOf(running([{ status, since: NOON }]))).toBe((336 - 10) * 60);
    },
  );

  it('lies 15 minutes beyond the limit of the job that runs', () => {
    const limited = { status: 'RUNNING', since: NOON, timeoutSeconds: 3_600 } as const;
    expect(minutesOf(running([limited]))).toBe(75);
  });

  it('does not count the limit of a job that does not run yet', () => {
    const limited = { status: 'RUNNABLE', since: NOON, timeoutSeconds: 60 } as const;
    expect(minutesOf(running([limited]))).toBe(24 * 60);
  });

  it('waits for its longest time while an array runs: Batch shows its parent as PENDING', () => {
    const parent = { status: 'PENDING', arraySize: 100, since: NOON } as const;
    expect(minutesOf(running([parent]))).toBe((336 - 10) * 60);
  });

  it.each([
    ['has no counts', undefined],
    ['has a task running', { RUNNABLE: 1, RUNNING: 1 }],
    ['has a task starting', { RUNNABLE: 1, STARTING: 1 }],
    ['has a task over, and none running', { RUNNABLE: 1, SUCCEEDED: 1 }],
    ['has a task failed, and none running', { RUNNABLE: 1, FAILED: 1 }],
  ])('does not count the limit of an array, which is that of each task: it %s', (_, counts) => {
    const parent = { status: 'PENDING', arraySize: 2, since: NOON, counts } as const;
    expect(minutesOf(running([{ ...parent, timeoutSeconds: 60 }]))).toBe((336 - 10) * 60);
  });

  it.each(['STARTING', 'RUNNING'] as const)(
    'does not count the limit of an array that Batch shows as %s, either',
    (status) => {
      const parent = { status, arraySize: 2, since: NOON, timeoutSeconds: 60 };
      expect(minutesOf(running([parent]))).toBe((336 - 10) * 60);
    },
  );

  it.each([{ RUNNABLE: 2 }, { SUBMITTED: 1, PENDING: 1 }, {}])(
    'lies 24 hours after the last change of an array of which no task has begun: %j',
    (counts) => {
      const parent = { status: 'PENDING', arraySize: 2, since: NOON, counts } as const;
      expect(minutesOf(running([parent]))).toBe(24 * 60);
    },
  );

  it('is that of another job beside an array', () => {
    const jobs = [
      { name: 'a', status: 'PENDING', arraySize: 2, since: NOON, timeoutSeconds: 60 },
      { name: 'b', status: 'RUNNING', since: NOON, timeoutSeconds: 600 },
    ] as const;
    expect(minutesOf(running([...jobs]))).toBe(25);
  });

  it('lies 30 minutes after a submission was asked for that nobody has answered', () => {
    expect(minutesOf(running([{ status: 'REQUESTED', since: NOON }]))).toBe(30);
  });

  it('counts a submission from when it was asked for, however late it was doubted', () => {
    const since = new Date(NOON_MS - 20 * MINUTE).toISOString();
    const doubted = { status: 'REQUESTED', since, doubtedAt: NOON } as const;
    expect(minutesOf(running([doubted]))).toBe(10);
  });

  it.each([
    ['runs', { status: 'RUNNING' }, (336 - 10) * 60],
    ['starts', { status: 'STARTING' }, (336 - 10) * 60],
    ['runs within a limit', { status: 'RUNNING', timeoutSeconds: 7_200 }, 135],
    ['is an array that has begun', { status: 'PENDING', arraySize: 2 }, (336 - 10) * 60],
  ] as const)('does not count a submission beside a job that %s', (_what, other, minutes) => {
    const jobs = [
      { name: 'a', since: NOON, ...other },
      { name: 'b', status: 'REQUESTED', since: NOON },
    ] as const;
    expect(minutesOf(running([...jobs]))).toBe(minutes);
  });

  it.each(['SUBMITTED', 'RUNNABLE', 'SUCCEEDED', 'WAITING'] as const)(
    'is that of the submission beside a job that is %s',
    (status) => {
      const jobs = [
        { name: 'a', status, since: NOON },
        { name: 'b', status: 'REQUESTED', since: NOON },
      ] as const;
      expect(minutesOf(running([...jobs]))).toBe(30);
    },
  );

  it('is that of the tightest of several jobs', () => {
    const jobs = [
      { name: 'a', status: 'RUNNING', since: NOON, timeoutSeconds: 7_200 },
      { name: 'b', status: 'RUNNING', since: NOON, timeoutSeconds: 600 },
    ] as const;
    expect(minutesOf(running([...jobs]))).toBe(25);
  });

  it('never lies beyond the hours that a run may take', () => {
    const parameters = { ...defaultsOf('onlyEBS'), maxRunHours: 12 };
    expect(minutesOf(running([{ status: 'RUNNABLE', since: NOON }], { parameters }))).toBe(120);
  });

  it('lies 30 minutes after it was told to stop, whatever its jobs do', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'x' }, at: NOON } as const;
    const jobs = [{ status: 'RUNNING', since: NOON, timeoutSeconds: 60 } as const];
    expect(minutesOf(running(jobs, { stop }))).toBe(30);
  });
});

describe('the next look', () => {
  const secondsAhead = (each: Run, now = NOON_MS) => (nextLook(each, now) - now) / SECOND;

  it('at a run that has just asked for its volume is 3 seconds ahead', () => {
    expect(secondsAhead(run({ since: NOON }))).toBe(3);
  });

  it('is 3 seconds ahead for 20 seconds', () => {
    const each = run({ since: NOON });
    const now = NOON_MS + 19_999;
    expect(secondsAhead(each, now)).toBe(3);
  });

  it('then goes at the pace of waitForEbsCreationSeconds', () => {
    const parameters = { ...defaultsOf('onlyEBS'), waitForEbsCreationSeconds: 45 };
    expect(secondsAhead(run({ since: NOON, parameters }), NOON_MS + 20_000)).toBe(45);
  });

  it('at a volume that begins to go is 2 seconds ahead', () => {
    expect(secondsAhead(run({ status: 'releasing', since: NOON }))).toBe(2);
  });

  it('then goes at the pace of waitAfterDetachSeconds', () => {
    const parameters = { ...defaultsOf('onlyEBS'), waitAfterDetachSeconds: 11 };
    const going = run({ status: 'releasing', since: NOON, parameters });
    expect(secondsAhead(going, NOON_MS + 20_000)).toBe(11);
  });

  it('at a run that waits for room comes when it may ask again', () => {
    const storage = { ...run().storage, retryAt: '2026-01-01T12:04:00.000Z' };
    expect(secondsAhead(run({ status: 'queued', acceptedAt: NOON, storage }))).toBe(240);
  });

  it('comes a second from now where its time has passed', () => {
    const storage = { ...run().storage, retryAt: '2026-01-01T11:00:00.000Z' };
    expect(secondsAhead(run({ status: 'queued', acceptedAt: NOON, storage }))).toBe(1);
  });

  it('does not wait for room beyond the deadline', () => {
    const storage = { ...run().storage, retryAt: '2027-01-01T00:00:00.000Z' };
    const queued = run({ status: 'queued', acceptedAt: NOON, storage });
    expect(nextLook(queued, NOON_MS)).toBe(deadlineOf(queued));
  });

  it('at a volume that is still going after the deadline keeps its pace', () => {
    const going = run({ status: 'releasing', since: NOON, overdue: 'releasing' });
    expect(secondsAhead(going, NOON_MS + 2 * HOUR)).toBe(10);
  });

  it('at a run that can be submitted is half a minute ahead', () => {
    expect(secondsAhead(run({ status: 'ready', since: NOON }))).toBe(30);
  });

  it('at a retained run is the end of its retention', () => {
    const retainUntil = '2026-01-01T13:00:00.000Z';
    expect(secondsAhead(run({ status: 'retained', retainUntil }))).toBe(3_600);
  });

  it('at a running run is its deadline: the sweep watches the jobs', () => {
    const main = job({ status: 'RUNNING', submission: 1, since: NOON });
    const running = run({ status: 'running', since: NOON, jobs: { main } });
    expect(nextLook(running, NOON_MS)).toBe(deadlineOf(running));
  });

  const lostHost = 'Host EC2 (instance i-1) terminated.';
  it.each<[string, Partial<Job>]>([
    ['waits for nothing', {}],
    [
      'may go on after its attempts',
      { status: 'FAILED', submission: 1, attempt: 5, ran: true, statusReason: lostHost },
    ],
  ])(
    'at a run with a job that %s is half a minute ahead: who submits it was not woken',
    (_what, changes) => {
      const jobs = { main: job({ since: NOON, ...changes }) };
      expect(secondsAhead(run({ status: 'running', since: NOON, jobs }))).toBe(30);
    },
  );

  it('at a run whose jobs wait for one that runs is its deadline', () => {
    const a = job({ name: 'a', status: 'RUNNING', submission: 1, since: NOON });
    const b = job({ name: 'b', dependsOn: ['a'], since: NOON });
    const running = run({ status: 'running', since: NOON, jobs: { a, b } });
    expect(nextLook(running, NOON_MS)).toBe(deadlineOf(running));
  });

  it('at a run of which a job is missed is half a minute ahead, until it counts as failed', () => {
    const missed = (status: Job['status']) => {
      const main = job({ status, submission: 1, ran: true, exitCode: 1, missedAt: NOON });
      return run({ status: 'running', since: NOON, jobs: { main } });
    };
    expect(secondsAhead(missed('RUNNING'))).toBe(30);
    expect(nextLook(missed('FAILED'), NOON_MS)).toBe(deadlineOf(missed('FAILED')));
  });

  it.each([
    [0, 10],
    [200 * SECOND, 10],
    [220 * SECOND, 11],
    [40 * MINUTE, 120],
  ])('while a job may be alive grows with the age of the status: %i ms', (age, seconds) => {
    const retainUntil = '2026-01-05T12:00:00.000Z';
    const jobs = [
      job({ status: 'RUNNING', submission: 1 }),
      job({ status: 'SUCCEEDED', submission: 2 }),
      job({ status: 'FAILED', submission: 1, missedAt: NOON }),
    ];
    for (const main of jobs) {
      for (const build of [run, lustreRun]) {
        for (const status of ['retained', 'releasing', 'exporting'] as const) {
          const each = build({ status, since: NOON, retainUntil, jobs: { main } });
          expect(secondsAhead(each, NOON_MS + age)).toBe(seconds);
        }
      }
    }
  });

  it.each([300, 301, 4_000])(
    'while a job may be alive is a quarter of an hour ahead at most, after %i minutes',
    (minutes) => {
      const retainUntil = '2026-01-05T12:00:00.000Z';
      const jobs = { main: job({ status: 'RUNNING', submission: 1 }) };
      for (const status of ['retained', 'releasing'] as const) {
        const each = run({ status, since: NOON, retainUntil, jobs });
        expect(secondsAhead(each, NOON_MS + minutes * MINUTE)).toBe(900);
      }
    },
  );

  it('at a retained run of which no job is alive any more is the end of its retention', () => {
    const main = job({ status: 'FAILED', submission: 2 });
    const retainUntil = '2026-01-01T13:00:00.000Z';
    const ended = { jobs: { main }, jobsEndedAt: NOON };
    expect(secondsAhead(run({ status: 'retained', since: NOON, retainUntil, ...ended }))).toBe(
      3_600,
    );
  });

  it('at a retained run goes on until the end of its jobs is known', () => {
    const main = job({ status: 'RUNNING', submission: 1 });
    const retainUntil = '2026-01-01T13:00:00.000Z';
    const ended = { jobs: { main }, jobsEndedAt: NOON };
    expect(secondsAhead(run({ status: 'retained', since: NOON, retainUntil, ...ended }))).toBe(10);
  });

  it('at storage that goes has its own pace once no job is alive any more', () => {
    const main = job({ status: 'RUNNING', submission: 2 });
    const ended = { status: 'releasing', jobs: { main }, jobsEndedAt: NOON } as const;
    expect(secondsAhead(run({ since: NOON, ...ended }))).toBe(2);
  });

  const requested = (...jobs: readonly Partial<Job>[]) =>
    run({
      status: 'running',
      since: NOON,
      jobs: Object.fromEntries(
        jobs.map((each, index) => {
          const name = `j${index}`;
          return [name, job({ name, status: 'REQUESTED', submission: 1, since: NOON, ...each })];
        }),
      ),
    });

  it.each([0, 1, 500])('for a submission under way is half a minute ahead, %i s on', (second) => {
    expect(secondsAhead(requested({}), NOON_MS + second * SECOND)).toBe(30);
  });

  it('for a submission under way is half a minute ahead beside a job that runs', () => {
    expect(secondsAhead(requested({ status: 'RUNNING' }, {}))).toBe(30);
  });

  it('for a submission under way is at the deadline where that comes first', () => {
    const each = requested({});
    expect(nextLook(each, NOON_MS + 30 * MINUTE - 5 * SECOND)).toBe(deadlineOf(each));
  });

  it.each(['RUNNING', 'SUBMITTED', 'REQUESTED'] as const)(
    'at a run whose jobs are told to stop is half a minute ahead: %s',
    (status) => {
      const stop = { verdict: { kind: 'cancelled', reason: 'x' }, at: NOON } as const;
      expect(secondsAhead({ ...requested({ status }), stop }, NOON_MS + MINUTE)).toBe(30);
    },
  );

  it('for a job in doubt is 15 and 30 s after the doubt, then each half minute or at 60 and 120', () => {
    const doubted = requested({ doubtedAt: NOON });
    const looks = [0, 15, 30, 45, 60, 100, 120].map((second) =>
      nextLook(doubted, NOON_MS + second * SECOND),
    );
    expect(looks.map((look) => (look - NOON_MS) / SECOND)).toEqual([15, 30, 60, 60, 90, 120, 150]);
  });

  it('is for the job whose turn comes first', () => {
    const before = new Date(NOON_MS - 20 * SECOND).toISOString();
    expect(secondsAhead(requested({ doubtedAt: NOON }, { doubtedAt: before }))).toBe(10);
  });

  it('lies ahead, and not beyond the deadline, while that is ahead', () => {
    const since = fc.integer({ min: 0, max: 7 * 24 * HOUR });
    fc.assert(
      fc.property(walks, since, ({ runs }, afterMs) => {
        for (const each of runs) {
          const now = Date.parse(each.since) + afterMs;
          const deadline = deadlineOf(each);
          if (now >= deadline) continue;
          expect(nextLook(each, now)).toBeGreaterThan(now);
          expect(nextLook(each, now)).toBeLessThanOrEqual(deadline);
        }
      }),
    );
  });

  it('lies ahead when the deadline has passed', () => {
    const late = fc.integer({ min: 0, max: 7 * 24 * HOUR });
    fc.assert(
      fc.property(walks, late, ({ runs }, afterMs) => {
        for (const each of runs.filter(({ status }) => !isLast(status))) {
          const now = deadlineOf(each) + afterMs;
          expect(nextLook(each, now)).toBeGreaterThan(now);
        }
      }),
    );
  });

  it.each(ACTIVE_STATUSES)(
    'at a run that is %s has a date when the deadline has passed',
    (status) => {
      const each = run({ status, since: NOON, acceptedAt: NOON, retainUntil: NOON });
      expect(nextLook(each, deadlineOf(each) + HOUR)).toBeLessThan(Number.POSITIVE_INFINITY);
    },
  );

  it.each(ACTIVE_STATUSES)('at a run that is %s has a date', (status) => {
    const retainUntil = '2026-01-01T13:00:00.000Z';
    const each = run({ status, since: NOON, acceptedAt: NOON, retainUntil });
    expect(new Date(nextLook(each, NOON_MS)).getTime()).toBeGreaterThan(NOON_MS);
  });
});

describe('a look at a given time', () => {
  // An hour for storage to be made: its deadline is at one o'clock.
  const each = run({ status: 'provisioning', since: NOON });

  it.each([
    ['is at that time before the deadline', 10, 0, 10],
    ['is at the deadline where that comes first', 90, 0, 60],
    ['is at that time once the deadline is there', 90, 60, 90],
    ['is at that time once the deadline has passed', 90, 80, 90],
  ])('%s', (_title, atMinute, nowMinute, minute) => {
    const look = lookBy(each, NOON_MS + atMinute * MINUTE, NOON_MS + nowMinute * MINUTE);
    expect((look - NOON_MS) / MINUTE).toBe(minute);
  });
});

describe('a job whose submission was answered by silence', () => {
  it.each([0, 1, 119])('is in doubt %i seconds later', (seconds) => {
    expect(isDoubtful(job({ doubtedAt: NOON }), NOON_MS + seconds * SECOND)).toBe(true);
  });

  it.each([120, 121])('is believed missing %i seconds later', (seconds) => {
    expect(isDoubtful(job({ doubtedAt: NOON }), NOON_MS + seconds * SECOND)).toBe(false);
  });

  it('is the only one in doubt', () => {
    expect(isDoubtful(job(), NOON_MS)).toBe(false);
  });
});

describe('a submission that nobody makes any more', () => {
  const ago = (seconds: number) => new Date(NOON_MS - seconds * SECOND).toISOString();
  const settledAt = (changes: Partial<Job>, stoppedAt = ago(2_000)) =>
    isSettled(job({ status: 'REQUESTED', submission: 1, ...changes }), stoppedAt, NOON_MS);

  it.each([
    [120, true],
    [121, true],
    [119, false],
    [0, false],
  ])('would have been seen %i seconds after it was asked for: %s', (seconds, expected) => {
    expect(settledAt({ since: ago(seconds) })).toBe(expected);
  });

  it.each([
    [120, true],
    [119, false],
  ])('would have been seen %i seconds after it was doubted: %s', (seconds, expected) => {
    expect(settledAt({ since: ago(1_000), doubtedAt: ago(seconds) })).toBe(expected);
  });

  it.each([
    [120, true],
    [119, false],
    [0, false],
  ])('would have been seen %i seconds after its run was to stop: %s', (seconds, expected) => {
    const changes = { since: ago(1_000), doubtedAt: ago(900) };
    expect(settledAt(changes, ago(seconds))).toBe(expected);
  });

  it('counts from its own beginning where an earlier one was doubted', () => {
    expect(settledAt({ since: ago(10), doubtedAt: ago(1_000) })).toBe(false);
  });
});

describe('the deadline of a file system that is made', () => {
  const made = (parameters: RunParameters) =>
    lustreRun({ since: NOON, parameters: { ...defaultsOf('taskExport'), ...parameters } });

  it('lies an hour after it was asked for', () => {
    expect(minutesOf(made({}))).toBe(60);
  });

  it.each(['inputRepositoryPath', 'dataRepositoryPath'] as const)(
    'lies three hours after it was asked for where its import is awaited: %s',
    (name) => {
      expect(minutesOf(made({ [name]: 's3://bucket/data' }))).toBe(3 * 60);
    },
  );
});

describe('the next look at a file system', () => {
  const { storage } = lustreRun();
  const secondsAhead = (each: Run, minutes: number) =>
    (nextLook(each, NOON_MS + minutes * MINUTE) - NOON_MS) / SECOND - minutes * 60;
  const made = (waitForLustreCreationSeconds = 30, changes: Partial<Run> = {}) =>
    lustreRun({
      since: NOON,
      storage: { ...storage, requestedAt: NOON },
      parameters: { ...defaultsOf('taskExport'), waitForLustreCreationSeconds },
      ...changes,
    });

  it.each([
    [0, 30],
    [2.99, 30],
    [3, 10],
    [14.99, 10],
    [15, 30],
    [50, 30],
  ])('that was asked for %d minutes ago is %i seconds ahead', (minutes, seconds) => {
    expect(secondsAhead(made(), minutes)).toBeCloseTo(seconds);
  });

  it.each([0, 5, 20])('is never slower than the parameter says: 7 s at %i minutes', (minutes) => {
    expect(secondsAhead(made(7), minutes)).toBe(7);
  });

  it('counts from when it was asked for, not from the last try before it', () => {
    const anew = { ...storage, requestedAt: new Date(NOON_MS + 30 * MINUTE).toISOString() };
    expect(secondsAhead(made(30, { storage: anew }), 30)).toBe(30);
  });

  it.each([
    [0, 10],
    [14.99, 10],
    [15, 30],
    [59, 30],
  ])('that goes since %d minutes is %i seconds ahead', (minutes, seconds) => {
    expect(secondsAhead(made(30, { status: 'releasing' }), minutes)).toBeCloseTo(seconds);
  });

  it('that goes is never slower than the parameter says', () => {
    expect(secondsAhead(made(4, { status: 'releasing' }), 1)).toBe(4);
  });

  it('that failed for want of room is half a minute ahead until it is gone', () => {
    const failed = { ...storage, id: 'fs-1', retryAt: '2026-01-01T12:15:00.000Z' };
    const queued = made(30, { status: 'queued', acceptedAt: NOON, storage: failed });
    expect(secondsAhead(queued, 0)).toBe(30);
  });

  it('that failed for want of room is when another may be asked for, once it is gone', () => {
    const gone = { ...storage, retryAt: '2026-01-01T12:15:00.000Z' };
    expect(secondsAhead(made(30, { status: 'queued', acceptedAt: NOON, storage: gone }), 0)).toBe(
      900,
    );
  });
});

describe('the next look at an export', () => {
  const { storage } = lustreRun();
  const exporting = (
    mode: 'taskExport' | 'autoExport',
    asked: Partial<Export> = {},
    autoExportOffAt?: string,
  ) =>
    lustreRun({
      ...{ mode, status: 'exporting', since: NOON, parameters: defaultsOf(mode) },
      storage: { ...storage, autoExportOffAt },
      export: { requestedAt: NOON, tries: 1, ...asked },
    });
  const secondsAhead = (each: Run, second: number) =>
    (nextLook(each, NOON_MS + second * SECOND) - NOON_MS) / SECOND - second;
  const drained = { drainedAt: NOON };

  it.each([
    [0, 120],
    [90, 30],
    [120, 20],
    [1_000, 20],
  ])(
    'at the queue %i s after the jobs is %i s ahead: no point counts before two minutes',
    (second, seconds) => {
      expect(secondsAhead(exporting('autoExport'), second)).toBe(seconds);
    },
  );

  it('at the queue is never slower than waitForCheckMetricsSeconds', () => {
    const each = exporting('autoExport');
    const parameters = { ...each.parameters, waitForCheckMetricsSeconds: 5 };
    expect(secondsAhead({ ...each, parameters }, 1_000)).toBe(5);
  });

  it.each([
    [
      'at auto-export that is being switched off is 10 s ahead',
      'autoExport',
      drained,
      undefined,
      10,
    ],
    ['for its task is half a minute ahead', 'taskExport', {}, undefined, 30],
    ['for its task is half a minute ahead', 'autoExport', drained, NOON, 30],
    [
      'at its task is 10 s ahead at first',
      'taskExport',
      { taskId: 't', taskCreatedAt: NOON },
      undefined,
      10,
    ],
  ] as const)('%s: %s', (_title, mode, asked, offAt, seconds) => {
    expect(secondsAhead(exporting(mode, asked, offAt), 0)).toBe(seconds);
  });

  it('comes when the pause after a failure is over', () => {
    const retryAt = '2026-01-01T12:05:00.000Z';
    expect(secondsAhead(exporting('taskExport', { tries: 2, retryAt }), 10)).toBe(290);
  });

  it('does not lie beyond the deadline', () => {
    const each = exporting('autoExport');
    expect(nextLook(each, deadlineOf(each) - 5 * SECOND)).toBe(deadlineOf(each));
  });
});
