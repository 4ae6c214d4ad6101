import { batchJobName, type Job, type Run, STATUSES } from '../../events';
import { submitJob } from '../../handlers/submit-job';
import { job, later, NOW } from '../support/builders';
import { probe, runIn, runningJob, spentJob, storageIn, submittedJob, VOLUME } from './world';

const others = STATUSES.filter((status) => status !== 'ready' && status !== 'running');
const withJobs = (jobs: Run['jobs']) => runIn('running', { jobs });
const decide = (run: Run, now = NOW) => submitJob.decide(run, probe, now);
const nothing = { kind: 'ignore', reason: 'no job to submit' };

describe('submit-job decides', () => {
  it('submits the job of a run that is ready, under its own name and key', () => {
    expect(decide(runIn('ready'))).toEqual({
      kind: 'proceed',
      key: 'r1.job-main.1',
      step: {
        submission: 1,
        jobName: 'ebbtide-r1_main_1',
        runId: 'r1',
        zone: 'us-east-1a',
        storage: VOLUME,
        results: { bucket: 'results', prefix: 'runs/r1/' },
        spec: expect.objectContaining({ name: 'main', vcpus: 32, attempts: 5 }),
      },
    });
  });

  it('names a file system together with its mount name', () => {
    const storage = storageIn('ready', { id: 'fs-0123456789abcdef0', mountName: 'fsx1' });
    expect(decide(runIn('ready', { storage }))).toMatchObject({
      step: { storage: 'fs-0123456789abcdef0@fsx1' },
    });
  });

  it.each([
    ['not before the one it depends on is over', runningJob(), undefined],
    ['not after one that failed', submittedJob({ status: 'FAILED', exitCode: 1 }), undefined],
    ['after the one it depends on succeeded', submittedJob({ status: 'SUCCEEDED' }), 'r1.job-b.1'],
  ])('submits the next job of a chain %s', (_when, a, key) => {
    const b = job({ name: 'b', dependsOn: ['a'] });
    const answer = decide(withJobs({ a: { ...a, name: 'a' }, b }));
    expect(answer).toMatchObject(key ? { kind: 'proceed', key } : nothing);
  });

  it('submits a job again when interruptions have spent its attempts', () => {
    expect(decide(withJobs({ main: spentJob() }))).toMatchObject({
      key: 'r1.job-main.2',
      step: { submission: 2, jobName: 'ebbtide-r1_main_2' },
    });
  });

  it.each([
    ['is not over', runningJob()],
    ['has attempts left', spentJob({ attempt: 4 })],
    ['ended by itself', spentJob({ exitCode: 1 })],
    ['was submitted often enough', spentJob({ submission: 3 })],
    ['may still be found', spentJob({ doubtedAt: later(0) })],
  ])('submits no job that %s', (_what, main) => {
    expect(decide(withJobs({ main }))).toEqual(nothing);
  });

  it('submits a doubted job anew once it could have been found, under another key', () => {
    const main = job({ doubtedAt: later(0), tries: 2 });
    expect(decide(runIn('ready', { jobs: { main } }), NOW + 120_000)).toMatchObject({
      key: 'r1.job-main.2',
      step: { submission: 1 },
    });
  });

  it('submits nothing for a run that is to stop', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'enough' } as const, at: later(0) };
    expect(decide(runIn('running', { stop, jobs: { main: job() } }))).toEqual(nothing);
  });

  it('submits nothing onto storage that is lost', () => {
    expect(decide(runIn('ready', { storage: storageIn('ready', { over: 'lost' }) }))).toEqual(
      nothing,
    );
  });

  it('names every effect within 63 characters, even with the longest names', () => {
    const name = 'a23456789012345';
    const long = runIn('ready', { id: 'r'.repeat(40), jobs: { [name]: job({ name }) } });
    expect(decide(long)).toMatchObject({ key: `${'r'.repeat(40)}.job-${name}.1` });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(decide(runIn(status, { jobs: { main: job() } }))).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('submit-job records', () => {
  const named = { job: 'main', submission: 1, jobName: batchJobName('r1', 'main', 1) };
  const wanted = { ...named, tries: 1 };
  const submitted = { ...wanted, ok: true, jobId: 'job-1' } as const;
  const refused = { ...wanted, ok: false, reason: 'no such definition' } as const;
  const unknown = { ...wanted, ok: 'unknown', reason: 'timed out' } as const;

  it('the id that Batch gave', () => {
    expect(submitJob.record?.(submitted, runIn('ready'), NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobSubmitted', data: { ...named, jobId: 'job-1' } }],
    });
  });

  it('a lost answer as a doubt', () => {
    expect(submitJob.record?.(unknown, runIn('ready'), NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobDoubted', data: { job: 'main', submission: 1, reason: 'timed out' } }],
    });
  });

  it('a refusal, and that the run ends with it', () => {
    expect(submitJob.record?.(refused, runIn('ready'), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'JobRefused', data: { job: 'main', submission: 1, reason: 'no such definition' } },
        {
          type: 'ReleaseStarted',
          data: { verdict: { kind: 'failed', reason: 'job main failed: no such definition' } },
        },
      ],
    });
  });

  it.each([
    ['an id', submitted],
    ['a refusal', refused],
    ['silence', unknown],
  ])('nothing when %s comes for a submission that is known', (_what, outcome) => {
    expect(submitJob.record?.(outcome, runIn('running'), NOW)).toEqual({
      kind: 'ignore',
      reason: 'the submission is known',
    });
  });

  const again = { ...wanted, submission: 2, jobName: batchJobName('r1', 'main', 2) };
  const spent = (overrides: Partial<Job> = {}) => withJobs({ main: spentJob(overrides) });

  it('a refused resubmission as the end of the run, not as one more interruption', () => {
    expect(submitJob.record?.({ ...refused, ...again }, spent(), NOW)).toMatchObject({
      drafts: [{ type: 'JobRefused' }, { type: 'StorageRetained' }],
    });
  });

  it('a lost answer once, however many deliveries were handed it', () => {
    const doubted = runIn('ready', { jobs: { main: job({ tries: 2, doubtedAt: later(0) }) } });
    expect(submitJob.record?.(unknown, doubted, NOW)).toMatchObject({ kind: 'ignore' });
  });
});
