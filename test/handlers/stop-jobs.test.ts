import { type Run, STATUSES } from '../../events';
import { stopJobs } from '../../handlers/stop-jobs';
import { job, later, NOW } from '../support/builders';
import { probe, requestedJob, runIn, runningJob, spentJob, submittedJob } from './world';

const others = STATUSES.filter((status) => !['running', 'releasing', 'retained'].includes(status));
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

  describe.each(['running', 'releasing', 'retained'] as const)('in a run that is %s', (status) => {
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

  it('nothing when there was nothing to stop', () => {
    expect(stopJobs.record?.([], releasing(), NOW)).toEqual({
      kind: 'ignore',
      reason: 'Batch has nothing left to stop',
    });
  });
});
