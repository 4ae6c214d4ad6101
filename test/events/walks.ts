import fc from 'fast-check';
import {
  type AnyDraft,
  allows,
  apply,
  type DataOf,
  defaultsOf,
  MODES,
  type Mode,
  RUN_EVENTS,
  type Run,
  type RunEvent,
  type RunEventType,
} from '../../events';

/** A life of a run that the table allows: its events, and the run after each of them. */
export interface Walk {
  readonly events: readonly RunEvent[];
  readonly runs: readonly Run[];
}

const JOBS = ['prepare', 'main'] as const;
const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

const draw = fc.record({
  pick: fc.nat(),
  afterMs: fc.integer({ min: 0, max: 7_200_000 }),
  job: fc.constantFrom(...JOBS),
  status: fc.constantFrom('RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED'),
  attempt: fc.integer({ min: 0, max: 5 }),
  ran: fc.boolean(),
  logStream: fc.constantFrom('log/1', 'log/2', undefined),
  end: fc.constantFrom(
    { exitCode: 0 },
    { exitCode: 1, statusReason: 'Essential container in task exited' },
    { exitCode: 143 },
    { statusReason: 'Host EC2 (instance i-1) terminated.' },
    {},
  ),
  verdict: fc.constantFrom(
    { kind: 'succeeded' } as const,
    { kind: 'failed', reason: 'it broke' } as const,
    { kind: 'cancelled', reason: 'not needed' } as const,
  ),
  onFailure: fc.constantFrom('retain', 'export', 'release'),
  asked: fc.constantFrom('q1', 'q2', undefined),
});
type Draw = typeof draw extends fc.Arbitrary<infer Value> ? Value : never;

/** When the event happens, and to a run of which mode. */
interface Moment {
  readonly time: string;
  readonly mode: Mode;
}

type Plausible = {
  readonly [Type in RunEventType]: (
    draw: Draw,
    run: Run | undefined,
    moment: Moment,
  ) => DataOf<Type>;
};

const reason = 'AWS said no';
const volume = () => ({ volumeId: 'vol-0123456789abcdef0', zone: 'us-east-1a' });
/** What is said of a submission: the one that is under way, where one is. */
function underWay({ job }: Draw, run?: Run): { job: string; submission: number } {
  const jobs = Object.values(run?.jobs ?? {});
  const found = jobs.find(({ status }) => status === 'REQUESTED') ?? run?.jobs[job];
  return { job: found?.name ?? job, submission: Math.max(1, found?.submission ?? 1) };
}

