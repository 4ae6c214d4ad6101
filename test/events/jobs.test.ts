import fc from 'fast-check';
import {
  BATCH_STATUSES,
  batchJobName,
  isActive,
  isOver,
  JobName,
  progressOf,
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
