import fc from 'fast-check';
import {
  ACTIVE_STATUSES,
  type AnyDraft,
  afterCancel,
  afterDeadline,
  afterExport,
  afterExportFailure,
  afterFailure,
  afterJobs,
  afterLoss,
  afterRefusal,
  afterReleaseRequest,
  afterResume,
  allows,
  apply,
  type ChildFailure,
  deadlineOf,
  defaultsOf,
  endOf,
  isAtRest,
  isLast,
  isToBeKept,
  type Job,
  JobRefused,
  JobRequested,
  MODES,
  type Mode,
  mayBeAlive,
  nextJobs,
  type Run,
  type RunParameters,
  RunResumed,
  STATUSES,
  StorageLost,
  storageWanted,
  type Verdict,
  wasInterrupted,
} from '../../events';
import { BEGUN, job, run } from '../support/builders';
import { walks } from './walks';

const NOW = Date.parse('2026-01-03T00:00:00.000Z');
const TOMORROW = '2026-01-04T00:00:00.000Z';

const SPENT = {
  status: 'FAILED',
  submission: 1,
  attempt: 5,
  attempts: 5,
  ran: true,
  statusReason: 'Host EC2 (instance i-1) terminated.',
} as const;
const BROKE = { ...SPENT, attempt: 1, exitCode: 1, statusReason: undefined } as const;
const DONE = { status: 'SUCCEEDED', submission: 1, attempt: 1, ran: true, exitCode: 0 } as const;
const ACTIVE = { status: 'RUNNING', submission: 1, attempt: 1, ran: true } as const;
const MISSED = { ...BROKE, missedAt: BEGUN } as const;
const AGAIN = { ...BROKE, submission: 2 } as const;
const CANCELLED: Verdict = { kind: 'cancelled', reason: 'not needed' };
const FAILED: Verdict = { kind: 'failed', reason: 'it broke' };

/** A running run with these jobs, on a volume unless the mode says otherwise. */
function running(
  jobs: readonly Partial<Job>[],
  { mode = 'onlyEBS', parameters, ...changes }: Partial<Run> & { mode?: Mode } = {},
): Run {
  const kind = mode === 'onlyEBS' ? 'volume' : 'fileSystem';
  return run({
    mode,
    status: 'running',
    parameters: { ...defaultsOf(mode), ...parameters },
    storage: { ...run().storage, kind, id: 'vol-1' },
    jobs: Object.fromEntries(jobs.map((each) => [each.name ?? 'main', job(each)])),
    ...changes,
  });
}

const names = (jobs: readonly Job[]) => jobs.map(({ name }) => name);
const types = (drafts: readonly { type: string }[]) => drafts.map(({ type }) => type);

describe('the last attempt of a job', () => {
  it.each([
    ['its host went', { statusReason: 'Host EC2 (instance i-1) terminated.' }],
    ['its host went, with a reason before that', { statusReason: 'x; Host EC2 (i-1) gone' }],
    ['its container could not start', { statusReason: 'CannotStartContainerError: x' }],
    ['Docker took too long', { statusReason: 'DockerTimeoutError: x' }],
    ['it said so itself', { exitCode: 143 }],
    [
      'it said so itself, and Batch says that it left',
      { exitCode: 143, statusReason: 'Essential container in task exited' },
    ],
  ])('was interrupted where %s', (_title, end) => {
    expect(wasInterrupted(job(end))).toBe(true);
  });

  it.each([
    ['it failed', { exitCode: 1 }],
    ['it was killed', { exitCode: 137, statusReason: 'OutOfMemoryError: x' }],
    ['Batch says nothing', {}],
    [
      'it left with 143 at its time limit',
      { exitCode: 143, statusReason: 'Job attempt duration exceeded timeout' },
    ],
    ['somebody terminated it', { exitCode: 143, statusReason: 'enough of this' }],
    ['it speaks of a host', { exitCode: 1, statusReason: 'no such Host EC2' }],
  ])('was not interrupted where %s', (_title, end) => {
    expect(wasInterrupted(job(end))).toBe(false);
  });
});

describe('the jobs that may be submitted', () => {
  it('are those that nothing waits for', () => {
    const jobs = [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }, { name: 'c' }];
    expect(names(nextJobs(running(jobs)))).toEqual(['a', 'c']);
  });

  it.each(['WAITING', 'REQUESTED', 'SUBMITTED', 'RUNNING', 'FAILED'] as const)(
    'are not those behind a job that is %s',
    (status) => {
      const jobs = [
        { name: 'a', status },
        { name: 'b', dependsOn: ['a'] },
      ];
      expect(names(nextJobs(running(jobs)))).not.toContain('b');
    },
  );

  it('are those behind jobs that all succeeded', () => {
    const jobs = [
      { ...DONE, name: 'a' },
      { ...DONE, name: 'b' },
      { name: 'c', dependsOn: ['a', 'b'] },
    ];
    expect(names(nextJobs(running(jobs)))).toEqual(['c']);
  });

  it('are not those behind jobs of which one has not succeeded', () => {
    const jobs = [{ ...DONE, name: 'a' }, { name: 'b' }, { name: 'c', dependsOn: ['a', 'b'] }];
    expect(names(nextJobs(running(jobs)))).toEqual(['b']);
  });

  it.each([
    'REQUESTED',
    'SUBMITTED',
    'PENDING',
    'RUNNABLE',
    'STARTING',
    'RUNNING',
    'SUCCEEDED',
  ] as const)('are not those that Batch has, or may have: %s', (status) => {
    expect(nextJobs(running([{ status, submission: 1 }]))).toEqual([]);
  });

  it('are those whose names are words of the language', () => {
    const jobs = [
      { ...DONE, name: 'constructor' },
      { name: 'b', dependsOn: ['constructor'] },
    ];
    expect(names(nextJobs(running(jobs)))).toEqual(['b']);
  });

  it('are not those behind a job that waits, though its name is a word of the language', () => {
    const jobs = [{ name: 'constructor' }, { name: 'b', dependsOn: ['constructor'] }];
    expect(names(nextJobs(running(jobs)))).toEqual(['constructor']);
  });

  it.each([1, 2])(
    'are those whose attempts were interrupted, after submission %i',
    (submission) => {
      expect(names(nextJobs(running([{ ...SPENT, submission }])))).toEqual(['main']);
    },
  );

  it('are not those that were submitted again as often as they may be', () => {
    expect(nextJobs(running([{ ...SPENT, submission: 3 }]))).toEqual([]);
  });

  it.each([
    ['are', 3, ['main']],
    ['are', 5, ['main']],
    ['are not', 6, []],
  ] as const)(
    '%s those with submission %i, of which the first three were made before the run was resumed',
    (_are, submission, expected) => {
      const spent = { ...SPENT, submission, submissionsBefore: 3 };
      expect(names(nextJobs(running([spent])))).toEqual(expected);
    },
  );

  it('may be submitted as often after a resumption as before it', () => {
    const at = { time: TOMORROW, id: 'r1', mode: 'onlyEBS' } as const;
    const spent = running([{ ...SPENT, submission: 3 }], { status: 'retained' });
    let resumed = apply(spent, RunResumed.of({ jobs: ['main'], requestId: 'q1' }), at);
    const made: number[] = [];
    while (nextJobs(resumed).length > 0 && made.length < 10) {
      const submission = (resumed.jobs.main?.submission ?? 0) + 1;
      made.push(submission);
      resumed = apply(resumed, JobRequested.of({ job: 'main', submission, jobName: 'n' }), at);
      const main = job({ ...resumed.jobs.main, ...SPENT, submission });
      resumed = { ...resumed, jobs: { main } };
    }
    expect(made).toEqual([4, 5, 6]);
  });

  it('are never interrupted ones where jobResubmissions is 0', () => {
    const parameters: RunParameters = { jobResubmissions: 0 };
    expect(nextJobs(running([SPENT], { parameters }))).toEqual([]);
  });

  it('are not those that left by themselves', () => {
    expect(nextJobs(running([{ ...SPENT, statusReason: undefined, exitCode: 1 }]))).toEqual([]);
  });

  it('are not those that somebody terminated with attempts left, though they left with 143', () => {
    const terminated = { ...SPENT, attempt: 4, exitCode: 143, statusReason: undefined };
    expect(nextJobs(running([terminated]))).toEqual([]);
  });

  it('are none once a job has failed', () => {
    expect(nextJobs(running([{ ...BROKE, name: 'a' }, { name: 'b' }]))).toEqual([]);
  });

  it('are none once the run is to stop', () => {
    expect(nextJobs(running([{}], { stop: { verdict: CANCELLED, at: BEGUN } }))).toEqual([]);
  });

  it.each(['lost', 'released', 'kept'] as const)('are none once the storage is %s', (over) => {
    expect(nextJobs(running([{}], { storage: { ...run().storage, over } }))).toEqual([]);
  });
});