const PLAUSIBLE: Plausible = {
  RunAccepted: ({ onFailure }, _run, { mode }) => ({
    parameters: {
      ...defaultsOf(mode),
      zones: ['us-east-1a'],
      onFailure: mode === 'onlyEBS' && onFailure === 'export' ? 'retain' : onFailure,
    },
    jobs: JOBS.map((name) => ({
      name,
      image: 'repository',
      environment: {},
      vcpus: 1,
      memoryMib: 4,
      attempts: 2,
      dependsOn: name === 'main' ? ['prepare'] : [],
    })),
    results: { bucket: 'results', prefix: 'runs/r1/' },
    fingerprint: '0123456789abcd',
  }),
  RunRejected: () => ({ reason, fingerprint: '' }),
  StorageRequested: (_draw, _run, { mode }) => ({
    kind: mode === 'onlyEBS' ? 'volume' : 'fileSystem',
    zone: 'us-east-1a',
    sizeGib: 500,
  }),
  StorageDeferred: (_draw, _run, { time }) => ({ reason, retryAt: time }),
  StorageDiscarded: () => ({ storageId: 'fs-0123456789abcdef0' }),
  StorageFailed: () => ({ reason }),
  VolumeCreated: volume,
  VolumeAvailable: volume,
  FileSystemCreated: () => ({ fileSystemId: 'fs-0123456789abcdef0', mountName: 'abc' }),
  RepositoryLinked: () => ({ associationId: 'dra-1', path: '/scratch', direction: 'both' }),
  RepositoryMisconfigured: () => ({ path: '/scratch', reason }),
  RepositoryRecovered: () => ({ path: '/scratch' }),
  FileSystemAvailable: () => ({ fileSystemId: 'fs-0123456789abcdef0' }),
  StorageLost: () => ({ reason }),
  JobRequested: ({ job }, run) => ({
    job,
    submission: (run?.jobs[job]?.submission ?? 0) + 1,
    jobName: 'n',
  }),
  JobSubmitted: (draw, run) => ({ ...underWay(draw, run), jobId: 'j' }),
  JobRefused: (draw, run) => ({ ...underWay(draw, run), reason, unseen: draw.ran }),
  JobDoubted: (draw, run) => ({ ...underWay(draw, run), reason }),
  BatchJobStateChange: ({ job, status, attempt, ran, logStream, end }, run) => ({
    job,
    jobId: 'j',
    submission: Math.max(1, run?.jobs[job]?.submission ?? 1),
    status,
    attempt,
    ran,
    logStream,
    ...end,
  }),
  JobMissed: (draw, run) => ({ ...underWay(draw, run), jobId: 'j' }),
  JobsEnded: () => ({}),
  StopRequested: ({ verdict }) => ({ verdict }),
  JobsStopped: () => ({ jobIds: ['j'] }),
  ExportRequested: ({ verdict, asked }) => ({ verdict, requestId: asked }),
  ExportQueueDrained: (_draw, _run, { time }) => ({ fileSystemId: 'fs-1', drainedAt: time }),
  AutoExportDisabled: () => ({ fileSystemId: 'fs-1' }),
  ExportTaskCreated: () => ({ taskId: 'task-1' }),
  ExportTaskCompleted: () => ({ taskId: 'task-1', exportedCount: 3 }),
  ExportFailed: () => ({ reason }),
  StorageRetained: ({ verdict }, _run, { time }) => ({
    verdict: verdict.kind === 'succeeded' ? { kind: 'failed', reason } : verdict,
    retainUntil: time,
    pricePerHour: 0.089,
  }),
  RunResumed: ({ job, asked = 'q3' }) => ({ jobs: [job], requestId: asked }),
  ReleaseStarted: ({ verdict, asked }) => ({ verdict, requestId: asked }),
  StorageReleased: () => ({}),
  StorageKept: () => ({ storageId: 'vol-1', pricePerHour: 0.089 }),
  DeadlinePassed: (_draw, run, { time }) => ({
    // Only met where the table lets it: in an active status.
    overdue: (run?.status ?? 'queued') as DataOf<'DeadlinePassed'>['overdue'],
    deadline: time,
  }),
  RequestRefused: () => ({
    request: 'RunRequested',
    reason,
    requestId: 'run-2',
    rejectedAs: 'run-2',
  }),
  RunSucceeded: () => ({}),
  RunFailed: () => ({ reason }),
  RunCancelled: () => ({ reason }),
};

const TYPES = Object.keys(RUN_EVENTS) as RunEventType[];
/** They end a walk at once, and there is little to see then: they come after some of the others. */
const isHasty = (type: RunEventType) => type === 'RunRejected' || type === 'ReleaseStarted';

function walk(mode: Mode, draws: readonly Draw[]): Walk {
  const events: RunEvent[] = [];
  const runs: Run[] = [];
  let now = START_MS;
  for (const each of draws) {
    const before = runs.at(-1);
    now += each.afterMs;
    const legal = TYPES.filter((type) => allows(before, type));
    const patient = legal.filter((type) => !isHasty(type) || each.pick % 7 === 0);
    const type = patient[each.pick % patient.length];
    if (!type) break;
    const time = new Date(now).toISOString();
    // The data is of the type that it was made for: PLAUSIBLE is mapped so.
    const draft = { type, data: PLAUSIBLE[type](each, before, { time, mode }) } as AnyDraft;
    const run = apply(before, draft, { time, id: 'r1', mode });
    const { status, seq } = run;
    events.push({ ...draft, runId: 'r1', mode, status, seq, time });
    runs.push(run);
  }
  return { events, runs };
}

/** Lives of runs that the table allows, with data that handlers could have written. */
export const walks: fc.Arbitrary<Walk> = fc
  .tuple(fc.constantFrom(...MODES), fc.array(draw, { minLength: 1, maxLength: 40 }))
  .map(([mode, draws]) => walk(mode, draws));
