import { type Run, STATUSES } from '../../events';
import { requestJob } from '../../handlers/request-job';
import { job, later, NOW } from '../support/builders';
import { probe, requestedJob, runIn, runningJob, spentJob, storageIn, submittedJob } from './world';

const others = STATUSES.filter((status) => status !== 'ready' && status !== 'running');
const withJobs = (jobs: Run['jobs'], overrides: Partial<Run> = {}) =>
  runIn('running', { jobs, ...overrides });
const decide = (run: Run) => requestJob.decide(run, probe, NOW);
const nothing = { kind: 'ignore', reason: 'no job to submit' };

describe('request-job decides', () => {
  it('that the job of a run that is ready is submitted, under its own name', () => {
    expect(decide(runIn('ready'))).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'JobRequested',
          data: { job: 'main', submission: 1, jobName: 'ebbtide-r1_main_1' },
        },
      ],
    });
  });

  it('one job at a time, the first of those that may go', () => {
    const jobs = { a: job({ name: 'a' }), b: job({ name: 'b' }) };
    expect(decide(runIn('ready', { jobs }))).toMatchObject({
      drafts: [{ data: { job: 'a' } }],
    });
  });

  it('the next job while another one is on its way', () => {
    const jobs = { a: requestedJob({ name: 'a' }), b: job({ name: 'b' }) };
    expect(decide(withJobs(jobs))).toMatchObject({ drafts: [{ data: { job: 'b' } }] });
  });

  it.each([
    ['not before the one it depends on is over', runningJob(), undefined],
    ['not while the one it depends on is only asked for', requestedJob(), undefined],
    ['not after one that failed', submittedJob({ status: 'FAILED', exitCode: 1 }), undefined],
    ['after the one it depends on succeeded', submittedJob({ status: 'SUCCEEDED' }), 'b'],
  ])('the next job of a chain %s', (_when, a, next) => {
    const b = job({ name: 'b', dependsOn: ['a'] });
    const answer = decide(withJobs({ a: { ...a, name: 'a' }, b }));
    expect(answer).toMatchObject(
      next ? { kind: 'conclude', drafts: [{ data: { job: next, submission: 1 } }] } : nothing,
    );
  });

  it.each([
    ['not while Batch may not have it yet', requestedJob({ name: 'a', arraySize: 3 }), nothing],
    [
      'as soon as Batch has it',
      submittedJob({ name: 'a', arraySize: 3 }),
      { drafts: [{ data: { job: 'b', submission: 1 } }] },
    ],
  ])('the array whose tasks wait for another one’s, %s', (_when, a, answer) => {
    const b = job({ name: 'b', arraySize: 3, nToN: ['a'] });
    expect(decide(withJobs({ a, b }, { mode: 'taskExport' }))).toMatchObject(answer);
  });

  it('that a job goes again when interruptions have spent its attempts', () => {
    expect(decide(withJobs({ main: spentJob() }))).toMatchObject({
      drafts: [{ data: { submission: 2, jobName: 'ebbtide-r1_main_2' } }],
    });
  });

  it('that a resumed job goes under a name it never had', () => {
    const main = job({ submission: 3, submissionsBefore: 3, ran: true, jobId: 'job-3' });
    expect(decide(runIn('ready', { jobs: { main } }))).toMatchObject({
      drafts: [{ data: { submission: 4, jobName: 'ebbtide-r1_main_4' } }],
    });
  });

  it('that a job goes again as often after a resumption as before it', () => {
    const main = spentJob({ submission: 5, submissionsBefore: 3 });
    expect(decide(withJobs({ main }))).toMatchObject({ drafts: [{ data: { submission: 6 } }] });
  });

  it.each([
    ['is asked for', requestedJob()],
    ['is not over', runningJob()],
    ['has attempts left', spentJob({ attempt: 4 })],
    ['ended by itself', spentJob({ exitCode: 1 })],
    ['was submitted often enough', spentJob({ submission: 3 })],
    ['was submitted often enough since', spentJob({ submission: 6, submissionsBefore: 3 })],
  ])('nothing for a job that %s', (_what, main) => {
    expect(decide(withJobs({ main }))).toEqual(nothing);
  });

  it.each(['ready', 'running'] as const)('nothing for a %s run that is to stop', (status) => {
    const stop = { verdict: { kind: 'cancelled', reason: 'enough' } as const, at: later(0) };
    expect(decide(runIn(status, { stop, jobs: { main: job() } }))).toEqual(nothing);
  });

  it('nothing onto storage that is lost', () => {
    const storage = storageIn('ready', { over: 'lost' });
    expect(decide(runIn('ready', { storage }))).toEqual(nothing);
  });

  it('the same for a job whose name is a word of the language', () => {
    const jobs = {
      constructor: submittedJob({ name: 'constructor', status: 'SUCCEEDED' }),
      b: job({ name: 'b', dependsOn: ['constructor'] }),
    };
    expect(decide(withJobs(jobs))).toMatchObject({ drafts: [{ data: { job: 'b' } }] });
  });

  it.each(others)('nothing for a run that is %s', (status) => {
    expect(decide(runIn(status, { jobs: { main: job() } }))).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});