describe('a container of a run', () => {
  const alive = (jobs: readonly Partial<Job>[], changes: Partial<Run> = {}) =>
    mayBeAlive(running(jobs, changes));

  it.each(['REQUESTED', 'SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING'] as const)(
    'may be alive where a job is %s',
    (status) => {
      expect(
        alive([
          { ...DONE, name: 'a' },
          { status, submission: 1 },
        ]),
      ).toBe(true);
    },
  );

  it.each([
    ['was submitted more than once, however it ended', { ...DONE, submission: 2 }],
    ['waits after a submission that is not its first', { status: 'WAITING', submission: 2 }],
    ['was missed, though it counts as failed', { ...BROKE, missedAt: BEGUN }],
  ] as const)('may be alive where a job %s', (_what, main) => {
    expect(alive([main])).toBe(true);
  });

  it.each([
    ['have not been submitted', {}],
    ['were submitted once and succeeded', DONE],
    ['were submitted once and failed', BROKE],
    ['were submitted once and interrupted', SPENT],
    ['wait again after their first submission', { status: 'WAITING', submission: 1, ran: true }],
  ] as const)('is not alive where all jobs %s', (_what, main) => {
    expect(alive([main, { ...main, name: 'b' }])).toBe(false);
  });

  it('is not alive once Batch was seen to have none, whatever the jobs say', () => {
    const jobs = [{ status: 'RUNNING', submission: 3, missedAt: BEGUN }] as const;
    expect(alive(jobs, { jobsEndedAt: BEGUN })).toBe(false);
  });
});

describe('a run', () => {
  it.each([
    ['rests when it is over', true, STATUSES.filter(isLast), {}],
    ['rests when it is over, whatever its job says', true, STATUSES.filter(isLast), MISSED],
    ['moves on before that', false, ACTIVE_STATUSES.filter((each) => each !== 'retained'), DONE],
    ['rests when it is retained and its job is over', true, ['retained'], BROKE],
    ['moves on when it is retained and its job is active', false, ['retained'], ACTIVE],
    ['moves on when it is retained and its job is missed', false, ['retained'], MISSED],
    ['moves on while an earlier submission may live', false, ['retained'], AGAIN],
  ] as const)('%s', (_title, isResting, statuses, main) => {
    for (const status of statuses) expect(isAtRest(running([main], { status }))).toBe(isResting);
  });

  it.each([
    ['once its jobs are known to have ended', true, AGAIN],
    ['once a missed one is known to have ended', true, MISSED],
    ['not while one of them is believed to be active all the same', false, ACTIVE],
  ] as const)('that is retained rests %s', (_title, isResting, main) => {
    const retained = running([main], { status: 'retained', jobsEndedAt: BEGUN });
    expect(isAtRest(retained)).toBe(isResting);
  });
});

/** A task whose host went, one that never began, and one that failed by itself. */
const LOST = { index: 4, statusReason: 'Host EC2 (instance i-1) terminated.', logStream: 'a/4' };
const UNBEGUN = { index: 4, statusReason: 'Dependent Job failed' };
const FELL = { index: 7, exitCode: 1, logStream: 'a/7' };
const ARRAY = { name: 'a', arraySize: 20, jobId: 'job-a', submission: 1, ran: true } as const;

/** An array that failed with these tasks. */
const failedWith = (...failures: readonly ChildFailure[]): Partial<Job> => ({
  ...ARRAY,
  status: 'FAILED',
  counts: { SUCCEEDED: 20 - failures.length, FAILED: failures.length },
  failures,
});

describe('an array that failed', () => {
  const next = (main: Partial<Job>, parameters: RunParameters = {}) =>
    names(nextJobs(running([main], { mode: 'taskExport', parameters })));

  it.each([
    ['its tasks lost their hosts', [LOST]],
    ['its tasks left with 143', [LOST, { index: 5, exitCode: 143 }]],
  ])('goes again, all of it, where %s', (_why, failures) => {
    expect(next(failedWith(...failures))).toEqual(['a']);
  });

  it.each([
    ['a task failed by itself', [LOST, FELL]],
    ['nothing is known of its tasks', []],
    ['a task fell with a dependency that it has not', [LOST, UNBEGUN]],
    [
      'a task left with 143 at its time limit',
      [{ index: 1, exitCode: 143, statusReason: 'Job attempt duration exceeded timeout' }],
    ],
  ])('does not where %s', (_why, failures) => {
    expect(next(failedWith(...failures))).toEqual([]);
  });

  it('does not go more often than it may', () => {
    expect(next({ ...failedWith(LOST), submission: 3 })).toEqual([]);
  });

  it('goes again where its tasks run one after the other and the last one lost its host', () => {
    const sequential = { ...failedWith(LOST, UNBEGUN, UNBEGUN), sequential: true };
    expect(next(sequential)).toEqual(['a']);
  });

  it.each([
    ['failed by itself', [FELL, UNBEGUN]],
    ['could not begin', [{ index: 1, statusReason: 'CannotPullContainerError' }, UNBEGUN]],
  ])('does not where its tasks run one after the other and one %s', (_what, failures) => {
    expect(next({ ...failedWith(...failures), sequential: true })).toEqual([]);
  });

  it.each([
    ['3 of 20 tasks, the first (task 7) with exit code 1', [FELL, FELL, LOST]],
    ['1 of 20 tasks, the first (task 4): Dependent Job failed', [UNBEGUN]],
    [
      '1 of 20 tasks, the first (task 2) with exit code 137 (OutOfMemoryError)',
      [{ index: 2, exitCode: 137, statusReason: 'OutOfMemoryError' }],
    ],
  ])('says which tasks: %s', (said, failures) => {
    const failed = running([failedWith(...failures)], { mode: 'taskExport' });
    expect(afterJobs(failed, NOW)[0]?.data).toMatchObject({
      verdict: { reason: `job a failed: ${said}` },
    });
  });

  it('says of how many submissions its tasks were interrupted to the end', () => {
    const failed = running([{ ...failedWith(LOST), submission: 3 }], { mode: 'taskExport' });
    expect(afterJobs(failed, NOW)[0]?.data).toMatchObject({
      verdict: {
        reason:
          'job a was interrupted to the end of 3 submissions of 5 attempts: 1 of 20 tasks, the first (task 4): Host EC2 (instance i-1) terminated.',
      },
    });
  });

  it('says what Batch says where it knows of no task', () => {
    const failed = running([{ ...ARRAY, status: 'FAILED', statusReason: 'no such queue' }]);
    expect(afterJobs(failed, NOW)[0]?.data).toMatchObject({
      verdict: { reason: 'job a failed: no such queue' },
    });
  });
});

