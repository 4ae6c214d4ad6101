import fc from 'fast-check';
import {
  BATCH_STATUSES,
  batchJobName,
  commandOf,
  hasBegun,
  isActive,
  isOver,
  JobName,
  progressOf,
  referencesOf,
  runOfBatchJob,
} from '../../events';
import { job } from '../support/builders';

describe('the name of a Batch job', () => {
  it('says the run, the job and the submission', () => {
    expect(batchJobName('r1', 'main', 2)).toBe('ebbtide-r1_main_2');
  });

  it('leads back to the run', () => {
    const runId = fc.stringMatching(/^[a-z0-9-]{1,40}$/);
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,13}$/);
    fc.assert(
      fc.property(runId, name, fc.integer({ min: 1, max: 999 }), (id, main, submission) => {
        expect(runOfBatchJob(batchJobName(id, main, submission))).toBe(id);
      }),
    );
  });

  it('fits into the 128 characters of Batch at its longest', () => {
    const longest = batchJobName('r'.repeat(40), 'j'.repeat(14), 999);
    expect(longest.length).toBeLessThanOrEqual(128);
  });

  it.each(['event-test', 'ebbtide-r1', 'ebbtide-r1_main_x', `ebbtide-${'r'.repeat(41)}_main_1`])(
    'of a stranger leads nowhere: %s',
    (name) => {
      expect(runOfBatchJob(name)).toBeUndefined();
    },
  );
});

describe('a job of a run', () => {
  it.each(['main', 'a', '0', 'a-b', 'j'.repeat(14)])('may be called %s', (name) => {
    expect(JobName.safeParse(name).success).toBe(true);
  });

  it.each(['', '-a', 'Main', 'a_b', 'a.b', 'j'.repeat(15)])('may not be called %j', (name) => {
    expect(JobName.safeParse(name).success).toBe(false);
  });

  it.each([
    ['WAITING', false, false],
    ['REQUESTED', true, false],
    ['SUBMITTED', true, false],
    ['PENDING', true, false],
    ['RUNNABLE', true, false],
    ['STARTING', true, false],
    ['RUNNING', true, false],
    ['SUCCEEDED', false, true],
    ['FAILED', false, true],
  ] as const)('that is %s: active %s, over %s', (status, active, over) => {
    expect([isActive(job({ status })), isOver(job({ status }))]).toEqual([active, over]);
  });
});

describe('the progress of a submission', () => {
  it('only grows along a life with two interruptions', () => {
    const life = [
      ['WAITING', 0],
      ['SUBMITTED', 0],
      ['PENDING', 0],
      ['RUNNABLE', 0],
      ['STARTING', 1],
      ['RUNNING', 1],
      ['RUNNABLE', 1],
      ['STARTING', 2],
      ['RUNNING', 2],
      ['RUNNABLE', 2],
      ['RUNNING', 3],
      ['SUCCEEDED', 3],
    ] as const;
    const progress = life.map(([status, attempt]) => progressOf({ status, attempt }));
    expect(progress).toEqual([...new Set(progress)].sort((a, b) => a - b));
  });

  it.each(BATCH_STATUSES)(
    'is behind every word of Batch while it is only asked for: %s',
    (status) => {
      const requested = progressOf({ status: 'REQUESTED', attempt: 0 });
      expect(progressOf({ status, attempt: 1 })).toBeGreaterThan(requested);
    },
  );

  it.each(BATCH_STATUSES)('never grows past a job that failed: %s', (status) => {
    const failed = progressOf({ status: 'FAILED', attempt: 1 });
    expect(progressOf({ status, attempt: 9 })).toBeLessThanOrEqual(failed);
  });
});

