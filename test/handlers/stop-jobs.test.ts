import { type Run, STATUSES } from '../../events';
import { stopJobs } from '../../handlers/stop-jobs';
import { job, later, NOW } from '../support/builders';
import { probe, runIn, runningJob, spentJob, submittedJob } from './world';

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

  it('stops a resubmission that may run on the storage of a failed run', () => {
    const retained = runIn('retained', { jobs: { main: spentJob({ doubtedAt: later(0) }) } });
    expect(stopJobs.decide(retained, probe, NOW)).toMatchObject({ kind: 'proceed' });
  });

  it('stops jobs that were never seen to be submitted', () => {
    expect(stopJobs.decide(releasing({ jobs: { main: job() } }), probe, NOW)).toMatchObject({
      kind: 'proceed',
    });
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

  it.each(['running', 'releasing'] as const)('ignores a %s run whose jobs succeeded', (status) => {
    const jobs = { main: submittedJob({ status: 'SUCCEEDED' }) };
    expect(stopJobs.decide(runIn(status, { stop, jobs }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'all jobs succeeded',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(stopJobs.decide(runIn(status, { stop }), probe, NOW)).toMatchObject({ kind: 'ignore' });
  });

  it('stops a resubmission that may exist although its answer was lost', () => {
    const jobs = { main: spentJob({ doubtedAt: later(0) }) };
    expect(stopJobs.decide(runIn('running', { stop, jobs }), probe, NOW)).toMatchObject({
      kind: 'proceed',
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