describe('an array whose tasks wait for those of another', () => {
  const B = { ...ARRAY, name: 'b', jobId: 'job-b', nToN: ['a'] };
  const fell = { ...failedWith(UNBEGUN), ...{ name: 'b', jobId: 'job-b', nToN: ['a'] } };
  const pair = (a: Partial<Job>, b: Partial<Job>) => running([a, b], { mode: 'taskExport' });
  const next = (a: Partial<Job>, b: Partial<Job>) => names(nextJobs(pair(a, b)));
  const waiting = { ...B, status: 'WAITING', jobId: undefined, submission: 0 } as const;

  it.each(['SUBMITTED', 'PENDING', 'SUCCEEDED'] as const)(
    'is submitted when the other one is %s',
    (status) => {
      expect(next({ ...ARRAY, status }, waiting)).toEqual(['b']);
    },
  );

  it.each(['WAITING', 'REQUESTED'] as const)('is not while the other one is %s', (status) => {
    expect(next({ ...ARRAY, status, jobId: undefined }, waiting)).not.toContain('b');
  });

  it('is not while a job that must have succeeded has not', () => {
    const jobs = [
      { ...ARRAY, status: 'PENDING' as const },
      { name: 'c', status: 'RUNNING' as const },
      { ...waiting, dependsOn: ['c'] },
    ];
    expect(nextJobs(running(jobs, { mode: 'taskExport' }))).toEqual([]);
  });

  it('is not before the other one that goes again', () => {
    expect(next(failedWith(LOST), waiting)).toEqual(['a']);
  });

  it('lets the other one go again first when it fell with it', () => {
    expect(next(failedWith(LOST), fell)).toEqual(['a']);
  });

  it.each(['REQUESTED', 'SUBMITTED', 'PENDING', 'RUNNING'] as const)(
    'keeps the other one from going again while it is %s',
    (status) => {
      expect(next(failedWith(LOST), { ...B, status })).toEqual([]);
    },
  );

  it.each([
    ['is at Batch again', 'PENDING', 'job-a2', ['b']],
    ['has succeeded by then', 'SUCCEEDED', 'job-a2', ['b']],
    ['is only asked for again', 'REQUESTED', undefined, []],
  ] as const)('goes again after the other one that %s', (_what, status, jobId, expected) => {
    expect(next({ ...ARRAY, status, jobId, submission: 2 }, fell)).toEqual(expected);
  });

  it('goes again with tasks that fell and tasks that were interrupted', () => {
    const both = { ...fell, failures: [UNBEGUN, LOST] };
    expect(next({ ...ARRAY, status: 'PENDING', submission: 2 }, both)).toEqual(['b']);
  });

  it.each([
    ['a task of its own failed', { failures: [UNBEGUN, FELL] }],
    ['Batch refused it', { jobId: undefined, counts: undefined, failures: undefined }],
    ['Batch does not know it any more', { counts: undefined, failures: undefined }],
    ['it was submitted often enough', { submission: 3 }],
  ])('has failed for good where %s', (_why, changes) => {
    const failed = pair({ ...ARRAY, status: 'SUCCEEDED', submission: 2 }, { ...fell, ...changes });
    expect([nextJobs(failed), types(afterJobs(failed, NOW))]).toEqual([[], ['StorageRetained']]);
  });

  it('has failed for good where the other one never failed', () => {
    expect(next({ ...ARRAY, status: 'SUCCEEDED' }, fell)).toEqual([]);
  });

  it('has failed for good where the other one went again only before the run was resumed', () => {
    const resumed = { ...ARRAY, status: 'SUCCEEDED', submission: 2, submissionsBefore: 2 } as const;
    expect(next(resumed, fell)).toEqual([]);
  });

  it('goes again in a row of three, each after the one that it waits for', () => {
    const c = { ...fell, name: 'c', jobId: 'job-c', nToN: ['b'] };
    const chosen = (a: Partial<Job>, b: Partial<Job>) =>
      names(nextJobs(running([a, b, c], { mode: 'taskExport' })));
    const again = { submission: 2, status: 'PENDING' } as const;
    expect([
      chosen(failedWith(LOST), fell),
      chosen({ ...ARRAY, ...again }, fell),
      chosen({ ...ARRAY, ...again }, { ...B, ...again }),
    ]).toEqual([['a'], ['b'], ['c']]);
  });

  it('leaves the failure to the one that failed by itself, wherever it stands', () => {
    const jobs = [{ ...fell }, failedWith(FELL)];
    expect(afterJobs(running(jobs, { mode: 'taskExport' }), NOW)[0]?.data).toMatchObject({
      verdict: {
        reason: 'job a failed: 1 of 20 tasks, the first (task 7) with exit code 1',
      },
    });
  });

  it('leads nowhere while it may go again', () => {
    expect(afterJobs(pair(failedWith(LOST), fell), NOW)).toEqual([]);
  });
});

describe('a change of the jobs', () => {
  it.each(['REQUESTED', 'SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING'] as const)(
    'leads nowhere while a job is %s',
    (status) => {
      expect(afterJobs(running([DONE, { name: 'b', status }]), NOW)).toEqual([]);
    },
  );

  it('leads nowhere while another job runs beside the one that failed', () => {
    const jobs = [
      { ...BROKE, name: 'a' },
      { name: 'b', status: 'RUNNING' as const },
    ];
    expect(afterJobs(running(jobs), NOW)).toEqual([]);
  });

  it('leads nowhere while a job waits for its turn', () => {
    expect(afterJobs(running([DONE, { name: 'b', dependsOn: ['main'] }]), NOW)).toEqual([]);
  });

  it('leads nowhere while an interrupted job may go on', () => {
    expect(afterJobs(running([SPENT]), NOW)).toEqual([]);
  });

  it('leads a volume to its release when all jobs succeeded', () => {
    expect(afterJobs(running([DONE]), NOW)).toEqual([
      { type: 'ReleaseStarted', data: { verdict: { kind: 'succeeded' } } },
    ]);
  });

  it.each(['taskExport', 'autoExport'] as const)(
    'leads a file system to its export when all jobs succeeded: %s',
    (mode) => {
      expect(afterJobs(running([DONE], { mode }), NOW)).toEqual([
        { type: 'ExportRequested', data: { verdict: { kind: 'succeeded' } } },
      ]);
    },
  );

  it('keeps the storage of a job that failed, and says what it said', () => {
    const broke = { ...BROKE, exitCode: 3, logStream: 'log/1' };
    expect(afterJobs(running([broke]), NOW)).toEqual([
      {
        type: 'StorageRetained',
        data: {
          verdict: { kind: 'failed', reason: 'job main failed with exit code 3' },
          exitCode: 3,
          logStream: 'log/1',
          retainUntil: TOMORROW,
          pricePerHour: expect.closeTo(0.089, 3),
        },
      },
    ]);
  });

  it.each([
    ['OutOfMemoryError: killed', ' (OutOfMemoryError: killed)'],
    ['Essential container in task exited', ''],
    ['Essential container in task exited; OutOfMemoryError', ' (OutOfMemoryError)'],
  ])('says what Batch said of a job that failed, beyond that it left: %s', (statusReason, said) => {
    const broke = { ...BROKE, exitCode: 137, statusReason };
    expect(afterJobs(running([broke]), NOW)[0]?.data).toMatchObject({
      verdict: { kind: 'failed', reason: `job main failed with exit code 137${said}` },
    });
  });

  it.each([
    ['was interrupted to the end of', true],
    ['could not be started in', false],
  ])('says of a job that was interrupted for good that it %s its submissions', (what, ran) => {
    expect(afterJobs(running([{ ...SPENT, submission: 3, ran }]), NOW)[0]?.data).toMatchObject({
      verdict: {
        kind: 'failed',
        reason: `job main ${what} 3 submissions of 5 attempts: Host EC2 (instance i-1) terminated.`,
      },
    });
  });

  it('says of a job that left with 143 to the end of its only submission that it did', () => {
    const parameters: RunParameters = { jobResubmissions: 0 };
    const left = { ...SPENT, exitCode: 143, statusReason: undefined };
    expect(afterJobs(running([left], { parameters }), NOW)[0]?.data).toMatchObject({
      verdict: {
        reason: 'job main was interrupted to the end of 1 submission of 5 attempts: exit code 143',
      },
    });
  });

  it.each([
    [1, 1, '1 submission of 1 attempt'],
    [1, 2, '1 submission of 2 attempts'],
    [2, 1, '2 submissions of 1 attempt'],
  ])('counts %i and %i as %s', (submission, attempts, counted) => {
    const parameters: RunParameters = { jobResubmissions: submission - 1 };
    const spent = { ...SPENT, submission, attempts, attempt: attempts };
    expect(afterJobs(running([spent], { parameters }), NOW)[0]?.data).toMatchObject({
      verdict: {
        reason: `job main was interrupted to the end of ${counted}: Host EC2 (instance i-1) terminated.`,
      },
    });
  });

  it('says with which code a job left to the end, not that Batch saw it leave', () => {
    const statusReason = 'Essential container in task exited';
    const left = { ...SPENT, submission: 3, exitCode: 143, statusReason };
    expect(afterJobs(running([left]), NOW)[0]?.data).toMatchObject({
      verdict: {
        reason: 'job main was interrupted to the end of 3 submissions of 5 attempts: exit code 143',
      },
    });
  });

  it('says why a job that never ran failed', () => {
    const refused = { status: 'FAILED', statusReason: 'no such queue' } as const;
    expect(afterJobs(running([refused]), NOW)[0]?.data).toMatchObject({
      verdict: { reason: 'job main failed: no such queue' },
    });
  });

  it('leads a resumed file system to its export where that is the policy', () => {
    const resumed = running([{ ...BROKE, statusReason: 'no such queue' }], {
      mode: 'taskExport',
      status: 'ready',
      parameters: { onFailure: 'export' },
    });
    const drafts = afterJobs(resumed, NOW);
    expect(drafts.map(({ type }) => [type, allows(resumed, type)])).toEqual([
      ['ExportRequested', true],
    ]);
  });

  it('leads to the release when the first job was refused and nothing ran', () => {
    const refused = running([{ status: 'FAILED', statusReason: 'no' }], { status: 'ready' });
    expect(types(afterJobs(refused, NOW))).toEqual(['ReleaseStarted']);
  });

  it.each(['queued', 'provisioning', 'exporting', 'releasing', 'retained', 'failed'] as const)(
    'leads nowhere in a run that is %s',
    (status) => {
      expect(afterJobs(running([DONE], { status }), NOW)).toEqual([]);
    },
  );
});

