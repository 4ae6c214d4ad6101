import fc from 'fast-check';
import {
  ACTIVE_STATUSES,
  type AnyDraft,
  AutoExportDisabled,
  apply,
  BatchJobStateChange,
  DeadlinePassed,
  ExportFailed,
  ExportQueueDrained,
  ExportRequested,
  ExportTaskCompleted,
  ExportTaskCreated,
  FileSystemAvailable,
  FileSystemCreated,
  hasAnswered,
  isLast,
  JobDoubted,
  JobMissed,
  JobRefused,
  JobRequested,
  JobSubmitted,
  JobsEnded,
  JobsStopped,
  LAST_STATUSES,
  ReleaseStarted,
  RepositoryLinked,
  RepositoryMisconfigured,
  RepositoryRecovered,
  RequestRefused,
  RUN_EVENTS,
  type Run,
  RunAccepted,
  RunRejected,
  RunResumed,
  type RunStatus,
  replay,
  rowOf,
  STATUSES,
  StopRequested,
  StorageDeferred,
  StorageDiscarded,
  StorageFailed,
  StorageKept,
  StorageLost,
  StorageReleased,
  StorageRequested,
  StorageRetained,
  TRANSITIONS,
  VolumeAvailable,
  VolumeCreated,
} from '../../events';
import { BEGUN, job, lustreRun, run } from '../support/builders';
import { walks } from './walks';

const LATER = '2026-01-01T01:00:00.000Z';
const at = { time: LATER, id: 'r1', mode: 'onlyEBS' } as const;

const ROWS = Object.entries(TRANSITIONS) as [
  string,
  { from: readonly RunStatus[]; to?: RunStatus },
][];

/** The statuses that the rows lead to from this one, over any number of events. */
function reachableFrom(start: RunStatus): Set<RunStatus> {
  const reached = new Set([start]);
  for (const status of reached) {
    for (const [, { from, to }] of ROWS) if (to && from.includes(status)) reached.add(to);
  }
  return reached;
}

describe('the table of transitions', () => {
  it('has a row for every event of a run', () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual(Object.keys(RUN_EVENTS).sort());
  });

  it.each(STATUSES)('reaches %s from the beginning', (status) => {
    const beginnings = ROWS.flatMap(([, { from, to }]) => (from.length === 0 && to ? [to] : []));
    expect(beginnings.flatMap((first) => [...reachableFrom(first)])).toContain(status);
  });

  it.each(ACTIVE_STATUSES)('leads from %s to every end a run may have', (status) => {
    const ends = [...reachableFrom(status)].filter(isLast);
    expect(ends.sort()).toEqual(['cancelled', 'failed', 'succeeded']);
  });

  it.each(LAST_STATUSES)('leads nowhere from %s', (status) => {
    expect([...reachableFrom(status)]).toEqual([status]);
  });

  it.each(LAST_STATUSES)('lets a run that is %s meet nothing but refused requests', (status) => {
    const met = ROWS.filter(([, { from }]) => from.includes(status)).map(([type]) => type);
    expect(met).toEqual(['RequestRefused']);
  });

  it('lets nothing lead out of releasing but an end', () => {
    const ways = ROWS.flatMap(([, { from, to }]) => (to && from.includes('releasing') ? [to] : []));
    expect(ways.sort()).toEqual(['cancelled', 'failed', 'succeeded']);
  });

  it('begins a run with its acceptance or its rejection only', () => {
    const first = ROWS.filter(([, { from }]) => from.length === 0).map(([type]) => type);
    expect(first).toEqual(['RunAccepted', 'RunRejected']);
  });

  it.each(['RunPaused', 'toString', 'constructor', '__proto__'])(
    'has no row for an event that nobody knows: %s',
    (type) => {
      expect(() => rowOf(type)).toThrow(`no transition for ${type}`);
    },
  );

  it.each([
    [
      'queued',
      StorageRequested.of({ kind: 'volume', zone: 'us-east-1a', sizeGib: 1 }),
      'provisioning',
    ],
    ['provisioning', StorageDeferred.of({ reason: 'full', retryAt: LATER }), 'queued'],
    ['provisioning', StorageFailed.of({ reason: 'no' }), 'provisioning'],
    ['provisioning', VolumeCreated.of({ volumeId: 'vol-1', zone: 'us-east-1a' }), 'provisioning'],
    ['releasing', VolumeCreated.of({ volumeId: 'vol-1', zone: 'us-east-1a' }), 'releasing'],
    ['provisioning', VolumeAvailable.of({ volumeId: 'vol-1', zone: 'us-east-1a' }), 'ready'],
    ['ready', JobRequested.of({ job: 'main', submission: 1, jobName: 'n' }), 'running'],
    ['running', JobRequested.of({ job: 'main', submission: 1, jobName: 'n' }), 'running'],
    ['running', JobSubmitted.of({ job: 'main', submission: 1, jobId: 'j' }), 'running'],
    ['running', JobRefused.of({ job: 'main', submission: 1, reason: 'no' }), 'running'],
    ['running', JobDoubted.of({ job: 'main', submission: 1, reason: 'silence' }), 'running'],
    ['running', StopRequested.of({ verdict: { kind: 'cancelled', reason: 'x' } }), 'running'],
    ['running', ExportRequested.of({ verdict: { kind: 'succeeded' } }), 'exporting'],
    ['ready', ExportRequested.of({ verdict: { kind: 'failed', reason: 'x' } }), 'exporting'],
    [
      'running',
      StorageRetained.of({
        verdict: { kind: 'failed', reason: 'x' },
        retainUntil: LATER,
        pricePerHour: 1,
      }),
      'retained',
    ],
    ['retained', RunResumed.of({ jobs: ['main'], requestId: 'q1' }), 'ready'],
    ['retained', ReleaseStarted.of({ verdict: { kind: 'failed', reason: 'x' } }), 'releasing'],
    ['exporting', ReleaseStarted.of({ verdict: { kind: 'succeeded' } }), 'releasing'],
  ] as const)('leads a run that is %s with %j to %s', (status, draft, to) => {
    expect(apply(run({ status }), draft, at).status).toBe(to);
  });
});

