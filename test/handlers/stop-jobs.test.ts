import { type Job, type Run, STATUSES } from '../../events';
import { stopJobs } from '../../handlers/stop-jobs';
import { job, later, NOW } from '../support/builders';
import {
  lustreRunIn,
  probe,
  requestedJob,
  runIn,
  runningJob,
  spentJob,
  submittedJob,
} from './world';

const ENDING = ['exporting', 'releasing', 'retained'] as const;
const others = STATUSES.filter((status) => ![...ENDING, 'running'].includes(status));
const verdict = { kind: 'cancelled', reason: 'enough' } as const;
const stop = { verdict, at: later(0) };
const releasing = (overrides: Partial<Run> = {}) =>
  runIn('releasing', { verdict, jobs: { main: runningJob() }, ...overrides });

describe('stop-jobs decides', () => {
  it('stops the jobs of a run that was asked to stop', () => {
    expect(stopJobs.decide(runIn('running', { stop }), probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.stop',
      step: { runId: 'r1', zone: 'us-east-1a', reason: 'Ebbtide: enough' },
    });
  });

  it('stops the jobs of a run whose storage goes', () => {
    expect(stopJobs.decide(releasing(), probe, NOW)).toMatchObject({ kind: 'proceed' });
  });

  it('stops a job that may run on the storage of a failed run', () => {
    const retained = runIn('retained', { jobs: { main: runningJob() } });
    expect(stopJobs.decide(retained, probe, NOW)).toMatchObject({ kind: 'proceed' });
  });

  it.each([
    [verdict, 'Ebbtide: enough'],
    [{ kind: 'failed', reason: 'too long' } as const, 'Ebbtide: too long'],
    [{ kind: 'succeeded' } as const, 'Ebbtide: the run is over'],
  ])('tells Batch why: %j', (said, reason) => {
    expect(stopJobs.decide(releasing({ verdict: said }), probe, NOW)).toMatchObject({
      step: { reason },
    });
  });

  it('lets a run work that nobody asked to stop', () => {
    expect(stopJobs.decide(runIn('running'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'run is running, and nobody asked it to stop',
    });
  });

  const busy = [
    ['asked for', requestedJob()],
    ['asked for and in doubt', requestedJob({ submission: 2, doubtedAt: later(0), ran: true })],
    ['submitted', submittedJob()],
    ['runnable', submittedJob({ status: 'RUNNABLE' })],
    ['running', runningJob()],
  ] as const;
  const idle = [
    ['waits', job()],
    ['waits again', job({ submission: 1, ran: true, jobId: 'job-1' })],
    ['succeeded', submittedJob({ status: 'SUCCEEDED' })],
    ['failed', submittedJob({ status: 'FAILED' })],
    ['was interrupted', spentJob()],
  ] as const;
  /** Nothing of these should be at Batch, but who knows. */
  const doubtful = [
    ['was submitted before', spentJob({ submission: 2 })],
    ['succeeded at the second time', submittedJob({ status: 'SUCCEEDED', submission: 2 })],
    ['was forgotten by Batch', submittedJob({ status: 'FAILED', missedAt: later(0) })],
  ] as const;

  describe.each(['running', ...ENDING] as const)('in a run that is %s', (status) => {
    const withJobs = (jobs: Run['jobs']) => runIn(status, { stop, jobs });

    it.each(busy)('stops a job that is %s', (_what, main) => {
      expect(stopJobs.decide(withJobs({ main }), probe, NOW)).toMatchObject({ kind: 'proceed' });
    });

    it.each(idle)('has nothing to stop where its job %s', (_what, main) => {
      expect(stopJobs.decide(withJobs({ main }), probe, NOW)).toEqual({
        kind: 'ignore',
        reason: 'nothing of it is at Batch',
      });
    });

    it('stops the one job of several that is not over', () => {
      const jobs = { a: submittedJob({ status: 'FAILED' }), b: job(), c: requestedJob() };
      expect(stopJobs.decide(withJobs(jobs), probe, NOW)).toMatchObject({ kind: 'proceed' });
    });
  });

  describe.each(ENDING)('in a run that is %s', (status) => {
    it.each(doubtful)('looks at Batch where its job %s', (_what, main) => {
      expect(stopJobs.decide(runIn(status, { jobs: { main } }), probe, NOW)).toMatchObject({
        kind: 'proceed',
      });
    });

    it.each([...busy, ...doubtful])(
      'has nothing to stop once Batch had none that lives, though its job is or %s',
      (_what, main) => {
        const ended = runIn(status, { jobs: { main }, jobsEndedAt: later(0) });
        expect(stopJobs.decide(ended, probe, NOW)).toEqual({
          kind: 'ignore',
          reason: 'nothing of it is at Batch',
        });
      },
    );
  });

  it.each(doubtful)('lets a running run that is to stop end where its job %s', (_what, main) => {
    expect(stopJobs.decide(runIn('running', { stop, jobs: { main } }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'nothing of it is at Batch',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    const jobs = { main: runningJob() };
    expect(stopJobs.decide(runIn(status, { stop, jobs }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}, and nobody asked it to stop`,
    });
  });
});

describe('stop-jobs records', () => {
  it('which jobs it stopped', () => {
    expect(stopJobs.record?.(['job-1', 'job-2'], releasing(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobsStopped', data: { jobIds: ['job-1', 'job-2'] } }],
    });
  });

  it('which are alive still, when one of them was not told before', () => {
    const told = releasing({ stopping: ['job-1'] });
    expect(stopJobs.record?.(['job-1', 'job-2'], told, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobsStopped', data: { jobIds: ['job-1', 'job-2'] } }],
    });
  });

  it.each([
    ['releasing', 10],
    ['exporting', 10],
    ['retained', 10],
    ['running', 30],
  ] as const)('nothing anew while those that were told leave: %s', (status, seconds) => {
    const told = { stopping: ['job-1', 'job-2'], jobs: { main: runningJob() } };
    const before = lustreRunIn(status, { ...told, retainUntil: later(3600), stop });
    expect(stopJobs.record?.(['job-2'], before, NOW)).toEqual({
      kind: 'again',
      at: NOW + seconds * 1000,
    });
  });

  it('nothing when a run that is to stop has none left: its end is the affair of who observes', () => {
    expect(stopJobs.record?.([], runIn('running', { stop }), NOW)).toEqual({
      kind: 'ignore',
      reason: 'Batch has nothing left to stop',
    });
  });

  it.each(ENDING)('that none lives, when a run that is %s has none left', (status) => {
    const before = runIn(status, { stopping: ['job-1'], jobs: { main: runningJob() } });
    expect(stopJobs.record?.([], before, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobsEnded', data: {} }],
    });
  });

  describe.each(ENDING)('of a run that is %s, where nobody was told to stop,', (status) => {
    const retainUntil = later(36_000);
    const recorded = (main: Job, now: number) =>
      stopJobs.record?.([], runIn(status, { jobs: { main }, retainUntil }), now);
    const ended = { kind: 'conclude', drafts: [{ type: 'JobsEnded', data: {} }] };

    it.each([
      ['is runnable', submittedJob({ status: 'RUNNABLE' })],
      ['runs', runningJob()],
      ['is missed', runningJob({ missedAt: later(-60) })],
      ['was never seen', job({ status: 'FAILED', submission: 1, missedAt: later(0) })],
    ])('that none lives though a job %s, after two minutes', (_what, main) => {
      expect(recorded(main, NOW)).toEqual({ kind: 'again', at: NOW + 10_000 });
      expect(recorded(main, NOW + 119_999)).toEqual({ kind: 'again', at: NOW + 129_999 });
      expect(recorded(main, NOW + 120_000)).toEqual(ended);
    });

    it('that none lives at once where each job was seen to its end', () => {
      expect(recorded(spentJob({ submission: 2 }), NOW)).toEqual(ended);
    });
  });

  it.each([
    ['it was asked for', { since: later(0) }, later(-60)],
    ['it was doubted', { since: later(-60), doubtedAt: later(0) }, later(-60)],
    ['the run began to end', { since: later(-60) }, later(0)],
  ])(
    'nothing while a submission may yet be shown, two minutes since %s',
    (_what, changes, since) => {
      const jobs = { main: requestedJob(changes) };
      const before = runIn('releasing', { jobs, since });
      expect([
        stopJobs.record?.([], before, NOW + 119_999),
        stopJobs.record?.([], before, NOW + 120_000),
      ]).toMatchObject([
        { kind: 'again', at: NOW + 129_999 },
        { kind: 'conclude', drafts: [{ type: 'JobsEnded' }] },
      ]);
    },
  );
});