describe('a job whose next submission is refused', () => {
  const at = { time: TOMORROW, id: 'r1', mode: 'onlyEBS' } as const;
  const requested = JobRequested.of({ job: 'main', submission: 2, jobName: 'n' });
  const refused = JobRefused.of({ job: 'main', submission: 2, reason: 'no such queue' });
  const refusedOn = (before: Run) => apply(apply(before, requested, at), refused, at);

  it.each([
    ['its last attempt was interrupted', SPENT],
    ['its last attempt left with 143', { ...SPENT, exitCode: 143, statusReason: undefined }],
  ])('is not submitted again, though %s', (_title, spent) => {
    expect(nextJobs(refusedOn(running([spent])))).toEqual([]);
  });

  it('failed for the reason of the refusal, not for that of its last attempt', () => {
    const spent = { ...SPENT, exitCode: 143, statusReason: undefined };
    expect(afterJobs(refusedOn(running([spent])), NOW)[0]?.data).toMatchObject({
      verdict: { kind: 'failed', reason: 'job main failed: no such queue' },
      exitCode: undefined,
    });
  });
});

describe('the end of the last job of a run that is to stop', () => {
  const stopping = (verdict: Verdict, jobs: readonly Partial<Job>[], changes: Partial<Run> = {}) =>
    running(jobs, { stop: { verdict, at: BEGUN }, ...changes });

  it.each(['REQUESTED', 'SUBMITTED', 'RUNNING'] as const)(
    'is waited for while a job is %s',
    (status) => {
      expect(afterJobs(stopping(CANCELLED, [{ status }]), NOW)).toEqual([]);
    },
  );

  it.each([[[BROKE]], [[DONE]], [[SPENT]], [[DONE, { name: 'b', dependsOn: ['main'] }]]])(
    'releases a cancelled volume, whatever became of its jobs (%#)',
    (jobs) => {
      expect(afterJobs(stopping(CANCELLED, jobs), NOW)).toEqual([
        { type: 'ReleaseStarted', data: { verdict: CANCELLED } },
      ]);
    },
  );

  it('keeps a cancelled file system that may hold results', () => {
    const cancelled = stopping(CANCELLED, [BROKE], { mode: 'taskExport' });
    expect(afterJobs(cancelled, NOW)[0]).toMatchObject({
      type: 'StorageRetained',
      data: { verdict: CANCELLED, retainUntil: TOMORROW },
    });
  });

  it('keeps a cancelled volume that was resumed: somebody wanted to go on with what it holds', () => {
    const resumed = { ...BROKE, submission: 2, submissionsBefore: 1 };
    expect(afterJobs(stopping(CANCELLED, [resumed]), NOW)[0]).toMatchObject({
      type: 'StorageRetained',
      data: { verdict: CANCELLED, retainUntil: TOMORROW },
    });
  });

  it('releases a cancelled volume that was resumed where that is its policy', () => {
    const resumed = { ...BROKE, submission: 2, submissionsBefore: 1 };
    const parameters: RunParameters = { onFailure: 'release' };
    expect(types(afterJobs(stopping(CANCELLED, [resumed], { parameters }), NOW))).toEqual([
      'ReleaseStarted',
    ]);
  });

  it('releases a cancelled volume whose job was submitted again, but never resumed', () => {
    const again = { ...BROKE, submission: 2, submissionsBefore: 0 };
    expect(types(afterJobs(stopping(CANCELLED, [again]), NOW))).toEqual(['ReleaseStarted']);
  });

  it('leaves a cancelled file system with the verdict that it was cancelled', () => {
    const cancelled = stopping(CANCELLED, [BROKE], { mode: 'taskExport' });
    const at = { time: TOMORROW, id: 'r1', mode: 'taskExport' } as const;
    const end = afterJobs(cancelled, NOW).reduce<Run>(
      (each, draft) => apply(each, draft, at),
      cancelled,
    );
    expect(end.verdict).toEqual(CANCELLED);
  });

  it('releases a cancelled file system on which nothing ran', () => {
    const cancelled = stopping(CANCELLED, [{ status: 'FAILED' }], { mode: 'taskExport' });
    expect(types(afterJobs(cancelled, NOW))).toEqual(['ReleaseStarted']);
  });

  it('keeps the storage of a run that took too long', () => {
    expect(afterJobs(stopping(FAILED, [BROKE]), NOW)[0]).toMatchObject({
      type: 'StorageRetained',
      data: { verdict: FAILED },
    });
  });

  it('releases what is lost', () => {
    const storage = { ...run().storage, over: 'lost' as const };
    expect(afterJobs(stopping(FAILED, [BROKE], { storage }), NOW)).toEqual([
      { type: 'ReleaseStarted', data: { verdict: FAILED } },
    ]);
  });
});

describe('a failure', () => {
  const broken = (
    onFailure: RunParameters['onFailure'],
    jobs: readonly Partial<Job>[],
    mode?: Mode,
  ) => afterFailure(running(jobs, { mode, parameters: { onFailure } }), 'it broke', NOW);

  it.each([
    ['retain', 'onlyEBS', 'StorageRetained'],
    ['release', 'onlyEBS', 'ReleaseStarted'],
    ['retain', 'taskExport', 'StorageRetained'],
    ['export', 'taskExport', 'ExportRequested'],
    ['release', 'taskExport', 'ReleaseStarted'],
    ['export', 'autoExport', 'ExportRequested'],
  ] as const)('with onFailure %s in %s is followed by %s', (onFailure, mode, type) => {
    expect(types(broken(onFailure, [BROKE], mode))).toEqual([type]);
  });

  it.each(['retain', 'export', 'release'] as const)(
    'with onFailure %s is followed by the release where nothing ran',
    (onFailure) => {
      const never = { status: 'FAILED', ran: false } as const;
      expect(broken(onFailure, [never], 'taskExport')).toEqual([
        { type: 'ReleaseStarted', data: { verdict: FAILED } },
      ]);
    },
  );

  it('keeps the storage where any of the jobs ran', () => {
    const jobs = [
      { name: 'a', ran: true },
      { name: 'b', status: 'FAILED' as const },
    ];
    expect(types(broken('retain', jobs))).toEqual(['StorageRetained']);
  });

  it.each(['REQUESTED', 'SUBMITTED', 'RUNNABLE', 'RUNNING'] as const)(
    'keeps the storage where a job may have run, though nobody saw it: %s',
    (status) => {
      const jobs = [{ name: 'a', status, ran: false }];
      expect([types(broken('retain', jobs)), types(broken('export', jobs, 'taskExport'))]).toEqual([
        ['StorageRetained'],
        ['StorageRetained'],
      ]);
    },
  );

  it('hands its sentence to the export', () => {
    expect(broken('export', [BROKE], 'taskExport')).toEqual([
      { type: 'ExportRequested', data: { verdict: FAILED } },
    ]);
  });

  it('keeps the storage for retainHours', () => {
    const kept = running([BROKE], { parameters: { retainHours: 2 } });
    expect(afterFailure(kept, 'it broke', NOW)[0]?.data).toMatchObject({
      retainUntil: '2026-01-03T02:00:00.000Z',
    });
  });

  it.each(['lost', 'released'] as const)('keeps nothing that is %s', (over) => {
    const gone = running([BROKE], { storage: { ...run().storage, over } });
    expect(types(afterFailure(gone, 'it broke', NOW))).toEqual(['ReleaseStarted']);
  });
});

