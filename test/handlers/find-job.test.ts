import { type Job, STATUSES } from '../../events';
import { findJob } from '../../handlers/find-job';
import { job, later, NOW } from '../support/builders';
import { probe, runIn, spentJob } from './world';

const doubted = (overrides: Partial<Job> = {}) =>
  runIn('ready', { jobs: { main: job({ doubtedAt: later(0), ...overrides }) } });
const others = STATUSES.filter((status) => status !== 'ready' && status !== 'running');
const target = { job: 'main', submission: 1, jobName: 'ebbtide-r1_main_1', zone: 'us-east-1a' };

describe('find-job decides', () => {
  it('looks for a doubted job by the name it would have', () => {
    expect(findJob.decide(doubted(), probe, NOW)).toEqual({ kind: 'look', target });
  });

  it('looks for a doubted resubmission by its own name', () => {
    const jobs = { main: spentJob({ doubtedAt: later(0) }) };
    expect(findJob.decide(runIn('running', { jobs }), probe, NOW)).toMatchObject({
      target: { submission: 2, jobName: 'ebbtide-r1_main_2' },
    });
  });

  it('believes after two minutes that there is no such job', () => {
    expect(findJob.decide(doubted(), probe, NOW + 120_000)).toEqual({
      kind: 'ignore',
      reason: 'no job is in doubt',
    });
  });

  it.each(['ready', 'running'] as const)('ignores a run that is %s without a doubt', (status) => {
    expect(findJob.decide(runIn(status), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'no job is in doubt',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    const jobs = { main: job({ doubtedAt: later(0) }) };
    expect(findJob.decide(runIn(status, { jobs }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('find-job judges', () => {
  it('a job that was found to be the submission', () => {
    expect(findJob.judge?.({ ...target, jobId: 'job-7' }, doubted(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'JobSubmitted',
          data: { job: 'main', submission: 1, jobId: 'job-7', jobName: 'ebbtide-r1_main_1' },
        },
      ],
    });
  });

  it.each([
    [0, 15],
    [15, 30],
    [31, 60],
    [60, 120],
  ])('a job not found after %i seconds to be looked for after %i', (seconds, next) => {
    const now = NOW + seconds * 1000;
    expect(findJob.judge?.({ ...target, jobId: undefined }, doubted(), now)).toEqual({
      kind: 'again',
      at: NOW + next * 1000,
    });
  });
});