describe('the progress of an array', () => {
  const at = (over: number, arraySize = 10_000) =>
    progressOf({ status: 'PENDING', attempt: 0, arraySize, counts: { SUCCEEDED: over } });

  it('is a dozen steps long, however many tasks it has', () => {
    const steps = Array.from({ length: 10_001 }, (_, over) => at(over));
    expect(new Set(steps).size).toBe(12);
  });

  it('never goes back', () => {
    const steps = Array.from({ length: 10_001 }, (_, over) => at(over));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it('is a step for every task of a small one', () => {
    expect(new Set([0, 1, 2].map((over) => at(over, 2))).size).toBe(3);
  });

  it('is a step when its first task begins, and none for the other 9,999', () => {
    const waiting = { status: 'PENDING', attempt: 0, arraySize: 10_000 } as const;
    const steps = Array.from({ length: 10_001 }, (_, running) =>
      progressOf({ ...waiting, counts: { RUNNABLE: 10_000 - running, RUNNING: running } }),
    );
    expect([steps[0], new Set(steps).size]).toEqual([at(0), 2]);
    expect(steps[1]).toBeGreaterThan(steps[0] ?? 0);
  });

  it('is the same whether the rest of its tasks runs or waits for a host again', () => {
    const waiting = { status: 'PENDING', attempt: 0, arraySize: 10 } as const;
    const tenth = progressOf({ ...waiting, counts: { RUNNABLE: 9, SUCCEEDED: 1 } });
    expect(tenth).toBe(progressOf({ ...waiting, counts: { RUNNING: 9, SUCCEEDED: 1 } }));
  });

  it('counts those that failed, too', () => {
    const failed = { status: 'PENDING', attempt: 0, arraySize: 10, counts: { FAILED: 1 } } as const;
    expect(progressOf(failed)).toBe(at(1, 10));
  });

  it('is nothing yet where Batch says nothing of its tasks', () => {
    expect(progressOf({ status: 'PENDING', attempt: 0, arraySize: 3 })).toBe(at(0, 3));
  });

  it('is ahead of its submission', () => {
    expect(at(0)).toBeGreaterThan(progressOf({ status: 'SUBMITTED', attempt: 0, arraySize: 3 }));
  });
});

describe('an array', () => {
  it.each([
    [undefined, false],
    [{}, false],
    [{ SUBMITTED: 1, PENDING: 2, RUNNABLE: 3 }, false],
    [{ RUNNABLE: 3, STARTING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0 }, false],
    [{ RUNNABLE: 2, STARTING: 1 }, true],
    [{ RUNNABLE: 2, RUNNING: 1 }, true],
    [{ RUNNABLE: 2, SUCCEEDED: 1 }, true],
    [{ RUNNABLE: 2, FAILED: 1 }, true],
  ])('of which the tasks are %j has begun: %s', (counts, expected) => {
    expect(hasBegun(counts)).toBe(expected);
  });
});

describe('the command of a job', () => {
  const parameters = { in: 's3://in', k: '31', again: 'Ref::k', money: '$& $1' };
  it.each([
    ['a whole argument', 'Ref::in', 's3://in'],
    ['the inside of one', '--kmer=Ref::k', '--kmer=31'],
    ['several in one', 'Ref::in/Ref::k.txt', 's3://in/31.txt'],
    ['the rest of an argument as it stands', 'Ref::k-mers', '31-mers'],
    ['a name that nobody has as it stands', 'Ref::stranger', 'Ref::stranger'],
    ['a name that every object has as it stands', 'Ref::constructor', 'Ref::constructor'],
    ['the end of another word as it stands', 'SmartRef::k', 'SmartRef::k'],
    ['a value without looking at it again', 'Ref::again', 'Ref::k'],
    ['a value with signs that mean something to others', 'Ref::money', '$& $1'],
  ])('has its parameters in place: %s', (_what, argument, expected) => {
    expect(commandOf({ command: ['run', argument], parameters })).toEqual(['run', expected]);
  });

  it('is the image’s own where there is none', () => {
    expect(commandOf({})).toBeUndefined();
  });

  it('refers to each of its parameters once', () => {
    expect(referencesOf(['Ref::a', '-Ref::b', 'Ref::a', 'xRef::c'])).toEqual(['a', 'b']);
  });
});