describe('a deadline', () => {
  const late = (status: Run['status'], changes: Partial<Run> = {}) =>
    running([{ ...BROKE, since: BEGUN }], { status, since: BEGUN, retainUntil: BEGUN, ...changes });
  // A year after the run began: beyond every deadline.
  const FAR = Date.parse('2027-01-01T00:00:00.000Z');

  it.each(ACTIVE_STATUSES)('leads nowhere a moment before it passes: %s', (status) => {
    const each = late(status);
    expect(afterDeadline(each, deadlineOf(each) - 1)).toEqual([]);
  });

  it.each([
    ['queued', ['DeadlinePassed', 'ReleaseStarted']],
    ['provisioning', ['DeadlinePassed', 'ReleaseStarted']],
    ['ready', ['DeadlinePassed', 'StorageRetained']],
    ['running', ['DeadlinePassed', 'StopRequested']],
    ['exporting', ['DeadlinePassed', 'StorageRetained']],
    ['releasing', ['DeadlinePassed']],
    ['retained', ['ReleaseStarted']],
  ] as const)('of a run that is %s is followed by %j', (status, expected) => {
    const each = late(status);
    expect(types(afterDeadline(each, deadlineOf(each)))).toEqual(expected);
  });

  it.each(['succeeded', 'failed', 'cancelled', 'rejected'] as const)(
    'never passes for a run that is %s',
    (status) => {
      expect(afterDeadline(late(status), FAR)).toEqual([]);
    },
  );

  it('is reported with its time', () => {
    expect(afterDeadline(late('provisioning'), FAR)[0]?.data).toEqual({
      overdue: 'provisioning',
      deadline: '2026-01-01T01:00:00.000Z',
    });
  });

  it('says in which status the run was for too long', () => {
    expect(afterDeadline(late('provisioning'), FAR)[1]?.data).toEqual({
      verdict: {
        kind: 'failed',
        reason: 'the run was provisioning for longer than it may be',
      },
    });
  });

  it('says why there was no room', () => {
    const storage = { ...run().storage, failure: 'the quota is spent' };
    expect(afterDeadline(late('queued', { storage }), FAR)[1]?.data).toMatchObject({
      verdict: { reason: 'the run was queued for longer than it may be: the quota is spent' },
    });
  });

  it('of a run that can be submitted releases storage on which nothing ran', () => {
    const idle = late('ready', { jobs: { main: job() } });
    expect(types(afterDeadline(idle, FAR))).toEqual(['DeadlinePassed', 'ReleaseStarted']);
  });

  it('of a resumed file system leads to its export where that is the policy', () => {
    const parameters: RunParameters = { onFailure: 'export' };
    const resumed = late('ready', { mode: 'taskExport', parameters });
    const drafts = afterDeadline(resumed, deadlineOf(resumed));
    expect(drafts.map(({ type }) => [type, allows(resumed, type)])).toEqual([
      ['DeadlinePassed', true],
      ['ExportRequested', true],
    ]);
  });

  it('of jobs that do not stop leads on without them', () => {
    const stop = { verdict: CANCELLED, at: BEGUN };
    const stuck = late('running', { stop, jobs: { main: job({ status: 'RUNNING', ran: true }) } });
    expect(afterDeadline(stuck, FAR).slice(1)).toEqual([
      { type: 'ReleaseStarted', data: { verdict: CANCELLED } },
    ]);
  });

  it('of jobs on a file system that do not stop keeps it, though nobody saw them run', () => {
    const stop = { verdict: CANCELLED, at: BEGUN };
    const jobs = { main: job({ status: 'SUBMITTED', submission: 1 }) };
    const stuck = late('running', { mode: 'taskExport', stop, jobs });
    const onLustre = { ...stuck, storage: { ...stuck.storage, kind: 'fileSystem' as const } };
    expect(types(afterDeadline(onLustre, FAR))).toEqual(['DeadlinePassed', 'StorageRetained']);
  });

  it('of a release is reported once', () => {
    expect(afterDeadline(late('releasing', { overdue: 'releasing' }), FAR)).toEqual([]);
  });

  it('of a retained run ends it with the verdict that it was retained with', () => {
    expect(afterDeadline(late('retained', { verdict: FAILED }), FAR)).toEqual([
      { type: 'ReleaseStarted', data: { verdict: FAILED } },
    ]);
  });
});

describe('the loss of the storage', () => {
  it('stops a run whose jobs may still run', () => {
    expect(afterLoss(running([{ status: 'RUNNING' }]), 'it broke')).toEqual([
      { type: 'StopRequested', data: { verdict: FAILED } },
    ]);
  });

  it.each(['ready', 'exporting', 'retained'] as const)('ends a run that is %s', (status) => {
    expect(afterLoss(running([DONE], { status }), 'it broke')).toEqual([
      { type: 'ReleaseStarted', data: { verdict: FAILED } },
    ]);
  });
});

describe('the wish to cancel', () => {
  it.each(['queued', 'provisioning', 'ready'] as const)('ends a run that is %s', (status) => {
    expect(
      afterCancel(running([{}], { status }), { reason: 'not needed', requestId: 'q1' }, NOW),
    ).toEqual([{ type: 'ReleaseStarted', data: { verdict: CANCELLED, requestId: 'q1' } }]);
  });

  it('keeps a resumed file system that may hold results', () => {
    const resumed = running([BROKE], { mode: 'taskExport', status: 'ready' });
    expect(afterCancel(resumed, { reason: 'not needed', requestId: 'q1' }, NOW)).toMatchObject([
      { type: 'StorageRetained', data: { verdict: CANCELLED, retainUntil: TOMORROW } },
    ]);
  });

  it.each([
    ['a volume', running([BROKE], { status: 'ready' })],
    ['a file system on which nothing ran', running([{}], { mode: 'taskExport', status: 'ready' })],
    [
      'a file system that is lost',
      running([BROKE], {
        mode: 'taskExport',
        status: 'ready',
        storage: { ...run().storage, kind: 'fileSystem', over: 'lost' },
      }),
    ],
  ])('gives back %s', (_title, resumed) => {
    expect(afterCancel(resumed, { reason: 'not needed', requestId: 'q1' }, NOW)).toEqual([
      { type: 'ReleaseStarted', data: { verdict: CANCELLED, requestId: 'q1' } },
    ]);
  });

  it('keeps a resumed volume that may hold results', () => {
    const job = { ...BROKE, status: 'WAITING', submissionsBefore: 1 } as const;
    const resumed = running([job], { status: 'ready' });
    expect(afterCancel(resumed, { reason: 'not needed', requestId: 'q1' }, NOW)).toMatchObject([
      { type: 'StorageRetained', data: { verdict: CANCELLED, requestId: 'q1' } },
    ]);
  });

  it('stops a run that is running', () => {
    expect(
      afterCancel(running([{ status: 'RUNNING' }]), { reason: 'not needed', requestId: 'q1' }, NOW),
    ).toEqual([{ type: 'StopRequested', data: { verdict: CANCELLED, requestId: 'q1' } }]);
  });

  it.each([
    ['releasing', 'the storage is being given back already'],
    ['exporting', 'the results are on their way to S3: the storage goes when they are there'],
    ['retained', 'the run is retained: release it, and its storage is given back'],
    ['succeeded', 'the run is over: succeeded'],
    ['failed', 'the run is over: failed'],
    ['cancelled', 'the run is over: cancelled'],
    ['rejected', 'the run is over: rejected'],
  ] as const)('is refused for a run that is %s, with a reason', (status, reason) => {
    expect(
      afterCancel(running([DONE], { status }), { reason: 'not needed', requestId: 'q1' }, NOW),
    ).toEqual([
      { type: 'RequestRefused', data: { request: 'RunCancelRequested', reason, requestId: 'q1' } },
    ]);
  });

  it('is refused for a run that is stopping', () => {
    const stopping = running([{}], { stop: { verdict: CANCELLED, at: BEGUN } });
    expect(afterCancel(stopping, { reason: 'again', requestId: 'q1' }, NOW)).toEqual([
      {
        type: 'RequestRefused',
        data: {
          request: 'RunCancelRequested',
          reason: 'the run is stopping already',
          requestId: 'q1',
        },
      },
    ]);
  });
});