describe('a move that the table lacks', () => {
  it('throws with the event and the status', () => {
    const available = VolumeAvailable.of({ volumeId: 'vol-1', zone: 'us-east-1a' });
    expect(() => apply(run({ status: 'releasing' }), available, at)).toThrow(
      'VolumeAvailable cannot meet a run that is releasing',
    );
  });

  it('throws where there is no run yet', () => {
    const submitted = JobSubmitted.of({ job: 'main', submission: 1, jobId: 'j' });
    expect(() => apply(undefined, submitted, at)).toThrow(
      'JobSubmitted cannot meet a run that is not there',
    );
  });

  it.each([
    JobSubmitted.of({ job: 'main', submission: 1, jobId: 'j' }),
    JobRefused.of({ job: 'main', submission: 1, reason: 'no' }),
    JobDoubted.of({ job: 'main', submission: 1, reason: 'silence' }),
  ])('throws where a submission is answered that nobody wrote down: %j', (answer) => {
    expect(() => apply(run({ status: 'ready' }), answer, at)).toThrow(
      `${answer.type} cannot meet a run that is ready`,
    );
  });

  it.each(['releasing', 'retained', 'exporting', 'provisioning'] as const)(
    'throws where a job is asked for while its run is %s',
    (status) => {
      const asked = JobRequested.of({ job: 'main', submission: 1, jobName: 'n' });
      expect(() => apply(run({ status }), asked, at)).toThrow(
        `JobRequested cannot meet a run that is ${status}`,
      );
    },
  );

  it('throws where a run is born twice', () => {
    const rejected = RunRejected.of({ reason: 'no', fingerprint: '' });
    expect(() => apply(run({ status: 'queued' }), rejected, at)).toThrow(
      'RunRejected cannot meet a run that is queued',
    );
  });

  it('throws for an event that nobody knows', () => {
    // What a journal of a newer version could hold.
    const stranger = { type: 'RunPaused', data: {} } as unknown as AnyDraft;
    expect(() => apply(run(), stranger, at)).toThrow('no transition for RunPaused');
  });
});

