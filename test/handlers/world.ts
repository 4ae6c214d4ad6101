import {
  type Draft,
  type Envelope,
  isLast,
  type Job,
  type Parsed,
  PROBE_DUE,
  type Run,
  type RunStatus,
  SCRATCH,
  SOURCE,
  type Storage,
} from '../../events';
import {
  type CreatedVolume,
  changeOf,
  type InspectedFileSystem,
  type LogLine,
  lookOf,
  type Ports,
  type Runs,
  type SeenAssociation,
  type SeenJob,
  type SeenTask,
} from '../../handlers';
import { memoryBrakes } from '../../sim/brakes';
import { type VirtualClock, virtualClock } from '../../sim/clock';
import { memoryOnce } from '../../sim/once';
import { type MemoryRuns, memoryRuns } from '../../sim/run-store';
import { SETTINGS } from '../../sim/simulator';
import { FILE_SYSTEM, job, later, lustreRun, NOW, run } from '../support/builders';

/** The id of the volume of a run that has one. */
export const VOLUME = 'vol-0123456789abcdef0';

/** A probe, as handlers meet it. What they know they know from the run. */
export const probe: Parsed<unknown> & { readonly data: { runId: string; status: 'running' } } = {
  type: PROBE_DUE,
  about: { runId: 'r1' },
  data: { runId: 'r1', status: 'running' },
};

/** A run as it looks in each of its statuses when all went as usual. */
export function runIn(status: RunStatus, overrides: Partial<Run> = {}): Run {
  return run({ status, storage: storageIn(status), jobs: { main: jobIn(status) }, ...overrides });
}

/** The storage of `runIn`, with changes. */
export function storageIn(status: RunStatus, overrides: Partial<Storage> = {}): Storage {
  const { storage } = run();
  if (status === 'rejected') return { ...storage, requestedAt: undefined, ...overrides };
  if (status === 'queued' || status === 'provisioning') return { ...storage, ...overrides };
  const over = isLast(status) ? 'released' : undefined;
  return { ...storage, id: VOLUME, availableAt: later(0), over, ...overrides };
}

/** A run on a file system, as it looks in each of its statuses when all went as usual. */
export function lustreRunIn(status: RunStatus, overrides: Partial<Run> = {}): Run {
  const hasExport = ['exporting', 'releasing', 'succeeded'].includes(status);
  return lustreRun({
    status,
    storage: lustreStorageIn(status),
    jobs: { main: jobIn(status) },
    export: hasExport ? { requestedAt: later(0), tries: 1 } : undefined,
    ...overrides,
  });
}

/** What a file system has once it was asked for, and linked to S3. */
export const MADE = {
  id: FILE_SYSTEM,
  mountName: 'abcdefgh',
  links: { [SCRATCH]: 'dra-scratch' },
  linkedAt: later(0),
} as const;

/** The storage of `lustreRunIn`, with changes. */
export function lustreStorageIn(status: RunStatus, overrides: Partial<Storage> = {}): Storage {
  const { storage } = lustreRun();
  if (status === 'rejected') return { ...storage, requestedAt: undefined, ...overrides };
  if (status === 'queued' || status === 'provisioning') return { ...storage, ...overrides };
  const over = isLast(status) ? 'released' : undefined;
  return { ...storage, ...MADE, availableAt: later(0), over, ...overrides };
}

/** The file system of `lustreRunIn` as FSx shows it, usable and linked. */
export function seenFileSystem(overrides: Partial<InspectedFileSystem> = {}): InspectedFileSystem {
  return {
    fileSystemId: FILE_SYSTEM,
    lifecycle: 'AVAILABLE',
    noRoom: false,
    associations: [seenAssociation()],
    tasks: [],
    ...overrides,
  };
}

/** The association of `/scratch` as FSx shows it. */
export function seenAssociation(overrides: Partial<SeenAssociation> = {}): SeenAssociation {
  return {
    associationId: 'dra-scratch',
    path: SCRATCH,
    lifecycle: 'AVAILABLE',
    autoExports: false,
    ...overrides,
  };
}

/** An export task as FSx shows it: done, and nothing failed. */
export function seenTask(overrides: Partial<SeenTask> = {}): SeenTask {
  return {
    taskId: 'task-1',
    type: 'EXPORT_TO_REPOSITORY',
    lifecycle: 'SUCCEEDED',
    counts: { total: 7, succeeded: 7, failed: 0 },
    ...overrides,
  };
}

/** A job that Batch has, an attempt running. */
export function runningJob(overrides: Partial<Job> = {}): Job {
  return submittedJob({ status: 'RUNNING', attempt: 1, ran: true, ...overrides });
}

/** A job that Batch has under an id. */
export function submittedJob(overrides: Partial<Job> = {}): Job {
  return job({ status: 'SUBMITTED', submission: 1, jobId: 'job-1', ...overrides });
}

/** A job of which nobody knows yet whether Batch has it. */
export function requestedJob(overrides: Partial<Job> = {}): Job {
  return job({ status: 'REQUESTED', submission: 1, ...overrides });
}

/** A job whose five attempts went by without an exit of its own. */
export function spentJob(overrides: Partial<Job> = {}): Job {
  const exitCode = 143;
  return submittedJob({ status: 'FAILED', attempt: 5, ran: true, exitCode, ...overrides });
}

/** The job of `spentJob` or `runningJob` as Batch shows it. */
export function seenJob(overrides: Partial<SeenJob> = {}): SeenJob {
  return {
    jobId: 'job-1',
    jobName: 'ebbtide-r1_main_1',
    status: 'RUNNING',
    attempts: [],
    ...overrides,
  };
}

