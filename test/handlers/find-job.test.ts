import { type Job, type Run, STATUSES } from '../../events';
import { findJob } from '../../handlers/find-job';
import { job, later, NOW } from '../support/builders';
import { probe, requestedJob, runIn, runningJob } from './world';

const verdict = { kind: 'cancelled', reason: 'enough' } as const;
const stop = { verdict, at: later(0) };
const requested = (changes: Partial<Job> = {}, overrides: Partial<Run> = {}) =>
  runIn('running', { jobs: { main: requestedJob(changes) }, ...overrides });
const doubted = (changes: Partial<Job> = {}) => requested({ doubtedAt: later(0), ...changes });
const stopping = (changes: Partial<Job> = {}) => requested(changes, { stop });
const others = STATUSES.filter((status) => status !== 'running');
const target = { job: 'main', submission: 1, jobName: 'ebbtide-r1_main_1', zone: 'us-east-1a' };
const decide = (run: Run, now = NOW) => findJob.decide(run, probe, now);
const nothing = { kind: 'ignore', reason: 'no job is in doubt' };

describe('find-job decides', () => {
  it('looks for a doubted job by the name it would have', () => {
    expect(decide(doubted())).toEqual({ kind: 'look', target });
  });

  it('looks for a doubted resubmission by its own name', () => {
    expect(decide(doubted({ submission: 2 }))).toMatchObject({
      target: { submission: 2, jobName: 'ebbtide-r1_main_2' },
    });
  });

  it('looks for the job in doubt, not for the one that is being submitted', () => {
    const jobs = {
      a: requestedJob({ name: 'a' }),
      b: requestedJob({ name: 'b', doubtedAt: later(0) }),
    };
    expect(decide(runIn('running', { jobs }))).toMatchObject({ target: { job: 'b' } });
  });

  it('believes after two minutes that there is no such job', () => {
    expect(decide(doubted(), NOW + 120_000)).toEqual(nothing);
  });

  it('leaves a submission that is under way to who makes it', () => {
    expect(decide(requested())).toEqual(nothing);
  });

  it.each([
    ['under way', {}, 0],
    ['in doubt', { doubtedAt: later(0) }, 0],
    ['long believed missing', { doubtedAt: later(0) }, 3600],
  ])('looks for a submission that is %s when its run is to stop', (_what, changes, seconds) => {
    expect(decide(stopping(changes), NOW + seconds * 1000)).toEqual({ kind: 'look', target });
  });

  it.each([
    ['waits', job()],
    ['runs', runningJob()],
  ])('looks for no job that %s, even when its run is to stop', (_what, main) => {
    expect(decide(runIn('running', { stop, jobs: { main } }))).toEqual(nothing);
  });

  it.each(others)('ignores a run that is %s', (status) => {
    const jobs = { main: requestedJob({ doubtedAt: later(0) }) };
    expect(decide(runIn(status, { stop, jobs }))).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('find-job looks', () => {
  it('by the name and in the zone, and says what it looked for', async () => {
    const asked: unknown[] = [];
    const find = async (wanted: unknown) => {
      asked.push(wanted);
      return 'job-7';
    };
    const jobs = { find } as unknown as Parameters<NonNullable<typeof findJob.look>>[1]['jobs'];
    expect(await findJob.look?.(target, { jobs })).toEqual({ ...target, jobId: 'job-7' });
    expect(asked).toMatchObject([{ jobName: 'ebbtide-r1_main_1', zone: 'us-east-1a' }]);
  });
});

describe('find-job judges', () => {
  const judge = (jobId: string | undefined, run: Run, seconds = 0) =>
    findJob.judge?.({ ...target, jobId }, run, NOW + seconds * 1000);

  it.each([
    ['in doubt', doubted()],
    ['of a run that is to stop', stopping()],
  ])('a job %s that was found to be the submission', (_what, before) => {
    expect(judge('job-7', before, 3600)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobSubmitted', data: { job: 'main', submission: 1, jobId: 'job-7' } }],
    });
  });

  it.each([
    [0, 15],
    [15, 30],
    [31, 60],
    [60, 90],
    [95, 120],
  ])('a job not found after %i seconds to be looked for after %i', (seconds, next) => {
    expect(judge(undefined, doubted(), seconds)).toEqual({
      kind: 'again',
      at: NOW + next * 1000,
    });
  });

  it.each([
    ['was asked for', {}],
    ['was asked for long ago and doubted', { since: later(-3600), doubtedAt: later(0) }],
    ['was doubted long ago and asked for', { since: later(0), doubtedAt: later(-3600) }],
  ])('nothing of a stopping run whose job %s less than two minutes ago', (_what, changes) => {
    expect(judge(undefined, stopping(changes), 119)).toMatchObject({ kind: 'again' });
  });

  it.each([
    ['asked for', {}],
    ['doubted', { since: later(-3600), doubtedAt: later(0) }],
  ])(
    'a job %s two minutes ago never to have reached Batch when its run is to stop',
    (_w, changes) => {
      const reason = 'the run was stopped before Batch had the job';
      expect(judge(undefined, stopping(changes), 120)).toEqual({
        kind: 'conclude',
        drafts: [
          { type: 'JobRefused', data: { job: 'main', submission: 1, reason, unseen: true } },
          { type: 'ReleaseStarted', data: { verdict } },
        ],
      });
    },
  );

  it.each([
    ['in flight', {}],
    ['in doubt', { doubtedAt: later(10) }],
  ])('a submission that was %s when its run was to stop 120 s after the stop', (_what, changes) => {
    const late = { verdict, at: later(100) };
    const before = requested(changes, { stop: late });
    expect([judge(undefined, before, 120), judge(undefined, before, 219)]).toMatchObject([
      { kind: 'again' },
      { kind: 'again' },
    ]);
    expect(judge(undefined, before, 220)).toMatchObject({
      kind: 'conclude',
      drafts: [{ type: 'JobRefused' }, { type: 'ReleaseStarted', data: { verdict } }],
    });
  });

  it('a job of a run that goes on never to be refused, however long it is missing', () => {
    expect(judge(undefined, doubted(), 1000)).toMatchObject({ kind: 'again' });
  });

  it('the end of a stopping run to wait for its other job', () => {
    const jobs = { main: requestedJob(), other: runningJob({ name: 'other' }) };
    expect(judge(undefined, runIn('running', { stop, jobs }), 120)).toMatchObject({
      kind: 'conclude',
      drafts: [{ type: 'JobRefused' }],
    });
  });

  it('the end of a stopping run that took too long to be that of a failure', () => {
    const failed = { kind: 'failed', reason: 'too long' } as const;
    const before = requested({ ran: true }, { stop: { verdict: failed, at: later(0) } });
    expect(judge(undefined, before, 120)).toMatchObject({
      drafts: [{ type: 'JobRefused' }, { type: 'StorageRetained', data: { verdict: failed } }],
    });
  });

  it('nothing of a job that the run does not have', () => {
    const jobs = { other: requestedJob({ name: 'other' }) };
    expect(judge(undefined, runIn('running', { stop, jobs }), 3600)).toMatchObject({
      kind: 'again',
    });
  });
});