describe('a run', () => {
  it('begins with its acceptance, at 1', () => {
    const { name, image, environment, vcpus, memoryMib, attempts, dependsOn } = job();
    const spec = { name, image, environment, vcpus, memoryMib, attempts, dependsOn };
    const accepted = RunAccepted.of({
      parameters: { ebsSizeGb: 100 },
      jobs: [spec],
      results: { bucket: 'results', prefix: 'runs/r1/' },
      fingerprint: 'f',
    });
    expect(apply(undefined, accepted, at)).toEqual({
      id: 'r1',
      mode: 'onlyEBS',
      status: 'queued',
      seq: 1,
      since: LATER,
      acceptedAt: LATER,
      fingerprint: 'f',
      parameters: { ebsSizeGb: 100 },
      results: { bucket: 'results', prefix: 'runs/r1/' },
      storage: { kind: 'volume', zone: '', sizeGib: 0, tries: 1 },
      jobs: {
        main: {
          ...spec,
          status: 'WAITING',
          tries: 1,
          submission: 0,
          submissionsBefore: 0,
          attempt: 0,
          ran: false,
          since: LATER,
        },
      },
    });
  });

  it.each([
    ['onlyEBS', 'volume'],
    ['taskExport', 'fileSystem'],
    ['autoExport', 'fileSystem'],
  ] as const)('of the mode %s begins with a %s', (mode, kind) => {
    const accepted = RunAccepted.of({
      parameters: {},
      jobs: [],
      results: { bucket: 'b', prefix: 'p' },
      fingerprint: 'f',
    });
    expect(apply(undefined, accepted, { ...at, mode }).storage.kind).toBe(kind);
  });

  it('that is rejected says why', () => {
    const rejected = RunRejected.of({ reason: 'no such parameter', fingerprint: 'f' });
    expect(apply(undefined, rejected, at)).toMatchObject({
      status: 'rejected',
      seq: 1,
      verdict: { kind: 'failed', reason: 'no such parameter' },
    });
  });

  it('counts its events by one', () => {
    const created = VolumeCreated.of({ volumeId: 'vol-1', zone: 'us-east-1a' });
    expect(apply(run({ seq: 7 }), created, at).seq).toBe(8);
  });

  it('keeps the time of its status while an event moves nothing', () => {
    const created = VolumeCreated.of({ volumeId: 'vol-1', zone: 'us-east-1a' });
    expect(apply(run({ since: BEGUN }), created, at).since).toBe(BEGUN);
  });

  it('keeps the time of its status where an event leads to the status it is in', () => {
    const asked = JobRequested.of({ job: 'main', submission: 2, jobName: 'n' });
    expect(apply(run({ status: 'running', since: BEGUN }), asked, at).since).toBe(BEGUN);
  });

  it('takes the time of the event that moves it', () => {
    const available = VolumeAvailable.of({ volumeId: 'vol-1', zone: 'us-east-1a' });
    expect(apply(run({ since: BEGUN }), available, at).since).toBe(LATER);
  });

  it('remembers that its deadline was reported', () => {
    const passed = DeadlinePassed.of({ overdue: 'running', deadline: LATER });
    expect(apply(run({ status: 'running' }), passed, at).overdue).toBe('running');
  });

  it('forgets a reported deadline when it moves', () => {
    const release = ReleaseStarted.of({ verdict: { kind: 'succeeded' } });
    const late = run({ status: 'running', overdue: 'running' });
    expect(apply(late, release, at).overdue).toBeUndefined();
  });

  it('is not changed by a refused request but for its note', () => {
    const refused = RequestRefused.of({
      request: 'RunRequested',
      requestId: 'run-2',
      reason: 'x',
      rejectedAs: 'run-2',
    });
    expect(apply(run(), refused, at)).toEqual({ ...run(), seq: 3, answered: ['run-2'] });
  });

  it('notes a refused request after those before', () => {
    const refused = RequestRefused.of({
      request: 'RunCancelRequested',
      reason: 'x',
      requestId: 'q1',
    });
    expect(apply(run({ answered: ['run-2'] }), refused, at).answered).toEqual(['run-2', 'q1']);
  });

  it.each([
    RunResumed.of({ jobs: ['main'], requestId: 'q1' }),
    ExportRequested.of({ verdict: { kind: 'succeeded' }, requestId: 'q1' }),
    ReleaseStarted.of({ verdict: { kind: 'succeeded' }, requestId: 'q1' }),
  ])('notes the request that is granted with %j', (granted) => {
    const retained = run({ status: 'retained', answered: ['run-2'] });
    expect(apply(retained, granted, at).answered).toEqual(['run-2', 'q1']);
  });

  it.each([
    ExportRequested.of({ verdict: { kind: 'succeeded' } }),
    ReleaseStarted.of({ verdict: { kind: 'succeeded' } }),
  ])('keeps its note of the last request where nobody asked for %j', (draft) => {
    const running = run({ status: 'running', answered: ['q1'] });
    expect(apply(running, draft, at).answered).toEqual(['q1']);
  });

  it('keeps how it is to end while its jobs stop, and since when', () => {
    const stop = StopRequested.of({ verdict: { kind: 'cancelled', reason: 'x' } });
    expect(apply(run({ status: 'running' }), stop, at).stop).toEqual({
      verdict: { kind: 'cancelled', reason: 'x' },
      at: LATER,
    });
  });

  it('that is retained is not stopping any more', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'x' }, at: BEGUN } as const;
    const retained = StorageRetained.of({
      verdict: stop.verdict,
      retainUntil: LATER,
      pricePerHour: 1,
    });
    expect(apply(run({ status: 'running', stop }), retained, at)).toMatchObject({
      stop: undefined,
      retainUntil: LATER,
    });
  });

  it.each([
    { kind: 'failed', reason: 'it broke' },
    { kind: 'cancelled', reason: 'not needed' },
  ] as const)('that is retained keeps its verdict: %j', (verdict) => {
    const retained = StorageRetained.of({ verdict, retainUntil: LATER, pricePerHour: 1 });
    expect(apply(run({ status: 'running' }), retained, at).verdict).toEqual(verdict);
  });

  it('that is resumed has no verdict and no end of retention', () => {
    const retained = run({
      status: 'retained',
      retainUntil: LATER,
      verdict: { kind: 'failed', reason: 'x' },
    });
    const resumed = apply(retained, RunResumed.of({ jobs: ['main'], requestId: 'q1' }), at);
    expect([resumed.verdict, resumed.retainUntil]).toEqual([undefined, undefined]);
  });

  it('keeps the verdict that its release began with', () => {
    const release = ReleaseStarted.of({ verdict: { kind: 'cancelled', reason: 'x' } });
    expect(apply(run(), release, at).verdict).toEqual({ kind: 'cancelled', reason: 'x' });
  });
});

describe('the storage of a run', () => {
  it('is the one that was asked for', () => {
    const wanted = StorageRequested.of({ kind: 'volume', zone: 'us-east-1b', sizeGib: 7 });
    const queued = run({
      status: 'queued',
      storage: { kind: 'volume', zone: '', sizeGib: 0, tries: 3, retryAt: BEGUN },
    });
    expect(apply(queued, wanted, at).storage).toEqual({
      kind: 'volume',
      zone: 'us-east-1b',
      sizeGib: 7,
      tries: 3,
      requestedAt: LATER,
    });
  });

  it.each([
    StorageDeferred.of({ reason: 'full', retryAt: LATER }),
    StorageFailed.of({ reason: 'full' }),
  ])('gets another key after the refusal %j', (refusal) => {
    expect(apply(run(), refusal, at).storage).toMatchObject({ tries: 2, failure: 'full' });
  });

  it('keeps its key while nothing is refused', () => {
    const created = VolumeCreated.of({ volumeId: 'vol-1', zone: 'us-east-1a' });
    expect(apply(run(), created, at).storage).toMatchObject({ id: 'vol-1', tries: 1 });
  });

  it.each([
    VolumeCreated.of({ volumeId: 'vol-1', zone: 'us-east-1a' }),
    FileSystemCreated.of({ fileSystemId: 'fs-1', mountName: 'abc' }),
  ])('has no refusal to speak of once it is made: %j', (created) => {
    const refused = run({ storage: { ...run().storage, failure: 'full' } });
    expect(apply(refused, created, at).storage.failure).toBeUndefined();
  });

  it.each([
    VolumeAvailable.of({ volumeId: 'vol-1', zone: 'us-east-1a' }),
    FileSystemAvailable.of({ fileSystemId: 'fs-1' }),
  ])('was usable since it was seen to be: %j', (available) => {
    expect(apply(run(), available, at).storage).toEqual({ ...run().storage, availableAt: LATER });
  });

  it('was not usable by being made', () => {
    const created = VolumeCreated.of({ volumeId: 'vol-1', zone: 'us-east-1a' });
    expect(apply(run(), created, at).storage.availableAt).toBeUndefined();
  });

  it.each([
    ['released', 'releasing', StorageReleased.of({})],
    ['kept', 'releasing', StorageKept.of({ storageId: 'vol-1', pricePerHour: 1 })],
    ['lost', 'running', StorageLost.of({ reason: 'gone' })],
  ] as const)('is over when it is %s', (over, status, draft) => {
    expect(apply(run({ status }), draft, at).storage.over).toBe(over);
  });
});

