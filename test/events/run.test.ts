import fc from 'fast-check';
import {
  ACTIVE_STATUSES,
  type AnyDraft,
  apply,
  BatchJobStateChange,
  DeadlinePassed,
  ExportRequested,
  FileSystemAvailable,
  FileSystemCreated,
  isLast,
  JobDoubted,
  JobRefused,
  JobRequested,
  JobSubmitted,
  LAST_STATUSES,
  ReleaseStarted,
  RequestRefused,
  RUN_EVENTS,
  RunAccepted,
  RunRejected,
  RunResumed,
  type RunStatus,
  replay,
  rowOf,
  STATUSES,
  StopRequested,
  StorageDeferred,
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
import { BEGUN, job, run } from '../support/builders';
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
    expect(apply(run(), refused, at)).toEqual({ ...run(), seq: 3, lastAnswered: 'run-2' });
  });

  it('notes the last refused request alone', () => {
    const refused = RequestRefused.of({
      request: 'RunCancelRequested',
      reason: 'x',
      requestId: 'q1',
    });
    expect(apply(run({ lastAnswered: 'run-2' }), refused, at).lastAnswered).toBe('q1');
  });

  it.each([
    RunResumed.of({ jobs: ['main'], requestId: 'q1' }),
    ExportRequested.of({ verdict: { kind: 'succeeded' }, requestId: 'q1' }),
    ReleaseStarted.of({ verdict: { kind: 'succeeded' }, requestId: 'q1' }),
  ])('notes the request that is granted with %j', (granted) => {
    const retained = run({ status: 'retained', lastAnswered: 'run-2' });
    expect(apply(retained, granted, at).lastAnswered).toBe('q1');
  });

  it.each([
    ExportRequested.of({ verdict: { kind: 'succeeded' } }),
    ReleaseStarted.of({ verdict: { kind: 'succeeded' } }),
  ])('keeps its note of the last request where nobody asked for %j', (draft) => {
    const running = run({ status: 'running', lastAnswered: 'q1' });
    expect(apply(running, draft, at).lastAnswered).toBe('q1');
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