function jobIn(status: RunStatus): Job {
  if (status === 'running') return runningJob();
  if (['exporting', 'releasing', 'succeeded'].includes(status)) {
    return submittedJob({ status: 'SUCCEEDED', attempt: 1, ran: true });
  }
  if (status === 'retained' || status === 'failed') {
    return submittedJob({ status: 'FAILED', attempt: 1, ran: true, exitCode: 1 });
  }
  return job();
}

/** One of our own events, as the bus delivers it. */
export function envelope(type: string, detail: unknown = {}, source = SOURCE): Envelope {
  const id = '11111111-2222-4333-8444-555555555555';
  return { id, source, 'detail-type': type, time: later(0), detail };
}

/** The envelope of a probe. */
export function probeEnvelope(status: string, runId = 'r1'): Envelope {
  return envelope(PROBE_DUE, { runId, status });
}

/** Everything that a delivery meets, and what it left behind. */
export interface World {
  readonly clock: VirtualClock;
  readonly runs: MemoryRuns;
  readonly ports: Ports;
  readonly lines: LogLine[];
  /** Lets time pass until this is done. */
  settled<Value>(work: Promise<Value>): Promise<Value>;
}

const absent = (name: string) => async (): Promise<never> => {
  throw new Error(`nobody expects a call of ${name} here`);
};

function absentFileSystems(): Ports['fileSystems'] {
  return {
    create: absent('fileSystems.create'),
    link: absent('fileSystems.link'),
    describe: absent('fileSystems.describe'),
    inspect: absent('fileSystems.inspect'),
    switchOffAutoExport: absent('fileSystems.switchOffAutoExport'),
    startExport: absent('fileSystems.startExport'),
    release: absent('fileSystems.release'),
    keep: absent('fileSystems.keep'),
    discard: absent('fileSystems.discard'),
    list: absent('fileSystems.list'),
  };
}

/** A world whose outside refuses every call that a test does not name. */
export function world(outside: Partial<Ports> = {}): World {
  const clock = virtualClock(NOW);
  const runs = memoryRuns();
  const lines: LogLine[] = [];
  const ports: Ports = {
    clock,
    random: () => 0.5,
    runs,
    once: memoryOnce(clock),
    log: (line) => void lines.push(line),
    settings: { read: async () => SETTINGS },
    brakes: memoryBrakes(),
    claims: { take: absent('claims.take') },
    volumes: {
      create: absent('volumes.create'),
      describe: absent('volumes.describe'),
      release: absent('volumes.release'),
      keep: absent('volumes.keep'),
      discard: absent('volumes.discard'),
      list: absent('volumes.list'),
    },
    fileSystems: absentFileSystems(),
    metrics: { exportQueueAge: absent('metrics.exportQueueAge') },
    intake: { read: absent('intake.read'), answer: absent('intake.answer') },
    jobs: {
      submit: absent('jobs.submit'),
      find: absent('jobs.find'),
      describe: absent('jobs.describe'),
      stop: absent('jobs.stop'),
    },
    ...outside,
  };
  async function settled<Value>(work: Promise<Value>): Promise<Value> {
    let isDone = false;
    const finish = () => {
      isDone = true;
    };
    work.then(finish, finish);
    await new Promise((resolve) => setImmediate(resolve));
    while (!isDone && (await clock.step())) {
      // Each step lets one sleeper go on.
    }
    return work;
  }
  return { clock, runs, ports, lines, settled };
}

/** A world whose EC2 counts its creations, by their tokens. */
export function creating(
  answer: CreatedVolume = { ok: true, volumeId: VOLUME, zone: 'us-east-1a' },
): World & { readonly tokens: readonly string[] } {
  const tokens: string[] = [];
  const here = world();
  const create = async ({ clientToken }: { clientToken: string }) => {
    tokens.push(clientToken);
    return answer;
  };
  const ports: Ports = { ...here.ports, volumes: { ...here.ports.volumes, create } };
  return { ...here, ports, tokens };
}

/** What was written of the run, by the names of its events. */
export async function writtenIn({ runs }: World): Promise<string[]> {
  return (await runs.journal('r1')).map(({ type }) => type);
}

/** Lets time pass until then, where nothing else is due before. */
export async function passUntil({ clock }: World, time: number): Promise<void> {
  clock.at(time, () => {});
  await clock.step();
}

/** Puts a run into the table as it is, with the look of its status, or one at that time. */
export async function given(runs: Runs, found: Run, lookAt?: string): Promise<Run> {
  const storageIds = found.storage.id ? [found.storage.id] : [];
  const look = lookOf(found, NOW);
  const moved = look && lookAt ? { ...look, lookAt } : look;
  await runs.commit({ before: 0, run: found, events: [], look: moved, storageIds });
  return found;
}

/** The store, in which somebody else is faster than the next commits: this happens before each. */
export function overtaken(runs: Runs, ...meanwhile: readonly (() => Promise<unknown>)[]): Runs {
  const left = [...meanwhile];
  return {
    ...runs,
    async commit(change) {
      await left.shift()?.();
      return runs.commit(change);
    },
  };
}

/** Somebody else's change of the run in the table. */
export async function happens(runs: Runs, ...drafts: readonly Draft[]): Promise<void> {
  const before = await runs.get('r1');
  await runs.commit(changeOf(before, { runId: 'r1', drafts, now: NOW }));
}