describe('storage that is lost', () => {
  it.each([
    [{ unseen: true }, true],
    [{ unseen: false }, false],
    [{}, undefined],
  ])('says whether it was lost from sight: %j', (said, unseen) => {
    const lost = StorageLost.of({ reason: 'gone', ...said });
    expect(apply(run({ status: 'running' }), lost, at).storage).toMatchObject({
      ...{ over: 'lost', failure: 'gone' },
      unseen,
    });
  });
});

describe('the end of the jobs of a run', () => {
  const ENDING = ['exporting', 'releasing', 'retained'] as const;
  const stopped = JobsStopped.of({ jobIds: ['j1', 'j2'] });
  const ended = JobsEnded.of({});

  it.each(['running', ...ENDING] as const)(
    'begins when those that live are told, and that is known: %s',
    (status) => {
      const before = run({ status, stopping: ['j0'] });
      expect(apply(before, stopped, at)).toMatchObject({ status, stopping: ['j1', 'j2'] });
    },
  );

  it.each(ENDING)('is known since Batch was seen to have none: %s', (status) => {
    expect(apply(run({ status }), ended, at)).toMatchObject({ status, jobsEndedAt: LATER });
  });

  it.each(STATUSES.filter((status) => !ENDING.includes(status as never)))(
    'is not said of a run that is %s: another job may come',
    (status) => {
      expect(() => apply(run({ status }), ended, at)).toThrow('JobsEnded cannot meet');
    },
  );

  it('is that of a submission that nobody knows of, and leaves the others as they are', () => {
    const asked = job({ status: 'REQUESTED', submission: 2, since: BEGUN });
    const others = {
      a: job({ name: 'a', status: 'SUCCEEDED', submission: 1 }),
      b: job({ name: 'b' }),
      c: job({ name: 'c', status: 'RUNNING', submission: 1, ran: true }),
    };
    const before = run({ status: 'releasing', jobs: { main: asked, ...others } });
    expect(apply(before, ended, at).jobs).toEqual({
      main: {
        ...asked,
        ...{ status: 'FAILED', ran: true, since: LATER },
        statusReason: 'nobody knows whether Batch had this submission',
      },
      ...others,
    });
  });

  it('is not known any more when a job is asked for', () => {
    const before = run({ status: 'ready', stopping: ['j1'], jobsEndedAt: BEGUN });
    const asked = JobRequested.of({ job: 'main', submission: 2, jobName: 'n' });
    const after = apply(before, asked, at);
    expect([after.status, after.stopping, after.jobsEndedAt]).toEqual([
      'running',
      undefined,
      undefined,
    ]);
  });

  it('lasts while the run is resumed, until then', () => {
    const before = run({ status: 'retained', jobsEndedAt: BEGUN });
    const resumed = RunResumed.of({ jobs: ['main'], requestId: 'q1' });
    expect(apply(before, resumed, at).jobsEndedAt).toBe(BEGUN);
  });
});

describe('a job that Batch does not show', () => {
  const missed = JobMissed.of({ job: 'main', submission: 1, jobId: 'j1' });
  const moved = { job: 'main', jobId: 'j1', submission: 1, attempt: 1, ran: true } as const;
  const FORGOTTEN = 'Batch does not know this job any more';
  const asRun = (changes: Partial<Run['jobs'][string]> = {}, status: RunStatus = 'running') =>
    run({ status, jobs: { main: job({ status: 'RUNNING', submission: 1, ...changes }) } });

  it.each(['running', 'retained'] as const)('is missed, and no more: %s', (status) => {
    const before = asRun({ attempt: 1, since: BEGUN }, status);
    expect(apply(before, missed, at)).toEqual({
      ...before,
      seq: before.seq + 1,
      jobs: { main: { ...before.jobs.main, missedAt: LATER } },
    });
  });

  it('is missed no more when it is seen again, wherever it is', () => {
    const seen = BatchJobStateChange.of({ ...moved, status: 'RUNNING' });
    expect(apply(asRun({ missedAt: BEGUN }), seen, at).jobs.main?.missedAt).toBeUndefined();
  });

  it('is missed for ever where Batch has forgotten it: it may be alive', () => {
    const draft = { ...moved, status: 'FAILED', statusReason: FORGOTTEN } as const;
    const after = apply(asRun({ missedAt: BEGUN }), BatchJobStateChange.of(draft), at);
    expect(after.jobs.main).toMatchObject({ status: 'FAILED', missedAt: BEGUN, ran: true });
  });

  it('is missed no more when it is asked for anew', () => {
    const before = asRun({ status: 'FAILED', missedAt: BEGUN });
    const asked = JobRequested.of({ job: 'main', submission: 2, jobName: 'n' });
    expect(apply(before, asked, at).jobs.main?.missedAt).toBeUndefined();
  });

  it('may end in a run that is retained, which stays so', () => {
    const ended = BatchJobStateChange.of({ ...moved, status: 'SUCCEEDED', exitCode: 0 });
    expect(apply(asRun({}, 'retained'), ended, at)).toMatchObject({
      status: 'retained',
      jobs: { main: { status: 'SUCCEEDED' } },
    });
  });
});

