import { type ArrayCounts, type ChildFailure, type Job, type Run, STATUSES } from '../../events';
import { foresee, type SeenAttempt, type SeenJob } from '../../handlers';
import { observeJob } from '../../handlers/observe-job';
import { job, later, NOW } from '../support/builders';
import { probe, requestedJob, runIn, runningJob, seenJob, submittedJob } from './world';

const FIVE_MINUTES = 300_000;
const running = runIn('running');
const others = STATUSES.filter((status) => status !== 'running' && status !== 'retained');
const TEN_MINUTES = 600_000;
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

  it('a stopping run to need no look of its own when its deadline comes first', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'enough' } as const, at: later(0) };
    const now = NOW + 30 * 60_000 - 5000;
    expect(observeJob.judge?.([seenJob()], runIn('running', { stop }), now)).toEqual({
      kind: 'ignore',
      reason: 'nothing new',
    });
  });

  it.each([
    ['a submission is under way', { main: runningJob(), b: requestedJob({ name: 'b' }) }],
    ['a job could be submitted', { main: runningJob(), b: job({ name: 'b' }) }],
  ])('nothing new to be worth another look where %s', (_what, jobs) => {
    expect(observeJob.judge?.([seenJob()], withJobs(jobs), NOW)).toEqual({
      kind: 'again',
      at: NOW + 30_000,
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

  it('a job that Batch does not show after that to be missed, and no more', () => {
    expect(observeJob.judge?.([], running, NOW + FIVE_MINUTES)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'JobMissed', data: { job: 'main', jobId: 'job-1', submission: 1 } }],
    });
  });

  it('a job that is missed to be looked for each half minute, for ten minutes', () => {
    const before = withJobs({ main: runningJob({ missedAt: later(300) }) });
    const now = NOW + FIVE_MINUTES + TEN_MINUTES - 1;
    expect(observeJob.judge?.([], before, NOW + FIVE_MINUTES)).toEqual({
      kind: 'again',
      at: NOW + FIVE_MINUTES + 30_000,
    });
    expect(observeJob.judge?.([], before, now)).toEqual({ kind: 'again', at: now + 30_000 });
  });

  it('a job that was missed for ten minutes to have failed, and perhaps to have left something', () => {
    const before = withJobs({ main: submittedJob({ missedAt: later(300) }) });
    const now = NOW + FIVE_MINUTES + TEN_MINUTES;
    expect(observeJob.judge?.([], before, now)).toMatchObject({
      drafts: [
        {
          type: 'BatchJobStateChange',
          data: {
            ...{ status: 'FAILED', ran: true },
            statusReason: 'Batch does not know this job any more',
          },
        },
        { type: 'StorageRetained' },
      ],
    });
  });

  it.each(['SUBMITTED', 'RUNNABLE', 'RUNNING'] as const)(
    'a job that was missed and is there again to be as far as it was known to be: %s',
    (status) => {
      const before = withJobs({ main: runningJob({ attempt: 2, missedAt: later(300) }) });
      const now = NOW + FIVE_MINUTES + TEN_MINUTES;
      const answer = observeJob.judge?.([seenJob({ status })], before, now);
      const known = { status: 'RUNNING', attempt: 2, ran: true };
      expect(answer).toMatchObject({ drafts: [{ type: 'BatchJobStateChange', data: known }] });
      const drafts = answer?.kind === 'conclude' ? answer.drafts : [];
      expect(drafts.length).toBe(1);
      expect(foresee(before, drafts, now).jobs.main?.missedAt).toBeUndefined();
    },
  );

  it('a job that was missed and is there again to be further, where Batch shows it so', () => {
    const before = withJobs({ main: runningJob({ missedAt: later(300) }) });
    const seen = seenJob({ status: 'SUCCEEDED', attempts: [exited(0)] });
    const answer = observeJob.judge?.([seen], before, NOW + FIVE_MINUTES);
    expect(answer).toMatchObject({ drafts: [{ data: { status: 'SUCCEEDED', exitCode: 0 } }, {}] });
  });

  it('of several jobs the one to be missed that is not shown', () => {
    const jobs = { main: runningJob(), b: runningJob({ name: 'b', jobId: 'job-b' }) };
    expect(observeJob.judge?.([seenJob()], withJobs(jobs), NOW + FIVE_MINUTES)).toMatchObject({
      drafts: [{ type: 'JobMissed', data: { job: 'b', jobId: 'job-b' } }],
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

describe('observe-job judges an array', () => {
  const array = (counts: ArrayCounts, failures: readonly ChildFailure[] = []) =>
    seenJob({ status: 'PENDING', array: { size: 20, counts, failures } });
  const believed = (changes: Partial<Job> = {}) =>
    runIn('running', {
      mode: 'taskExport',
      jobs: { main: submittedJob({ arraySize: 20, status: 'PENDING', ...changes }) },
    });
  const judge = (seen: SeenJob, run = believed()) => observeJob.judge?.([seen], run, NOW);
  const lost: ChildFailure = { index: 4, statusReason: 'Host EC2 (instance i-1) terminated.' };
  const broke: ChildFailure = { index: 4, exitCode: 3, logStream: 'main/4' };

  it('with another tenth of its tasks over to be news', () => {
    const counts = { RUNNABLE: 10, RUNNING: 8, SUCCEEDED: 2 };
    expect(judge(array(counts))).toMatchObject({
      drafts: [{ data: { status: 'PENDING', attempt: 0, ran: true, counts, failures: [] } }],
    });
  });

  it.each([
    ['with its tasks waiting', { RUNNABLE: 20 }, {}],
    ['with less than that', { RUNNING: 19, SUCCEEDED: 1 }, { counts: { RUNNING: 20 } }],
    ['with more tasks begun', { STARTING: 5, RUNNING: 15 }, { counts: { STARTING: 1 } }],
    [
      'with as many as before',
      { RUNNING: 16, SUCCEEDED: 3, FAILED: 1 },
      { counts: { RUNNING: 15, SUCCEEDED: 5 } },
    ],
    ['that was further before', { RUNNING: 20 }, { counts: { SUCCEEDED: 9 } }],
  ])('%s to be nothing new', (_what, counts, changes) => {
    expect(judge(array(counts), believed(changes))).toEqual({
      kind: 'ignore',
      reason: 'nothing new',
    });
  });

  it.each([{ STARTING: 1 }, { RUNNING: 1 }, { SUCCEEDED: 1 }, { FAILED: 1 }])(
    'of which the first task has begun to be news: %j',
    (begun) => {
      const counts = { RUNNABLE: 19, ...begun };
      expect(judge(array(counts), believed({ counts: { RUNNABLE: 20 } }))).toMatchObject({
        drafts: [{ type: 'BatchJobStateChange', data: { status: 'PENDING', counts } }],
      });
    },
  );

  it.each([{ RUNNING: 20 }, { RUNNING: 12, SUCCEEDED: 8 }])(
    'that was missed and is there again to have as many tasks over as were known: %j',
    (counts) => {
      const known = { counts: { RUNNING: 10, SUCCEEDED: 9, FAILED: 1 }, failures: [broke] };
      const before = believed({ ...known, ran: true, missedAt: later(-60) });
      const answer = judge(array(counts), before);
      expect(answer).toMatchObject({ drafts: [{ data: { status: 'PENDING', ...known } }] });
      const drafts = answer?.kind === 'conclude' ? answer.drafts : [];
      expect(foresee(before, drafts, NOW).jobs.main).toMatchObject({ ...known, ran: true });
      expect(foresee(before, drafts, NOW).jobs.main?.missedAt).toBeUndefined();
    },
  );

  it('that was missed and is further now to be told as it is seen', () => {
    const counts = { RUNNING: 4, SUCCEEDED: 16 };
    const before = believed({ counts: { RUNNING: 18, SUCCEEDED: 2 }, missedAt: later(-60) });
    expect(judge(array(counts), before)).toMatchObject({ drafts: [{ data: { counts } }] });
  });

  it('of 10,000 tasks to be worth a dozen events', () => {
    let run = runIn('running', {
      mode: 'taskExport',
      jobs: { main: submittedJob({ arraySize: 10_000 }) },
    });
    let events = 0;
    for (let over = 0; over <= 10_000; over += 1) {
      // Nothing runs yet when it is first seen.
      const counts = { [over === 0 ? 'RUNNABLE' : 'RUNNING']: 10_000 - over, SUCCEEDED: over };
      const seen = seenJob({ status: 'PENDING', array: { size: 10_000, counts, failures: [] } });
      const answer = judge(seen, run);
      if (answer?.kind !== 'conclude') continue;
      events += answer.drafts.length;
      run = foresee(run, answer.drafts, NOW);
    }
    expect(events).toBe(12);
  });

  it.each([
    [false, 'whose tasks only wait', { RUNNABLE: 20 }, []],
    [false, 'whose tasks begin', { STARTING: 20 }, []],
    [true, 'of which a task runs', { RUNNABLE: 19, RUNNING: 1 }, []],
    [true, 'of which a task failed by itself', { FAILED: 1 }, [broke]],
    [true, 'of which a task lost its host', { FAILED: 1 }, [lost]],
    [true, 'of which more tasks failed than are known', { FAILED: 2 }, [{ index: 1 }]],
    [
      false,
      'whose tasks all failed without a trace',
      { FAILED: 2 },
      [{ index: 1, statusReason: 'CannotPullContainerError' }, { index: 2 }],
    ],
  ] as const)('as one that may have results, %s: %s', (ran, _what, counts, failures) => {
    const fresh = believed({ status: 'SUBMITTED' });
    expect(judge(array(counts, failures), fresh)).toMatchObject({ drafts: [{ data: { ran } }] });
  });

  it('that failed with the code and the log of the task that failed first', () => {
    const counts = { SUCCEEDED: 17, FAILED: 3 };
    const reason = 'Array Child Job failed';
    const seen = { ...array(counts, [broke, { index: 1 }]), status: 'FAILED' as const };
    expect(judge({ ...seen, statusReason: reason })).toMatchObject({
      drafts: [
        { data: { statusReason: reason, exitCode: 3, logStream: 'main/4', counts } },
        {
          type: 'StorageRetained',
          data: {
            exitCode: 3,
            logStream: 'main/4',
            verdict: {
              reason: 'job main failed: 3 of 20 tasks, the first (task 4) with exit code 3',
            },
          },
        },
      ],
    });
  });

  it('with 20 failures at the most', () => {
    const failures = Array.from({ length: 30 }, (_, index) => ({ index }));
    const answer = judge(array({ FAILED: 20 }, failures));
    expect(answer).toMatchObject({ drafts: [{ data: { failures: failures.slice(0, 20) } }] });
  });

  it('that failed by interruptions alone to leave the run as it is', () => {
    const seen = { ...array({ SUCCEEDED: 19, FAILED: 1 }, [lost]), status: 'FAILED' as const };
    expect(types(judge(seen))).toEqual(['BatchJobStateChange']);
  });

  it('that was missed for ten minutes to have failed, whatever its tasks were', () => {
    const missedAt = later(300);
    const known = believed({ counts: { FAILED: 1 }, failures: [lost], ran: true, missedAt });
    expect(types(observeJob.judge?.([], known, NOW + FIVE_MINUTES + TEN_MINUTES))).toEqual([
      'BatchJobStateChange',
      'StorageRetained',
    ]);
  });
});

describe('observe-job watches the jobs of a retained run', () => {
  const retained = (main: Job, overrides: Partial<Run> = {}) =>
    runIn('retained', { jobs: { main }, retainUntil: later(24 * 3600), ...overrides });

  it('that did not end when they were told to', () => {
    expect(observeJob.decide(retained(runningJob()), probe, NOW)).toEqual({
      kind: 'look',
      target: ['job-1'],
    });
  });

  it.each([submittedJob({ status: 'FAILED', ran: true }), submittedJob({ status: 'SUCCEEDED' })])(
    'and concludes nothing from those that are over (%#)',
    (main) => {
      expect(observeJob.decide(retained(main), probe, NOW)).toEqual({
        kind: 'conclude',
        drafts: [],
      });
    },
  );

  it.each(['FAILED', 'SUCCEEDED'] as const)(
    'and writes how one ended, and nothing that follows: %s',
    (status) => {
      const seen = seenJob({ status, attempts: [exited(status === 'FAILED' ? 1 : 0)] });
      expect(types(observeJob.judge?.([seen], retained(runningJob()), NOW))).toEqual([
        'BatchJobStateChange',
      ]);
    },
  );

  it('and misses one that is not shown, and lets it fail after ten minutes', () => {
    const missed = retained(runningJob({ missedAt: later(0) }));
    expect([
      types(observeJob.judge?.([], retained(runningJob()), NOW + FIVE_MINUTES)),
      types(observeJob.judge?.([], missed, NOW + TEN_MINUTES)),
    ]).toEqual([['JobMissed'], ['BatchJobStateChange']]);
  });

  it('each ten seconds at first, and less and less, while one may be alive', () => {
    const judged = (now: number) =>
      observeJob.judge?.([seenJob()], retained(runningJob(), { since: later(0) }), now);
    const hour = 3_600_000;
    expect([judged(NOW), judged(NOW + hour)]).toEqual([
      { kind: 'again', at: NOW + 10_000 },
      { kind: 'again', at: NOW + hour + hour / 20 },
    ]);
  });

  it('on until their end is known, though Batch has none that lives', () => {
    const ended = retained(runningJob(), { jobsEndedAt: later(0) });
    expect(observeJob.judge?.([seenJob()], ended, NOW)).toMatchObject({ kind: 'again' });
  });
});
