import { type Job, type Run, STATUSES } from '../../events';
import { submitJob } from '../../handlers/submit-job';
import { job, later, NOW } from '../support/builders';
import {
  probe,
  requestedJob,
  runIn,
  runningJob,
  spentJob,
  storageIn,
  submittedJob,
  VOLUME,
} from './world';

const others = STATUSES.filter((status) => status !== 'running');
const requested = (changes: Partial<Job> = {}, overrides: Partial<Run> = {}) =>
  runIn('running', { jobs: { main: requestedJob(changes) }, ...overrides });
const decide = (run: Run, now = NOW) => submitJob.decide(run, probe, now);
const nothing = { kind: 'ignore', reason: 'no submission to make' };

describe('submit-job decides', () => {
  it('submits the job that was asked for, under its own name and key', () => {
    expect(decide(requested())).toEqual({
      kind: 'proceed',
      key: 'r1.job-main.1',
      step: {
        tries: 1,
        wanted: {
          submission: 1,
          jobName: 'ebbtide-r1_main_1',
          runId: 'r1',
          zone: 'us-east-1a',
          storage: VOLUME,
          results: { bucket: 'results', prefix: 'runs/r1/' },
          spec: expect.objectContaining({ name: 'main', vcpus: 32, attempts: 5 }),
          nToN: [],
          upload: undefined,
          hasInput: false,
        },
      },
    });
  });

  it('submits a command with its parameters in place', () => {
    const command = ['run', 'Ref::epochs'];
    expect(decide(requested({ command, parameters: { epochs: '3' } }))).toMatchObject({
      step: { wanted: { spec: { command: ['run', '3'], parameters: undefined } } },
    });
  });

  it.each([
    ['the array that this one’s tasks wait for', 'PENDING', ['job-a']],
    ['no array that has succeeded: Batch may have forgotten it', 'SUCCEEDED', []],
    ['the array that failed meanwhile: Batch ends both', 'FAILED', ['job-a']],
  ] as const)('names to Batch %s', (_which, status, nToN) => {
    const jobs = {
      a: submittedJob({ name: 'a', arraySize: 3, status, jobId: 'job-a' }),
      b: requestedJob({ name: 'b', arraySize: 3, nToN: ['a'] }),
    };
    expect(decide(runIn('running', { mode: 'taskExport', jobs }))).toMatchObject({
      key: 'r1.job-b.1',
      step: { wanted: { nToN } },
    });
  });

  it('says which upload started the run', () => {
    const cause = { upload: { bucket: 'intake', key: 'requests/a b.json', sequencer: '1' } };
    expect(decide(requested({}, { cause }))).toMatchObject({
      step: { wanted: { upload: 's3://intake/requests/a b.json' } },
    });
  });

  it.each([
    [true, 'fileSystem'],
    [false, 'volume'],
  ] as const)('says whether there is input: %s on a %s', (hasInput, kind) => {
    const parameters = { inputRepositoryPath: 's3://input/a' };
    const storage = storageIn('running', { kind });
    expect(decide(requested({}, { parameters, storage }))).toMatchObject({
      step: { wanted: { hasInput } },
    });
  });

  it('names a file system together with its mount name', () => {
    const storage = storageIn('running', { id: 'fs-0123456789abcdef0', mountName: 'fsx1' });
    expect(decide(requested({}, { storage }))).toMatchObject({
      step: { wanted: { storage: 'fs-0123456789abcdef0@fsx1' } },
    });
  });

  it('submits a resubmission under a name and a key of its own', () => {
    expect(decide(requested({ submission: 2, ran: true }))).toMatchObject({
      key: 'r1.job-main.2',
      step: { wanted: { submission: 2, jobName: 'ebbtide-r1_main_2' } },
    });
  });

  it.each([
    [1, 2],
    [2, 1],
    [3, 4],
  ])('names submission %i at try %i by both', (submission, tries) => {
    expect(decide(requested({ submission, tries }))).toMatchObject({
      key: `r1.job-main.${submission + tries - 1}`,
      step: { wanted: { submission, jobName: `ebbtide-r1_main_${submission}` } },
    });
  });

  it.each([
    ['waits', job()],
    ['is at Batch', submittedJob()],
    ['runs', runningJob()],
    ['succeeded', submittedJob({ status: 'SUCCEEDED' })],
    ['may go on, and was not asked for yet', spentJob()],
    ['may still be found', requestedJob({ doubtedAt: later(0) })],
  ])('submits no job that %s', (_what, main) => {
    expect(decide(runIn('running', { jobs: { main } }))).toEqual(nothing);
  });

  it.each([119, 120])('lets a lost answer be looked for until 120 s are over: %i s', (seconds) => {
    const doubted = requested({ doubtedAt: later(0), tries: 2 });
    expect(decide(doubted, NOW + seconds * 1000)).toMatchObject(
      seconds < 120 ? nothing : { key: 'r1.job-main.2', step: { wanted: { submission: 1 } } },
    );
  });

  it('submits the job that was asked for while another one is looked for', () => {
    const jobs = {
      a: requestedJob({ name: 'a', doubtedAt: later(0) }),
      b: requestedJob({ name: 'b' }),
    };
    expect(decide(runIn('running', { jobs }))).toMatchObject({ key: 'r1.job-b.1' });
  });

  it('submits nothing for a run that is to stop', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'enough' } as const, at: later(0) };
    expect(decide(requested({}, { stop }))).toEqual({
      kind: 'ignore',
      reason: 'the run is stopping',
    });
  });

  it('names every effect within 63 characters, even with the longest names', () => {
    const name = 'a2345678901234';
    const jobs = { [name]: requestedJob({ name, tries: 999 }) };
    const key = `${'r'.repeat(40)}.job-${name}.999`;
    expect(key).toHaveLength(63);
    expect(decide(runIn('running', { id: 'r'.repeat(40), jobs }))).toMatchObject({ key });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(decide(runIn(status, { jobs: { main: requestedJob() } }))).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('submit-job acts', () => {
  it('and says which try of which submission was answered', async () => {
    const decision = decide(requested({ submission: 2, tries: 3 }));
    const step = decision.kind === 'proceed' ? decision.step : undefined;
    const submit = async () => ({ ok: true, jobId: 'job-7' }) as const;
    const jobs = { submit } as unknown as Parameters<NonNullable<typeof submitJob.act>>[2]['jobs'];
    expect(step && (await submitJob.act?.(step, 'r1.job-main.4', { jobs }))).toEqual({
      ok: true,
      jobId: 'job-7',
      job: 'main',
      tries: 3,
      submission: 2,
    });
  });
});

describe('submit-job records', () => {
  const named = { job: 'main', submission: 1 };
  const wanted = { ...named, tries: 1 };
  const submitted = { ...wanted, ok: true, jobId: 'job-1' } as const;
  const refused = { ...wanted, ok: false, reason: 'no such definition' } as const;
  const unknown = { ...wanted, ok: 'unknown', reason: 'timed out' } as const;
  const record = (outcome: typeof submitted | typeof refused | typeof unknown, run: Run) =>
    submitJob.record?.(outcome, run, NOW);

  it('the id that Batch gave', () => {
    expect(record(submitted, requested())).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobSubmitted', data: { ...named, jobId: 'job-1' } }],
    });
  });

  it('the id that Batch gave, even when a later try is under way', () => {
    expect(record(submitted, requested({ tries: 2, doubtedAt: later(0) }))).toMatchObject({
      drafts: [{ type: 'JobSubmitted', data: { jobId: 'job-1' } }],
    });
  });

  it('a lost answer as a doubt', () => {
    expect(record(unknown, requested())).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobDoubted', data: { ...named, reason: 'timed out' } }],
    });
  });

  it.each([2, 9, 10, 11, 100])('a lost answer as a doubt, however often: try %i', (tries) => {
    const outcome = { ...unknown, tries } as unknown as typeof unknown;
    expect(record(outcome, requested({ tries }))).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobDoubted', data: { ...named, reason: 'timed out' } }],
    });
  });

  it('a refusal, and that the run ends with it', () => {
    expect(record(refused, requested())).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'JobRefused', data: { ...named, reason: 'no such definition' } },
        {
          type: 'ReleaseStarted',
          data: { verdict: { kind: 'failed', reason: 'job main failed: no such definition' } },
        },
      ],
    });
  });

  it('a refusal without an end while another job runs', () => {
    const jobs = { main: requestedJob(), other: runningJob({ name: 'other' }) };
    expect(record(refused, runIn('running', { jobs }))).toMatchObject({
      kind: 'conclude',
      drafts: [{ type: 'JobRefused' }],
    });
  });

  it('a refused resubmission as the end of the run, not as one more interruption', () => {
    const spent = requested({ submission: 2, ran: true, attempt: 0 });
    const again = { ...refused, submission: 2 } as unknown as typeof refused;
    expect(record(again, spent)).toMatchObject({
      drafts: [{ type: 'JobRefused', data: { submission: 2 } }, { type: 'StorageRetained' }],
    });
  });

  it('what came of a submission although the run is to stop by now', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'enough' } as const, at: later(0) };
    expect(record(submitted, requested({}, { stop }))).toMatchObject({
      drafts: [{ type: 'JobSubmitted' }],
    });
  });

  it('a refusal of a run that is to stop as the end that the stop wanted', () => {
    const verdict = { kind: 'cancelled', reason: 'enough' } as const;
    const before = requested({}, { stop: { verdict, at: later(0) } });
    expect(record(refused, before)).toMatchObject({
      drafts: [{ type: 'JobRefused' }, { type: 'ReleaseStarted', data: { verdict } }],
    });
  });

  describe.each([
    ['an id', submitted],
    ['a refusal', refused],
    ['silence', unknown],
  ])('nothing when %s comes for', (_what, outcome) => {
    it.each([
      ['a submission that was found meanwhile', submittedJob()],
      ['a submission that runs by now', runningJob()],
      ['a submission that was refused meanwhile', submittedJob({ status: 'FAILED' })],
      ['an earlier submission', requestedJob({ submission: 2 })],
    ])('%s', (_which, main) => {
      expect(record(outcome, runIn('running', { jobs: { main } }))).toEqual({
        kind: 'ignore',
        reason: 'the submission is known',
      });
    });
  });

  it.each([
    ['a refusal', refused],
    ['silence', unknown],
  ])('%s once, however many deliveries were handed it', (_what, outcome) => {
    expect(record(outcome, requested({ tries: 2, doubtedAt: later(0) }))).toEqual({
      kind: 'ignore',
      reason: 'another delivery has recorded this try',
    });
  });
});