describe('the wish to go on', () => {
  const resume = (jobs: readonly Partial<Job>[], changes: Partial<Run> & { mode?: Mode } = {}) =>
    afterResume(running(jobs, { status: 'retained', verdict: FAILED, ...changes }), 'q1');
  const refused = (reason: string) => [
    { type: 'RequestRefused', data: { request: 'RunResumeRequested', reason, requestId: 'q1' } },
  ];

  it('lets the jobs that failed start anew, and no others', () => {
    const jobs = [
      { ...DONE, name: 'a' },
      { ...BROKE, name: 'b' },
      { ...SPENT, name: 'c' },
      { name: 'd', dependsOn: ['c'] },
    ];
    expect(resume(jobs)).toEqual([
      { type: 'RunResumed', data: { jobs: ['b', 'c'], requestId: 'q1' } },
    ]);
  });

  it('lets a cancelled file system go on with the job that waited', () => {
    const jobs = [
      { ...DONE, name: 'a' },
      { name: 'b', dependsOn: ['a'] },
    ];
    const changes = { mode: 'taskExport', status: 'retained', verdict: CANCELLED } as const;
    const cancelled = running(jobs, changes);
    const drafts = afterResume(cancelled, 'q1');
    expect(drafts).toEqual([{ type: 'RunResumed', data: { jobs: [], requestId: 'q1' } }]);
    const at = { time: TOMORROW, id: 'r1', mode: 'taskExport' } as const;
    const resumed = drafts.reduce<Run>((each, draft) => apply(each, draft, at), cancelled);
    expect([resumed.status, names(nextJobs(resumed))]).toEqual(['ready', ['b']]);
  });

  it.each(['REQUESTED', 'SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING'] as const)(
    'is refused while a job may still be running: %s',
    (status) => {
      const jobs = [
        { ...BROKE, name: 'a' },
        { name: 'b', status },
      ];
      const reason = 'a job of this run may still be running: try again in a minute';
      expect(resume(jobs, { mode: 'taskExport' })).toEqual(refused(reason));
    },
  );

  it.each(['taskExport', 'autoExport'] as const)(
    'lets the jobs of a file system start anew before its export: %s',
    (mode) => {
      expect(types(resume([BROKE], { mode }))).toEqual(['RunResumed']);
    },
  );

  it('lets an export start anew where every job succeeded', () => {
    expect(resume([DONE], { mode: 'taskExport' })).toEqual([
      { type: 'ExportRequested', data: { verdict: { kind: 'succeeded' }, requestId: 'q1' } },
    ]);
  });

  const tried = { export: { requestedAt: BEGUN, tries: 4 } };

  it.each([
    ['as the jobs did, which failed', [BROKE], FAILED],
    ['as the jobs did, which were cancelled', [{}], CANCELLED],
    ['with success, where every job succeeded', [DONE], { kind: 'succeeded' }],
  ] as const)(
    'asks for the export again where that was what failed, to end %s',
    (_how, jobs, wanted) => {
      // What the run says by now is of the export, too: that is not said again.
      const verdict = { kind: 'failed', reason: 'it broke; and the export failed' } as const;
      const changes = { verdict, export: { ...tried.export, verdict: wanted } };
      expect(resume(jobs, { mode: 'taskExport', ...changes })).toEqual([
        { type: 'ExportRequested', data: { verdict: wanted, requestId: 'q1' } },
      ]);
    },
  );

  it.each([
    ['was submitted more than once', { ...BROKE, submission: 2 }],
    ['was forgotten by Batch', { ...BROKE, missedAt: BEGUN }],
  ])('waits until Batch was seen to have nothing of a job that %s', (_what, main) => {
    const reason = 'a job of this run may still be running: try again in a minute';
    const changes = { mode: 'taskExport' } as const;
    expect(resume([main], changes)).toEqual(refused(reason));
    expect(resume([main], { ...changes, ...tried })).toEqual(refused(reason));
    expect(types(resume([main], { ...changes, jobsEndedAt: BEGUN }))).toEqual(['RunResumed']);
  });

  it('is refused for a volume of which every job succeeded', () => {
    expect(resume([DONE])).toEqual(refused('all jobs of this run succeeded'));
  });

  it.each(STATUSES.filter((status) => status !== 'retained'))(
    'is refused for a run that is %s, with a reason',
    (status) => {
      expect(resume([BROKE], { status })).toEqual(
        refused(`only a retained run resumes, this is ${status}`),
      );
    },
  );
});

describe('the wish to give the storage back', () => {
  const release = (discard: boolean, changes: Partial<Run> = {}, jobs: Partial<Job>[] = [BROKE]) =>
    afterReleaseRequest(running(jobs, { status: 'retained', verdict: FAILED, ...changes }), {
      discard,
      requestId: 'q1',
    });
  const refused = (reason: string) => [
    { type: 'RequestRefused', data: { request: 'RunReleaseRequested', reason, requestId: 'q1' } },
  ];
  const released = [{ type: 'ReleaseStarted', data: { verdict: FAILED, requestId: 'q1' } }];

  it('is refused to who does not say so where a job may have run, though nobody saw it', () => {
    const jobs = [{ status: 'SUBMITTED', submission: 1 } as const];
    expect([types(release(false, {}, jobs)), types(release(true, {}, jobs))]).toEqual([
      ['RequestRefused'],
      ['ReleaseStarted'],
    ]);
  });

  it('is granted to who gives the results up', () => {
    expect(release(true)).toEqual(released);
  });

  it('is refused to who does not say that the results may go', () => {
    expect(release(false)).toEqual(
      refused(
        'its storage may hold results that are not in S3: release it with discard to give them up',
      ),
    );
  });

  it.each([
    ['where nothing ran', {}, [{ status: 'FAILED' as const }]],
    [
      'where the storage is lost',
      { storage: { ...run().storage, over: 'lost' as const } },
      [BROKE],
    ],
  ])('gives up nothing %s', (_where, changes, jobs) => {
    expect(release(false, changes, jobs)).toEqual(released);
  });

  it('ends a cancelled run as a cancelled one', () => {
    expect(release(true, { verdict: CANCELLED })).toEqual([
      { type: 'ReleaseStarted', data: { verdict: CANCELLED, requestId: 'q1' } },
    ]);
  });

  it.each(STATUSES.filter((status) => status !== 'retained'))(
    'is refused for a run that is %s, whatever may go',
    (status) => {
      const reason = `only a retained run is released, this is ${status}`;
      expect([release(true, { status }), release(false, { status })]).toEqual([
        refused(reason),
        refused(reason),
      ]);
    },
  );
});