describe('a job of a run', () => {
  const running = (changes: Parameters<typeof job>[0]) =>
    run({ status: 'running', jobs: { main: job(changes), other: job({ name: 'other' }) } });
  const moved = { job: 'main', jobId: 'j1', submission: 1, status: 'RUNNING', attempt: 1 } as const;

  it('starts anew with each submission', () => {
    const before = running({
      status: 'FAILED',
      submission: 1,
      attempt: 5,
      ran: true,
      exitCode: 143,
      statusReason: 'old',
      jobId: 'j1',
      logStream: 'old',
    });
    const draft = JobRequested.of({ job: 'main', submission: 2, jobName: 'n' });
    expect(apply(before, draft, at).jobs.main).toEqual({
      ...job(),
      status: 'REQUESTED',
      submission: 2,
      jobId: undefined,
      attempt: 0,
      ran: true,
      since: LATER,
    });
  });

  it.each([
    ['asked for', JobRequested.of({ job: 'main', submission: 1, jobName: 'n' })],
    ['submitted', JobSubmitted.of({ job: 'main', submission: 1, jobId: 'j1' })],
  ])('keeps its tries when it is %s', (_what, draft) => {
    expect(apply(running({ tries: 4 }), draft, at).jobs.main?.tries).toBe(4);
  });

  it('keeps what its earlier submissions counted when it is asked for', () => {
    const draft = JobRequested.of({ job: 'main', submission: 4, jobName: 'n' });
    expect(apply(running({ submissionsBefore: 3 }), draft, at).jobs.main).toMatchObject({
      submission: 4,
      submissionsBefore: 3,
    });
  });

  it('is at Batch under the id that Batch gave, without a doubt left', () => {
    const before = running({ status: 'REQUESTED', submission: 2, tries: 2, doubtedAt: BEGUN });
    const draft = JobSubmitted.of({ job: 'main', submission: 2, jobId: 'j2' });
    expect(apply(before, draft, at).jobs.main).toEqual({
      ...job(),
      status: 'SUBMITTED',
      submission: 2,
      tries: 2,
      jobId: 'j2',
      since: LATER,
    });
  });

  it('is over when Batch refuses it, with another key for later', () => {
    const draft = JobRefused.of({ job: 'main', submission: 1, reason: 'no' });
    expect(apply(running({}), draft, at).jobs.main).toMatchObject({
      status: 'FAILED',
      statusReason: 'no',
      tries: 2,
      since: LATER,
    });
  });

  it('forgets the end of its last submission before Batch can refuse the next', () => {
    const ended = { exitCode: 143, logStream: 'log/1', statusReason: 'Host EC2 gone' };
    const before = running({ status: 'FAILED', submission: 1, jobId: 'j1', ...ended });
    const asked = JobRequested.of({ job: 'main', submission: 2, jobName: 'n' });
    const refused = JobRefused.of({ job: 'main', submission: 2, reason: 'no such queue' });
    const after = apply(apply(before, asked, at), refused, at).jobs.main;
    expect(after).toEqual({
      ...job(),
      status: 'FAILED',
      submission: 2,
      tries: 2,
      statusReason: 'no such queue',
      since: LATER,
    });
  });

  it.each([
    ['is missed when it was looked for and not found', {}, true, LATER],
    ['is missed when it was in doubt and then refused', { doubtedAt: BEGUN }, undefined, LATER],
    ['is not missed when Batch refused it', {}, undefined, undefined],
    ['is not missed any more when Batch refused it', { missedAt: BEGUN }, undefined, undefined],
  ])('%s', (_title, changes, unseen, missedAt) => {
    const before = running({ status: 'REQUESTED', submission: 1, ...changes });
    const draft = JobRefused.of({ job: 'main', submission: 1, reason: 'no', unseen });
    expect(apply(before, draft, at).jobs.main).toMatchObject({ status: 'FAILED', tries: 2 });
    expect(apply(before, draft, at).jobs.main?.missedAt).toBe(missedAt);
  });

  it('is in no doubt any more once it is refused', () => {
    const doubted = running({ status: 'REQUESTED', submission: 1, doubtedAt: BEGUN });
    const draft = JobRefused.of({ job: 'main', submission: 1, reason: 'no' });
    expect(apply(doubted, draft, at).jobs.main?.doubtedAt).toBeUndefined();
  });

  it('is in doubt since the answer was lost, with another key for later', () => {
    const draft = JobDoubted.of({ job: 'main', submission: 1, reason: 'silence' });
    const requested = running({ status: 'REQUESTED', submission: 1 });
    expect(apply(requested, draft, at).jobs.main).toEqual({
      ...job(),
      status: 'REQUESTED',
      submission: 1,
      doubtedAt: LATER,
      tries: 2,
    });
  });

  it('is what Batch says of it', () => {
    const draft = BatchJobStateChange.of({ ...moved, ran: true, logStream: 'log/1' });
    expect(apply(running({ status: 'SUBMITTED', submission: 1 }), draft, at).jobs.main).toEqual({
      ...job(),
      status: 'RUNNING',
      submission: 1,
      jobId: 'j1',
      attempt: 1,
      ran: true,
      logStream: 'log/1',
      since: LATER,
    });
  });

  it('forgets the end of an attempt that Batch does not speak of any more', () => {
    const ended = { exitCode: 143, statusReason: 'Host EC2 gone', logStream: 'log/1' };
    const before = running({ status: 'RUNNABLE', ...ended });
    const after = apply(before, BatchJobStateChange.of({ ...moved, ran: true }), at).jobs.main;
    expect([after?.exitCode, after?.statusReason, after?.logStream]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is the same from the journal, where the absence of a log stream is not written', () => {
    const before = running({ status: 'RUNNING', submission: 1, logStream: 'log/1' });
    const draft = BatchJobStateChange.of({ ...moved, ran: true, logStream: undefined });
    expect(apply(before, JSON.parse(JSON.stringify(draft)), at)).toEqual(apply(before, draft, at));
  });

  it('that has run has run for good', () => {
    const draft = BatchJobStateChange.of({ ...moved, status: 'RUNNABLE', ran: false });
    expect(apply(running({ ran: true }), draft, at).jobs.main?.ran).toBe(true);
  });

  it('that has not run has not', () => {
    const draft = BatchJobStateChange.of({ ...moved, status: 'STARTING', ran: false });
    expect(apply(running({ ran: false }), draft, at).jobs.main?.ran).toBe(false);
  });

  it('leaves the others as they are', () => {
    const draft = BatchJobStateChange.of({ ...moved, ran: true });
    expect(apply(running({}), draft, at).jobs.other).toEqual(job({ name: 'other' }));
  });

  it.each(['stranger', 'constructor', 'toString', '__proto__'])(
    'is changed by no news of what is no job: %s',
    (name) => {
      const before = running({ status: 'REQUESTED', submission: 1 });
      const drafts = [
        JobSubmitted.of({ job: name, submission: 1, jobId: 'j1' }),
        JobDoubted.of({ job: name, submission: 1, reason: 'silence' }),
        BatchJobStateChange.of({ ...moved, job: name, ran: true }),
      ];
      for (const draft of drafts) {
        const after = apply(before, draft, at).jobs;
        expect([Object.keys(after), after]).toEqual([['main', 'other'], before.jobs]);
      }
    },
  );

  it('waits again when the run is resumed with it', () => {
    const retained = run({
      status: 'retained',
      jobs: { main: job({ status: 'FAILED', submission: 3, ran: true }) },
    });
    expect(
      apply(retained, RunResumed.of({ jobs: ['main'], requestId: 'q1' }), at).jobs.main,
    ).toMatchObject({
      status: 'WAITING',
      submission: 3,
      submissionsBefore: 3,
      ran: true,
      since: LATER,
    });
  });

  it('counts its submissions anew at every resumption', () => {
    const failed = job({ status: 'FAILED', submission: 7, submissionsBefore: 3 });
    const retained = run({ status: 'retained', jobs: { main: failed } });
    expect(
      apply(retained, RunResumed.of({ jobs: ['main'], requestId: 'q1' }), at).jobs.main,
    ).toMatchObject({
      submission: 7,
      submissionsBefore: 7,
    });
  });

  it('stays as it is when the run is resumed without it', () => {
    const main = job({ status: 'SUCCEEDED', submission: 2 });
    const other = job({ name: 'other', status: 'FAILED', submission: 1 });
    const retained = run({ status: 'retained', jobs: { main, other } });
    const after = apply(retained, RunResumed.of({ jobs: ['other'], requestId: 'q1' }), at);
    expect([after.jobs.main, after.jobs.other?.status]).toEqual([main, 'WAITING']);
  });
});

describe('every life that the table allows', () => {
  it('counts from 1 without a gap', () => {
    fc.assert(
      fc.property(walks, ({ runs }) => {
        expect(runs.map(({ seq }) => seq)).toEqual(runs.map((_, index) => index + 1));
      }),
    );
  });

  it('changes the time of its status with the status only', () => {
    fc.assert(
      fc.property(walks, ({ runs, events }) => {
        for (const [index, after] of runs.entries()) {
          const before = runs[index - 1];
          const expected = before?.status === after.status ? before.since : events[index]?.time;
          expect(after.since).toBe(expected);
        }
      }),
    );
  });

  it('never leaves a last status', () => {
    fc.assert(
      fc.property(walks, ({ runs }) => {
        const end = runs.findIndex(({ status }) => isLast(status));
        const after = end < 0 ? [] : runs.slice(end).map(({ status }) => status);
        expect(new Set(after).size).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('never takes back that a job ran, nor a submission, nor a key', () => {
    fc.assert(
      fc.property(walks, ({ runs }) => {
        for (const [index, after] of runs.entries()) {
          for (const [name, before] of Object.entries(runs[index - 1]?.jobs ?? {})) {
            const now = after.jobs[name];
            expect(now?.ran === true || !before.ran).toBe(true);
            expect(now?.submission).toBeGreaterThanOrEqual(before.submission);
            expect(now?.tries).toBeGreaterThanOrEqual(before.tries);
            expect(now?.submissionsBefore).toBeGreaterThanOrEqual(before.submissionsBefore);
          }
        }
      }),
    );
  });

  it('is the same after it was written and read', () => {
    fc.assert(
      fc.property(walks, ({ runs }) => {
        for (const each of runs) expect(JSON.parse(JSON.stringify(each))).toEqual(each);
      }),
    );
  });

  it('is told in full by its journal', () => {
    fc.assert(
      fc.property(walks, ({ runs, events }) => {
        expect(replay(JSON.parse(JSON.stringify(events)))).toEqual(runs.at(-1));
      }),
    );
  });

  it('is written in events that their contracts accept', () => {
    fc.assert(
      fc.property(walks, ({ events }) => {
        for (const { type, data, ...identity } of events) {
          const contract = RUN_EVENTS[type as keyof typeof RUN_EVENTS];
          const envelope = { id: '1', source: 'ebbtide', 'detail-type': type, time: LATER };
          expect(contract.parse({ ...envelope, detail: { ...identity, data } })).toEqual({
            type,
            about: { runId: identity.runId, seq: identity.seq },
            data,
          });
        }
      }),
    );
  });

  it('can reach every status in a walk of forty events', () => {
    const seen = new Set(
      fc
        .sample(walks, { numRuns: 1_000, seed: 1 })
        .flatMap(({ runs }) => runs.map((r) => r.status)),
    );
    expect([...STATUSES].filter((status) => !seen.has(status))).toEqual([]);
  });
});

describe('an empty journal', () => {
  it('tells of no run', () => {
    expect(replay([])).toBeUndefined();
  });
});

describe('the file system of a run', () => {
  const { storage } = lustreRun();
  const lustreAt = { ...at, mode: 'taskExport' } as const;
  const made = { ...storage, id: 'fs-1', mountName: 'abc', links: { '/scratch': 'dra-1' } };
  const told = (before: Run, ...drafts: readonly AnyDraft[]) =>
    drafts.reduce<Run>((each, draft) => apply(each, draft, lustreAt), before);
  const deferred = StorageDeferred.of({ reason: 'full', retryAt: LATER, storageId: 'fs-1' });
  const discarded = StorageDiscarded.of({ storageId: 'fs-1' });
  const misconfigured = (path: string) => RepositoryMisconfigured.of({ path, reason: 'no' });
  const recovered = RepositoryRecovered.of({ path: '/scratch' });

  it('is known by its id and its mount name once it is made', () => {
    const created = FileSystemCreated.of({ fileSystemId: 'fs-1', mountName: 'abc' });
    expect(told(lustreRun(), created).storage).toEqual({
      ...storage,
      id: 'fs-1',
      mountName: 'abc',
    });
  });

  it('has the associations that were asked for, by their paths', () => {
    const linked = (path: string, associationId: string) =>
      RepositoryLinked.of({ associationId, path, direction: 'both' });
    expect(
      told(lustreRun(), linked('/scratch', 'dra-1'), linked('/input', 'dra-2')).storage.links,
    ).toEqual({ '/scratch': 'dra-1', '/input': 'dra-2' });
  });

  it('remembers when the last of its associations was asked for', () => {
    const linked = (path: string) =>
      RepositoryLinked.of({ associationId: 'dra-1', path, direction: 'both' });
    const first = apply(lustreRun(), linked('/scratch'), { ...lustreAt, time: BEGUN });
    expect([first.storage.linkedAt, told(first, linked('/input')).storage.linkedAt]).toEqual([
      BEGUN,
      LATER,
    ]);
  });

  it.each(['provisioning', 'exporting'] as const)(
    'is misconfigured at a path since it was seen so, while the run is %s',
    (status) => {
      const bad = told(lustreRun({ status }), misconfigured('/scratch'));
      expect([bad.storage.misconfigured, bad.status]).toEqual([
        { path: '/scratch', since: LATER },
        status,
      ]);
    },
  );

  it('is misconfigured at another path from when that was seen', () => {
    const bad = apply(lustreRun(), misconfigured('/scratch'), { ...lustreAt, time: BEGUN });
    expect(told(bad, misconfigured('/input')).storage.misconfigured).toEqual({
      path: '/input',
      since: LATER,
    });
  });

  it('is misconfigured anew after it had recovered', () => {
    const bad = apply(lustreRun(), misconfigured('/scratch'), { ...lustreAt, time: BEGUN });
    const again = told(bad, recovered, misconfigured('/scratch'));
    expect(again.storage.misconfigured).toEqual({ path: '/scratch', since: LATER });
  });

  it.each([
    ['it has recovered', 'provisioning', recovered],
    ['it has recovered during the export', 'exporting', recovered],
    ['it is usable', 'provisioning', FileSystemAvailable.of({ fileSystemId: 'fs-1' })],
    ['an export begins', 'ready', ExportRequested.of({ verdict: { kind: 'succeeded' } })],
  ] as const)('is misconfigured no more once %s', (_what, status, draft) => {
    const bad = lustreRun({
      status,
      storage: { ...made, misconfigured: { path: '/scratch', since: BEGUN } },
    });
    const { storage: left } = told(bad, draft);
    expect([left.misconfigured, left.id, left.links]).toEqual([undefined, made.id, made.links]);
  });

  it.each(STATUSES.filter((status) => status !== 'provisioning' && status !== 'exporting'))(
    'is neither misconfigured nor recovered in a run that is %s',
    (status) => {
      for (const draft of [misconfigured('/scratch'), recovered]) {
        expect(() => told(lustreRun({ status, storage: made }), draft)).toThrow(
          `${draft.type} cannot meet a run that is ${status}`,
        );
      }
    },
  );

  it('that failed for want of room is still known: it must go first', () => {
    expect(told(lustreRun({ storage: made }), deferred)).toMatchObject({
      status: 'queued',
      storage: { id: 'fs-1', tries: 2, retryAt: LATER },
    });
  });

  it('leaves nothing of itself to the next one once it is gone', () => {
    const bad = { ...made, linkedAt: BEGUN, misconfigured: { path: '/scratch', since: BEGUN } };
    const { storage: left, status } = told(lustreRun({ storage: bad }), deferred, discarded);
    expect([status, left]).toEqual([
      'queued',
      { ...storage, failure: 'full', retryAt: LATER, tries: 2 },
    ]);
  });

  it.each(STATUSES.filter((status) => status !== 'queued'))(
    'is discarded by no run that is %s',
    (status) => {
      expect(() => told(lustreRun({ status, storage: made }), discarded)).toThrow(
        `StorageDiscarded cannot meet a run that is ${status}`,
      );
    },
  );
});

describe('the export of a run', () => {
  const lustreAt = { ...at, mode: 'autoExport' } as const;
  const running = lustreRun({ mode: 'autoExport', status: 'running' });
  const told = (before: Run, ...drafts: readonly AnyDraft[]) =>
    drafts.reduce<Run>((each, draft) => apply(each, draft, lustreAt), before);
  const verdict = { kind: 'succeeded' } as const;
  const requested = ExportRequested.of({ verdict });
  const drained = ExportQueueDrained.of({ fileSystemId: 'fs-1', drainedAt: BEGUN });
  const disabled = AutoExportDisabled.of({ fileSystemId: 'fs-1' });
  const created = ExportTaskCreated.of({ taskId: 'task-1' });
  const failed = ExportFailed.of({ reason: 'no', taskId: 'task-1', report: 'r', retryAt: LATER });
  const retained = StorageRetained.of({
    verdict: { kind: 'failed', reason: 'x' },
    retainUntil: LATER,
    pricePerHour: 1,
  });

  it('begins when it is asked for, with its first try', () => {
    expect(told(running, requested)).toMatchObject({
      ...{ status: 'exporting', verdict },
      export: { requestedAt: LATER, tries: 1 },
    });
  });

  it('knows what was done of it, step by step', () => {
    const done = told(running, requested, drained, disabled, created);
    expect([done.status, done.storage.autoExportOffAt, done.export]).toEqual([
      'exporting',
      LATER,
      {
        ...{ requestedAt: LATER, tries: 1, verdict: { kind: 'succeeded' } },
        ...{ drainedAt: BEGUN, taskId: 'task-1', taskCreatedAt: LATER },
      },
    ]);
  });

  it('that failed has no task, another key, a pause and a list of files', () => {
    expect(told(running, requested, created, failed).export).toEqual({
      ...{ requestedAt: LATER, tries: 2, verdict: { kind: 'succeeded' } },
      ...{ report: 'r', retryAt: LATER },
    });
  });

  it('keeps the list of files where a later failure has none', () => {
    const without = ExportFailed.of({ reason: 'no' });
    expect(told(running, requested, failed, without).export).toMatchObject({
      ...{ tries: 3, report: 'r' },
      retryAt: undefined,
    });
  });

  it('has no pause any more once it has a task', () => {
    expect(told(running, requested, failed, created).export?.retryAt).toBeUndefined();
  });

  it('is not over by the word of its task: the proof and the release are written together', () => {
    const completed = ExportTaskCompleted.of({ taskId: 'task-1', exportedCount: 1 });
    expect(told(running, requested, created, completed).status).toBe('exporting');
  });

  it('begins anew when it is asked for anew, with auto-export off for good', () => {
    const again = told(running, requested, drained, disabled, created, failed, retained, requested);
    expect([again.export, again.storage.autoExportOffAt]).toEqual([
      { requestedAt: LATER, tries: 1, verdict: { kind: 'succeeded' } },
      LATER,
    ]);
  });

  it('is forgotten when the jobs go on', () => {
    const resumed = RunResumed.of({ jobs: [], requestId: 'q1' });
    const went = told(running, requested, created, retained, resumed);
    expect([went.status, went.export]).toEqual(['ready', undefined]);
  });

  it.each([
    ['queued', [drained, disabled, created, failed]],
    ['running', [drained, disabled, created, failed]],
    ['retained', [drained, disabled, created, failed]],
    ['releasing', [requested, drained, disabled, created, failed]],
    ['succeeded', [requested, drained, disabled, created, failed]],
  ] as const)('is touched by nothing in a run that is %s', (status, drafts) => {
    for (const draft of drafts) {
      expect(() => told(lustreRun({ mode: 'autoExport', status }), draft)).toThrow(
        `${draft.type} cannot meet a run that is ${status}`,
      );
    }
  });
});

describe('the requests that a run has answered', () => {
  const refused = (requestId: string) =>
    RequestRefused.of({ request: 'RunCancelRequested', reason: 'x', requestId });
  const ids = Array.from({ length: 25 }, (_, index) => `q${index}`);
  const asked = ids.reduce<Run>((each, id) => apply(each, refused(id), at), run());

  it('are the last twenty, the newest last', () => {
    expect(asked.answered).toEqual(ids.slice(5));
  });

  it.each([
    ['q24', true],
    ['q5', true],
    ['q4', false],
    ['q99', false],
  ])('have %s among them: %s', (id, expected) => {
    expect(hasAnswered(asked, id)).toBe(expected);
  });

  it('are none in a run that nobody asked anything of', () => {
    expect(hasAnswered(run(), 'q1')).toBe(false);
  });

  it.each([
    ['running', StopRequested.of({ verdict: { kind: 'cancelled', reason: 'x' }, requestId: 'q1' })],
    [
      'ready',
      StorageRetained.of({
        ...{ verdict: { kind: 'cancelled', reason: 'x' }, requestId: 'q1' },
        ...{ retainUntil: LATER, pricePerHour: 1 },
      }),
    ],
  ] as const)('are noted in a run that is %s with %j', (status, draft) => {
    expect(apply(run({ status }), draft, at).answered).toEqual(['q1']);
  });
});
