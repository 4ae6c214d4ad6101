import { type Run, STATUSES } from '../../events';
import type { SeenAttempt } from '../../handlers';
import { observeJob } from '../../handlers/observe-job';
import { job, later, NOW } from '../support/builders';
import { probe, requestedJob, runIn, runningJob, seenJob, submittedJob } from './world';

const FIVE_MINUTES = 300_000;
const running = runIn('running');
const others = STATUSES.filter((status) => status !== 'running');
const exited = (exitCode: number): SeenAttempt => ({
  started: true,
  exitCode,
  statusReason: 'Essential container in task exited',
  logStream: 'main/1',
});
const withJobs = (jobs: Run['jobs'], overrides: Partial<Run> = {}) =>
  runIn('running', { jobs, ...overrides });
const types = (answer: ReturnType<NonNullable<typeof observeJob.judge>> | undefined) =>
  answer?.kind === 'conclude' ? answer.drafts.map(({ type }) => type) : answer;

describe('observe-job decides', () => {
  it('looks at all jobs that Batch has and has not finished', () => {
    const jobs = {
      a: submittedJob({ name: 'a', status: 'SUCCEEDED', jobId: 'job-a' }),
      b: runningJob({ name: 'b', jobId: 'job-b' }),
      c: submittedJob({ name: 'c', jobId: 'job-c' }),
      d: job({ name: 'd' }),
      e: requestedJob({ name: 'e' }),
    };
    expect(observeJob.decide(withJobs(jobs), probe, NOW)).toEqual({
      kind: 'look',
      target: ['job-b', 'job-c'],
    });
  });

  it('draws the conclusion of jobs that are over: it may have got lost', () => {
    const jobs = { main: submittedJob({ status: 'SUCCEEDED' }) };
    expect(observeJob.decide(withJobs(jobs), probe, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'ReleaseStarted', data: { verdict: { kind: 'succeeded' } } }],
    });
  });

  it('concludes nothing while a job waits to be submitted', () => {
    expect(observeJob.decide(withJobs({ main: job() }), probe, NOW)).toEqual({
      kind: 'conclude',
      drafts: [],
    });
  });

  it.each([
    ['goes on', {}],
    [
      'is to stop',
      { stop: { verdict: { kind: 'cancelled', reason: 'x' }, at: later(0) } as const },
    ],
  ])('concludes nothing while Batch may have a job, in a run that %s', (_what, overrides) => {
    const jobs = { main: requestedJob({ ran: true }) };
    expect(observeJob.decide(withJobs(jobs, overrides), probe, NOW)).toEqual({
      kind: 'conclude',
      drafts: [],
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(observeJob.decide(runIn(status), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('observe-job judges', () => {
  it('an attempt that began to be news', () => {
    const before = withJobs({ main: submittedJob() });
    expect(observeJob.judge?.([seenJob()], before, NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'BatchJobStateChange',
          data: {
            job: 'main',
            jobId: 'job-1',
            submission: 1,
            status: 'RUNNING',
            attempt: 1,
            ran: true,
            statusReason: undefined,
            exitCode: undefined,
            logStream: undefined,
          },
        },
      ],
    });
  });

  it('a job that waits for a host as one that never ran', () => {
    const before = withJobs({ main: submittedJob() });
    expect(observeJob.judge?.([seenJob({ status: 'RUNNABLE' })], before, NOW)).toMatchObject({
      drafts: [{ data: { status: 'RUNNABLE', attempt: 0, ran: false } }],
    });
  });

  it.each([
    ['what it knows', 'RUNNING'],
    ['what was before that', 'STARTING'],
    ['what was long before that', 'RUNNABLE'],
  ] as const)('%s to be nothing new', (_what, status) => {
    expect(observeJob.judge?.([seenJob({ status })], running, NOW)).toEqual({
      kind: 'ignore',
      reason: 'nothing new',
    });
  });

  it.each(['RUNNING', 'STARTING', 'RUNNABLE'] as const)(
    'a stopping run whose job shows nothing new to be looked at again half a minute later: %s',
    (status) => {
      const stop = { verdict: { kind: 'cancelled', reason: 'enough' } as const, at: later(0) };
      const before = runIn('running', { stop });
      expect(observeJob.judge?.([seenJob({ status })], before, NOW + 1000)).toEqual({
        kind: 'again',
        at: NOW + 31_000,
      });
    },
  );

  it('the deadline of a stopping run to be its last look', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'enough' } as const, at: later(0) };
    const now = NOW + 30 * 60_000 - 5000;
    expect(observeJob.judge?.([seenJob()], runIn('running', { stop }), now)).toEqual({
      kind: 'again',
      at: NOW + 30 * 60_000,
    });
  });

  it('a second attempt in the same status to be news', () => {
    const again = seenJob({ attempts: [exited(143)] });
    expect(observeJob.judge?.([again], running, NOW)).toMatchObject({
      drafts: [{ data: { status: 'RUNNING', attempt: 2 } }],
    });
  });

  it('an interrupted attempt with the words of both its reasons', () => {
    const lost = { started: true, statusReason: 'Host EC2 (instance i-1) terminated.' };
    const before = withJobs({ main: runningJob() });
    const seen = seenJob({
      status: 'RUNNABLE',
      attempts: [{ ...lost, reason: 'CannotInspectContainerError', logStream: 'main/1' }],
    });
    expect(observeJob.judge?.([seen], before, NOW)).toMatchObject({
      drafts: [
        {
          data: {
            statusReason: 'CannotInspectContainerError; Host EC2 (instance i-1) terminated.',
            exitCode: undefined,
            logStream: 'main/1',
          },
        },
      ],
    });
  });

  it('a success to lead to the release of the volume', () => {
    const seen = seenJob({ status: 'SUCCEEDED', attempts: [exited(0)] });
    expect(observeJob.judge?.([seen], running, NOW)).toMatchObject({
      drafts: [
        { type: 'BatchJobStateChange', data: { status: 'SUCCEEDED', exitCode: 0 } },
        { type: 'ReleaseStarted', data: { verdict: { kind: 'succeeded' } } },
      ],
    });
  });

  it('a success on a file system to lead to its export', () => {
    const seen = seenJob({ status: 'SUCCEEDED', attempts: [exited(0)] });
    const before = runIn('running', { mode: 'taskExport' });
    expect(types(observeJob.judge?.([seen], before, NOW))).toEqual([
      'BatchJobStateChange',
      'ExportRequested',
    ]);
  });

  it('a failure to leave the volume to a person for a day, with what she needs to know', () => {
    const seen = seenJob({ status: 'FAILED', attempts: [exited(1)] });
    expect(observeJob.judge?.([seen], running, NOW)).toMatchObject({
      drafts: [
        { type: 'BatchJobStateChange' },
        {
          type: 'StorageRetained',
          data: {
            verdict: { kind: 'failed', reason: 'job main failed with exit code 1' },
            exitCode: 1,
            logStream: 'main/1',
            retainUntil: later(24 * 3600),
          },
        },
      ],
    });
  });

  it.each([
    ['nothing ever ran', { main: submittedJob() }, {}],
    ['the policy says so', { main: runningJob() }, { onFailure: 'release' as const }],
  ])('a failure to lead to the release when %s', (_when, jobs, parameters) => {
    const seen = seenJob({ status: 'FAILED', attempts: [{ started: false, reason: 'no image' }] });
    expect(types(observeJob.judge?.([seen], withJobs(jobs, { parameters }), NOW))).toEqual([
      'BatchJobStateChange',
      'ReleaseStarted',
    ]);
  });

  it('the end of a job whose interruptions spent its attempts to leave the run as it is', () => {
    const seen = seenJob({ status: 'FAILED', attempts: Array(5).fill(exited(143)) });
    expect(types(observeJob.judge?.([seen], running, NOW))).toEqual(['BatchJobStateChange']);
  });

  it('the end of one job of a chain to leave the run as it is', () => {
    const seen = seenJob({ status: 'SUCCEEDED', attempts: [exited(0)] });
    const jobs = { main: runningJob(), b: job({ name: 'b', dependsOn: ['main'] }) };
    expect(types(observeJob.judge?.([seen], withJobs(jobs), NOW))).toEqual(['BatchJobStateChange']);
  });

  it('the last end of a run that is to stop by the verdict of the stop', () => {
    const verdict = { kind: 'cancelled', reason: 'enough' } as const;
    const before = runIn('running', { stop: { verdict, at: later(0) } });
    const seen = seenJob({ status: 'SUCCEEDED', attempts: [exited(0)] });
    expect(observeJob.judge?.([seen], before, NOW)).toMatchObject({
      drafts: [{ type: 'BatchJobStateChange' }, { type: 'ReleaseStarted', data: { verdict } }],
    });
  });

  it('the end of one job to leave a stopping run to the submission that is under way', () => {
    const verdict = { kind: 'cancelled', reason: 'enough' } as const;
    const jobs = { main: runningJob(), b: requestedJob({ name: 'b' }) };
    const before = withJobs(jobs, { stop: { verdict, at: later(0) } });
    const seen = seenJob({ status: 'FAILED', attempts: [exited(143)] });
    expect(types(observeJob.judge?.([seen], before, NOW))).toEqual(['BatchJobStateChange']);
  });

  it('a job that Batch does not show to be on its way for five minutes', () => {
    expect(observeJob.judge?.([], running, NOW + FIVE_MINUTES - 1)).toMatchObject({
      kind: 'ignore',
    });
  });

  it('a job that Batch does not show any more to have failed', () => {
    expect(observeJob.judge?.([], running, NOW + FIVE_MINUTES)).toMatchObject({
      drafts: [
        {
          data: { status: 'FAILED', statusReason: 'Batch does not know this job any more' },
        },
        { type: 'StorageRetained' },
      ],
    });
  });

  it.each(others)('nothing when the run is %s by now', (status) => {
    expect(observeJob.judge?.([seenJob()], runIn(status), NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });

  it('a job ended by its time limit to have failed, though it left with 143', () => {
    const statusReason = 'Job attempt duration exceeded timeout';
    const seen = seenJob({ status: 'FAILED', statusReason, attempts: [exited(143)] });
    const before = withJobs({ main: runningJob({ attempts: 1, timeoutSeconds: 60 }) });
    expect(types(observeJob.judge?.([seen], before, NOW))).toEqual([
      'BatchJobStateChange',
      'StorageRetained',
    ]);
  });
});