describe('storage', () => {
  const usable = { ...run().storage, id: 'vol-1', availableAt: BEGUN };
  const keeping: RunParameters = { deleteEbs: false, deleteLustre: false };
  const owned = (storage: Partial<Run['storage']>, parameters: RunParameters = keeping) =>
    isToBeKept(run({ status: 'releasing', parameters, storage: { ...usable, ...storage } }));

  it.each([
    ['volume', { deleteEbs: false, deleteLustre: true }],
    ['fileSystem', { deleteEbs: true, deleteLustre: false }],
  ] as const)(
    "is its owner's in the end where its own parameter says so: %s",
    (kind, parameters) => {
      expect(owned({ kind }, parameters)).toBe(true);
    },
  );

  it.each([
    ['volume', { deleteEbs: true, deleteLustre: false }],
    ['fileSystem', { deleteEbs: false, deleteLustre: true }],
    ['volume', {}],
  ] as const)('goes where its own parameter says so, or none does: a %s with %j', (kind, given) => {
    expect(owned({ kind }, given)).toBe(false);
  });

  it.each([
    ['was never made', { id: undefined }],
    ['was never seen to be usable', { availableAt: undefined }],
    ['is lost', { over: 'lost' }],
    ['is released', { over: 'released' }],
    ['is kept already', { over: 'kept' }],
  ] as const)('is nothing to keep where it %s', (_what, storage) => {
    expect(owned(storage)).toBe(false);
  });

  it.each(['volume', 'fileSystem'] as const)(
    'that was lost from sight is kept if it is there after all, whatever the run says: %s',
    (kind) => {
      const lost = { kind, over: 'lost', unseen: true } as const;
      expect([owned(lost, {}), owned({ ...lost, availableAt: undefined }, {})]).toEqual([
        true,
        true,
      ]);
    },
  );

  it.each([
    ['was seen to die', { over: 'lost', unseen: false }],
    ['was never made', { over: 'lost', unseen: true, id: undefined }],
    ['is released by now', { over: 'released', unseen: true }],
    ['is kept already', { over: 'kept', unseen: true }],
  ] as const)('that is lost is nothing to keep where it %s', (_what, storage) => {
    expect(owned(storage)).toBe(false);
  });
});

describe('the end of a run', () => {
  it.each([
    [undefined, { type: 'RunSucceeded', data: {} }],
    [{ kind: 'succeeded' }, { type: 'RunSucceeded', data: {} }],
    [FAILED, { type: 'RunFailed', data: { reason: 'it broke' } }],
    [CANCELLED, { type: 'RunCancelled', data: { reason: 'not needed' } }],
  ] as const)('with the verdict %j is %j', (verdict, end) => {
    expect(endOf(run({ status: 'releasing', verdict }))).toEqual(end);
  });
});

describe('the storage that a run asks for', () => {
  const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c'];
  const wanting = (parameters: RunParameters, changes: Partial<Run> = {}) =>
    storageWanted(run({ status: 'queued', parameters, ...changes })).data;

  it('is a volume of the size of the parameter', () => {
    expect(wanting({ zones, ebsSizeGb: 77 })).toMatchObject({ kind: 'volume', sizeGib: 77 });
  });

  it('is a file system of the size of the parameter', () => {
    const storage = { ...run().storage, kind: 'fileSystem' as const };
    const lustre = { mode: 'taskExport' as const, storage };
    expect(wanting({ zones, lustreStorageCapacity: 4800 }, lustre)).toMatchObject({
      kind: 'fileSystem',
      sizeGib: 4800,
    });
  });

  it('is in the zone of the parameter, at every try', () => {
    const storage = { ...run().storage, tries: 2 };
    expect(wanting({ zones, zone: 'us-east-1c' }, { storage }).zone).toBe('us-east-1c');
  });

  it('is in another zone at every try, until all have been asked', () => {
    const tried = [1, 2, 3].map((tries) =>
      wanting({ zones }, { storage: { ...run().storage, tries } }),
    );
    expect(new Set(tried.map(({ zone }) => zone)).size).toBe(3);
  });

  it('is spread over the zones by the ids of the runs', () => {
    const ids = Array.from({ length: 300 }, (_, index) => `r${index}`);
    const chosen = ids.map((id) => wanting({ zones }, { id }).zone);
    const counts = zones.map((zone) => chosen.filter((each) => each === zone).length);
    expect(Math.min(...counts)).toBeGreaterThan(60);
  });

  it('has no place in a stack without zones', () => {
    expect(() => wanting({ zones: [] })).toThrow('run r1 has no zones to choose from');
  });
});

describe('whatever a policy answers, in every life that the table allows,', () => {
  const moments = fc.tuple(walks, fc.integer({ min: 0, max: 60 * 24 * 3_600_000 }));

  /** The run after the drafts; throws where the table has no such move. */
  function follow(start: Run, drafts: readonly AnyDraft[]): Run {
    const { id, mode } = start;
    const at = { time: TOMORROW, id, mode };
    return drafts.reduce<Run>((each, draft) => apply(each, draft, at), start);
  }

  function always(policy: (run: Run, now: number) => readonly AnyDraft[]): void {
    fc.assert(
      fc.property(moments, ([{ runs }, afterMs]) => {
        for (const each of runs) {
          const drafts = policy(each, Date.parse(each.since) + afterMs);
          expect(() => follow(each, drafts)).not.toThrow();
        }
      }),
    );
  }

  it('the table allows after the jobs', () => {
    always(afterJobs);
  });

  it('the table allows after a deadline', () => {
    always(afterDeadline);
  });

  it('the table allows after the wish to cancel', () => {
    always((each, now) => afterCancel(each, { reason: 'x', requestId: 'q1' }, now));
  });

  it('the table allows after the wish to go on', () => {
    always((each) => afterResume(each, 'q1'));
  });

  it.each([true, false])('the table allows after the wish to give up (discard %s)', (discard) => {
    always((each) => afterReleaseRequest(each, { discard, requestId: 'q1' }));
  });

  it('the table allows a submission to be written down', () => {
    always((each) => {
      const isThere = each.status === 'ready' || each.status === 'running';
      return nextJobs(each)
        .filter(() => isThere)
        .map(({ name, submission }) =>
          JobRequested.of({ job: name, submission: submission + 1, jobName: 'n' }),
        );
    });
  });

  it('the table allows after a loss', () => {
    always((each) =>
      allows(each, 'StorageLost') ? [StorageLost.of({ reason: 'x' }), ...afterLoss(each, 'x')] : [],
    );
  });

  it('the table allows at the end of a release', () => {
    always((each) => (each.status === 'releasing' ? [endOf(each)] : []));
  });

  it('the table allows when there is room again', () => {
    always((each) => (each.status === 'queued' ? [storageWanted(each)] : []));
  });

  it('moves every run whose deadline has passed, but for a release, which goes on', () => {
    fc.assert(
      fc.property(walks, ({ runs }) => {
        for (const each of runs) {
          const deadline = deadlineOf(each);
          if (!Number.isFinite(deadline)) continue;
          const after = follow(each, afterDeadline(each, deadline));
          const isStopping = after.stop !== undefined && each.stop === undefined;
          expect(after.status !== each.status || isStopping || each.status === 'releasing').toBe(
            true,
          );
        }
      }),
    );
  });
});

describe('storage that could not be made', () => {
  const tried = (tries: number, mode: Mode = 'taskExport') =>
    running([{}], { mode, status: 'provisioning', storage: { ...run().storage, tries } });

  it.each([
    [1, '2026-01-03T00:01:00.000Z'],
    [2, '2026-01-03T00:02:00.000Z'],
    [4, '2026-01-03T00:08:00.000Z'],
    [5, '2026-01-03T00:15:00.000Z'],
    [500, '2026-01-03T00:15:00.000Z'],
  ])('for want of room at try %i is asked for again at %s', (tries, retryAt) => {
    expect(afterRefusal(tried(tries), { noRoom: true, reason: 'full' }, NOW)).toEqual([
      { type: 'StorageDeferred', data: { reason: 'full', retryAt } },
    ]);
  });

  it('names what AWS made although it had no room', () => {
    const refusal = { noRoom: true, reason: 'full', storageId: 'fs-1' };
    expect(afterRefusal(tried(1), refusal, NOW)[0]?.data).toMatchObject({ storageId: 'fs-1' });
  });

  it.each(MODES)('for another reason ends the run: %s', (mode) => {
    expect(afterRefusal(tried(1, mode), { noRoom: false, reason: 'it broke' }, NOW)).toEqual([
      { type: 'StorageFailed', data: { reason: 'it broke' } },
      { type: 'ReleaseStarted', data: { verdict: FAILED } },
    ]);
  });
});

describe('the proof that every file is in S3', () => {
  it.each([[{ kind: 'succeeded' }], [FAILED], [CANCELLED]] as const)(
    'ends the run as its jobs have decided: %j',
    (verdict) => {
      const exported = running([DONE], { mode: 'taskExport', status: 'exporting', verdict });
      expect(afterExport(exported)).toEqual([{ type: 'ReleaseStarted', data: { verdict } }]);
    },
  );
});

describe('a failed export', () => {
  const exporting = (tries: number, verdict: Verdict = { kind: 'succeeded' }) =>
    running([DONE], {
      ...{ mode: 'taskExport', status: 'exporting', verdict },
      export: { requestedAt: BEGUN, tries },
    });
  const failure = { reason: '2 of 9 files failed', taskId: 'task-1', report: 's3://b/r.csv' };

  it.each([
    [1, '2026-01-03T00:02:00.000Z'],
    [2, '2026-01-03T00:16:00.000Z'],
  ])('is tried again after try %i, at %s', (tries, retryAt) => {
    expect(afterExportFailure(exporting(tries), failure, NOW)).toEqual([
      { type: 'ExportFailed', data: { ...failure, retryAt } },
    ]);
  });

  it('leads to the retention of the storage after the third try, with all that is known', () => {
    const reason =
      'the export failed 3 times, at last because 2 of 9 files failed; the files are listed in s3://b/r.csv';
    expect(afterExportFailure(exporting(3), failure, NOW)).toMatchObject([
      { type: 'ExportFailed', data: failure },
      {
        type: 'StorageRetained',
        data: { verdict: { kind: 'failed', reason }, retainUntil: TOMORROW },
      },
    ]);
  });

  it('is not tried again after the third try', () => {
    expect(afterExportFailure(exporting(3), failure, NOW)[0]?.data).not.toHaveProperty('retryAt');
  });

  it('speaks of no list where there is none', () => {
    const [, retained] = afterExportFailure(exporting(3), { reason: 'FSx refused' }, NOW);
    expect(retained?.data).toMatchObject({
      verdict: { reason: 'the export failed 3 times, at last because FSx refused' },
    });
  });

  it.each([
    [FAILED, 'failed', 'it broke; and the export failed 3 times, at last because no'],
    [CANCELLED, 'cancelled', 'not needed; and the export failed 3 times, at last because no'],
  ] as const)('does not hide how its jobs ended: %j', (verdict, kind, reason) => {
    const [, retained] = afterExportFailure(exporting(3, verdict), { reason: 'no' }, NOW);
    expect(retained?.data).toMatchObject({ verdict: { kind, reason } });
  });

  it('releases nothing, however often it failed, and however the jobs ended', () => {
    const verdicts = fc.constantFrom<Verdict>({ kind: 'succeeded' }, FAILED, CANCELLED);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), verdicts, (tries, verdict) => {
        const drafts = afterExportFailure(exporting(tries, verdict), failure, NOW);
        expect(types(drafts)).not.toContain('ReleaseStarted');
        expect(types(drafts)[0]).toBe('ExportFailed');
      }),
    );
  });

  it('is tried three times in all, and then the run is retained', () => {
    let each = exporting(1);
    const at = { time: TOMORROW, id: 'r1', mode: 'taskExport' } as const;
    const written: string[] = [];
    while (each.status === 'exporting' && written.length < 20) {
      const drafts = afterExportFailure(each, failure, NOW);
      written.push(...types(drafts));
      each = drafts.reduce<Run>((before, draft) => apply(before, draft, at), each);
    }
    expect([written, each.status]).toEqual([
      ['ExportFailed', 'ExportFailed', 'ExportFailed', 'StorageRetained'],
      'retained',
    ]);
  });
});

describe('an export that takes too long', () => {
  it.each([
    [{ kind: 'succeeded' }, 'failed', 'the run was exporting for longer than it may be'],
    [FAILED, 'failed', 'it broke; and the run was exporting for longer than it may be'],
    [CANCELLED, 'cancelled', 'not needed; and the run was exporting for longer than it may be'],
  ] as const)('keeps the storage of a run with the verdict %j', (verdict, kind, reason) => {
    const each = running([DONE], { mode: 'taskExport', status: 'exporting', verdict });
    expect(afterDeadline(each, deadlineOf(each))).toMatchObject([
      { type: 'DeadlinePassed', data: { overdue: 'exporting' } },
      { type: 'StorageRetained', data: { verdict: { kind, reason } } },
    ]);
  });
});

describe('a cancelled file system that may hold results', () => {
  const stop = { verdict: CANCELLED, at: BEGUN };
  const ended = (
    onFailure: NonNullable<RunParameters['onFailure']>,
    jobs: readonly Partial<Job>[],
  ) => running(jobs, { stop, mode: 'autoExport', parameters: { onFailure } });

  it.each([
    ['retain', 'StorageRetained'],
    ['export', 'ExportRequested'],
    ['release', 'ReleaseStarted'],
  ] as const)('with onFailure %s is followed by %s, as a cancelled one', (onFailure, type) => {
    for (const jobs of [[BROKE], [DONE], [SPENT], [DONE, { name: 'b', dependsOn: ['main'] }]]) {
      expect(afterJobs(ended(onFailure, jobs), NOW)).toMatchObject([
        { type, data: { verdict: CANCELLED } },
      ]);
    }
  });

  it.each([
    ['retain', 'StorageRetained'],
    ['export', 'StorageRetained'],
    ['release', 'ReleaseStarted'],
  ] as const)(
    'is not waited for, nor exported while a job may write to it, where that does not stop: onFailure %s',
    (onFailure, type) => {
      const stuck = ended(onFailure, [{ status: 'RUNNING', ran: true }]);
      expect(afterDeadline(stuck, deadlineOf(stuck))).toMatchObject([
        { type: 'DeadlinePassed' },
        { type, data: { verdict: CANCELLED } },
      ]);
    },
  );

  it('that failed is not exported either while a job may write to it', () => {
    const stuck = running([{ status: 'RUNNING', ran: true }], {
      ...{ mode: 'taskExport', parameters: { onFailure: 'export' } },
      stop: { verdict: FAILED, at: BEGUN },
    });
    expect(afterDeadline(stuck, deadlineOf(stuck))).toMatchObject([
      { type: 'DeadlinePassed' },
      { type: 'StorageRetained', data: { verdict: FAILED } },
    ]);
  });
});

describe('whatever follows storage and exports, in every life that the table allows,', () => {
  function follow(start: Run, drafts: readonly AnyDraft[]): Run {
    const { id, mode } = start;
    return drafts.reduce<Run>(
      (each, draft) => apply(each, draft, { time: TOMORROW, id, mode }),
      start,
    );
  }
  function always(status: Run['status'], policy: (run: Run) => readonly AnyDraft[]): void {
    fc.assert(
      fc.property(walks, ({ runs }) => {
        for (const each of runs.filter((met) => met.status === status)) {
          expect(() => follow(each, policy(each))).not.toThrow();
        }
      }),
    );
  }

  it.each([true, false])('the table allows after a refusal (no room: %s)', (noRoom) => {
    always('provisioning', (each) => afterRefusal(each, { noRoom, reason: 'x' }, NOW));
  });

  it('the table allows after the proof', () => {
    always('exporting', afterExport);
  });

  it('the table allows after a failed export', () => {
    always('exporting', (each) => afterExportFailure(each, { reason: 'x' }, NOW));
  });

  it('the table allows another export after another pause', () => {
    always('exporting', (each) => {
      const [first] = afterExportFailure(each, { reason: 'x' }, NOW);
      const tries = (each.export?.tries ?? 0) + 1;
      if (first)
        expect(apply(each, first, { time: BEGUN, id: 'r1', mode: each.mode }).export?.tries).toBe(
          tries,
        );
      return [];
    });
  });
});
