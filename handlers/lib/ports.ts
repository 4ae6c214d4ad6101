import type {
  ActiveStatus,
  ArrayCounts,
  BatchStatus,
  ChildFailure,
  JobSpec,
  Link,
  Mode,
  Point,
  Run,
  RunEvent,
  Settings,
} from '../../events';

/**
 * What handlers need from outside, in words of the domain. `handlers/aws` puts AWS behind it, `sim`
 * a twin. A port method throws only on surprise (a lost answer, a defect), and `Throttled` where AWS
 * asks for less; a refusal that can be expected is an outcome.
 */
export interface Ports {
  readonly clock: Clock;
  /** 0 ≤ random < 1. Only for jitter: no decision depends on it. */
  readonly random: () => number;
  readonly runs: Runs;
  readonly once: Once;
  readonly log: (line: LogLine) => void;
  readonly settings: SettingsSource;
  readonly brakes: Brakes;
  readonly claims: Claims;
  readonly volumes: Volumes;
  readonly fileSystems: FileSystems;
  readonly metrics: Metrics;
  readonly jobs: Jobs;
  readonly intake: Intake;
}

/** The ports a handler may ask for by name; the rest belongs to the one path. */
export type PortName =
  | 'settings'
  | 'claims'
  | 'volumes'
  | 'fileSystems'
  | 'metrics'
  | 'jobs'
  | 'intake';

/** AWS asks for fewer calls. Who waits for this port waits together: see `Brakes`. */
export class Throttled extends Error {}

/** How far calls of one port are held back, for all runs together. */
export interface Brake {
  /** ISO 8601: no call before then. */
  readonly until: string;
  /** How often in a row AWS asked for less, and took no call meanwhile; 0: it takes calls again. */
  readonly level: number;
}

/** What all runs together know of AWS's throttling. */
export interface Brakes {
  read(port: PortName): Promise<Brake | undefined>;
  /** The last writer wins: two that pull at once mean the same. */
  set(port: PortName, brake: Brake): Promise<void>;
}

/** Places in S3 that belong to one living run at a time. */
export interface Claims {
  /**
   * Takes `s3://<bucket>/<prefix>/` for a run, unless another living run has it, or a place within it
   * or around it: then gives that run's id. Taking it again changes nothing. A claim ends with its run,
   * and an hour after it was taken where there is no such run.
   */
  take(wanted: {
    readonly runId: string;
    readonly repositoryPath: string;
  }): Promise<string | undefined>;
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** One line per delivery: who did what with which event, and why. */
export interface LogLine {
  readonly handler: string;
  readonly event: string;
  readonly runId: string;
  readonly seq: number;
  readonly decided: string;
}

/** Runs act under a key, once: a second call gets the first one's outcome. Throws while one runs. */
export type Once = <Outcome>(key: string, act: () => Promise<Outcome>) => Promise<Outcome>;

/** A change of a run, to be written whole or not at all. */
export interface Change {
  /** The `seq` the run had when it was read; 0 where there was none. */
  readonly before: number;
  readonly run: Run;
  readonly events: readonly RunEvent[];
  /** When somebody must look next; absent in a last status: then there is no look. */
  readonly look?: Look;
  /** Storage ids that lead to this run from now on. */
  readonly storageIds: readonly string[];
}

/** When a run must be looked at, with what the sweep needs to know of it. */
export interface Look {
  readonly runId: string;
  readonly status: ActiveStatus;
  /** ISO 8601. */
  readonly lookAt: string;
  /** What the table believes of the run's jobs at Batch, for those that are not over. */
  readonly jobs: readonly BelievedJob[];
  readonly storageId?: string;
  /** How often the sweep compares the jobs of this run with Batch. */
  readonly everySeconds: number;
}

export interface BelievedJob {
  readonly jobId: string;
  readonly status: BatchStatus;
  readonly attempt: number;
  /** Of an array. */
  readonly arraySize?: number;
  readonly counts?: ArrayCounts;
}

/** The table of runs. Reads are consistent. */
export interface Runs {
  get(runId: string): Promise<Run | undefined>;
  /** False: the run's `seq` is not `before` any more. Somebody was faster; nothing was written. */
  commit(change: Change): Promise<boolean>;
  /** The run that has this storage; undefined for storage that is not ours. */
  runOf(storageId: string): Promise<string | undefined>;
  /** A run's events in the order of their `seq`. */
  journal(runId: string): Promise<readonly RunEvent[]>;
  look(runId: string): Promise<Look | undefined>;
  /** Moves the look of a run that is still in this status, unless an earlier one lies ahead of `now`. */
  lookAgain(next: {
    readonly runId: string;
    readonly status: ActiveStatus;
    readonly lookAt: string;
    readonly now: string;
  }): Promise<void>;
  /** The looks of a status, those due by then, or all where `dueBy` (ISO 8601) is absent. */
  looks(status: ActiveStatus, dueBy?: string): Promise<readonly Look[]>;
}

/** What the stack brings to every request. */
export interface SettingsSource {
  read(): Promise<Settings>;
}

/** EBS volumes. Every volume is encrypted and tagged with stack and run from its creation. */
export interface Volumes {
  /** Creates a gp3 volume, or gives the one that exists under this client token (at most 63 characters). */
  create(wanted: WantedVolume): Promise<CreatedVolume>;
  /**
   * The volumes as EC2 shows them now, 500 per call. One is left out only when EC2 has denied it
   * twice, some seconds apart; even so it may only be too early for a new one.
   */
  describe(volumeIds: readonly string[]): Promise<readonly Volume[]>;
  /**
   * Takes the next step towards the end of every volume of a run, whether we know its id or not:
   * detaches what is attached, deletes what is free. Says what is left; safe to repeat.
   */
  release(wanted: {
    readonly runId: string;
    /** ISO 8601: what was made before is another run's of the same id, and is left alone. */
    readonly since: string;
    /** A container of the run was at work: without one, whoever has it attached is waited for. */
    readonly mayDetach: boolean;
    readonly volumeId?: string;
  }): Promise<Released>;
  /** Marks the volume as its owner's: nothing of ours may delete it any more. False: there is none. */
  keep(volumeId: string): Promise<boolean>;
  /** Deletes this very volume, if nobody uses it and it is not kept. False: it was not deleted. */
  discard(volumeId: string): Promise<boolean>;
  /** Every volume with this stack's tag, page by page. */
  list(): Promise<readonly OwnedStorage[]>;
}

/** Storage as the cloud shows it to who asks for everything that is ours. */
export interface OwnedStorage {
  readonly storageId: string;
  readonly kind: 'volume' | 'fileSystem';
  /** As its tag says: whoever made it knew the run. */
  readonly runId: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly sizeGib: number;
  /** US dollars per hour. */
  readonly pricePerHour: number;
  /** Attached to a host, or a task of it runs. */
  readonly isInUse: boolean;
  /** Its owner's, by its tag. */
  readonly isKept: boolean;
}

export interface WantedVolume {
  readonly clientToken: string;
  readonly runId: string;
  readonly zone: string;
  readonly sizeGib: number;
  readonly iops: number;
  readonly throughputMibps: number;
}

export type CreatedVolume =
  | { readonly ok: true; readonly volumeId: string; readonly zone: string }
  /** `noRoom`: a quota or a zone without capacity; waiting may help, other parameters need not. */
  | { readonly ok: false; readonly noRoom: boolean; readonly reason: string };

/** EC2's words for a volume's state, and ours for the two that are really one. */
export interface Volume {
  readonly volumeId: string;
  readonly zone: string;
  readonly state: 'creating' | 'available' | 'in-use' | 'deleting' | 'error';
}

/**
 * FSx for Lustre, SCRATCH_2. Every file system is tagged with stack and run from its creation. FSx
 * sends no events: what became of something is only ever seen by looking.
 */
export interface FileSystems {
  /** Creates a file system, or gives the one that exists under this client token (at most 63 characters). */
  create(wanted: WantedFileSystem): Promise<CreatedFileSystem>;
  /** Ties a path to a place in S3, or gives the tie that exists under this token. FSx may be creating yet. */
  link(wanted: WantedLink): Promise<LinkedRepository>;
  /**
   * The file systems as FSx shows them now, a page at a time. One is left out only when FSx has denied
   * it twice, some seconds apart: the loss of storage is concluded from that.
   */
  describe(fileSystemIds: readonly string[]): Promise<readonly SeenFileSystem[]>;
  /** The same, with their associations and their tasks. */
  inspect(fileSystemIds: readonly string[]): Promise<readonly InspectedFileSystem[]>;
  /** Takes the next step towards an association without auto-export. Safe to repeat. */
  switchOffAutoExport(wanted: {
    readonly fileSystemId: string;
    readonly associationId: string;
  }): Promise<SwitchedOff>;
  /** Starts a task that exports a path, or gives the one that exists under this client token. */
  startExport(wanted: WantedExport): Promise<StartedExport>;
  /**
   * Takes the next step towards the end of every file system of a run, whether we know its id or not:
   * cancels tasks, waits for those, deletes. Says what is left; safe to repeat.
   */
  release(wanted: {
    readonly runId: string;
    /** ISO 8601: what was made before is another run's of the same id, and is left alone. */
    readonly since: string;
    readonly fileSystemId?: string;
  }): Promise<Released>;
  /**
   * Marks the file system as its owner's: nothing of ours may delete it any more, and it exports nothing
   * any more by itself. False: there is none.
   */
  keep(fileSystemId: string): Promise<boolean>;
  /**
   * Deletes this very file system, if no task of it runs and it is not kept. False: it was not deleted.
   */
  discard(fileSystemId: string): Promise<boolean>;
  /** Every file system with this stack's tag, page by page. */
  list(): Promise<readonly OwnedStorage[]>;
}

export interface WantedFileSystem {
  readonly clientToken: string;
  readonly runId: string;
  readonly mode: Mode;
  readonly zone: string;
  readonly sizeGib: number;
  /** `FileSystemTypeVersion`. FSx would take 2.10 where none is given, which has no associations. */
  readonly version: string;
}

export type CreatedFileSystem =
  | { readonly ok: true; readonly fileSystemId: string; readonly mountName: string }
  /** `noRoom`: a quota or a zone without capacity; waiting may help, other parameters need not. */
  | { readonly ok: false; readonly noRoom: boolean; readonly reason: string };

export interface WantedLink {
  readonly clientToken: string;
  readonly runId: string;
  readonly fileSystemId: string;
  readonly link: Link;
  /** MiB: how imported files are striped. */
  readonly chunkSizeMib: number;
}

export type LinkedRepository =
  | { readonly ok: true; readonly associationId: string }
  | { readonly ok: false; readonly reason: string };

/** FSx's words for the life of a file system, an association and a task; a new word is none of them. */
export interface SeenFileSystem {
  readonly fileSystemId: string;
  readonly lifecycle: string;
  /** FSx's own sentence, where it failed. */
  readonly failure?: string;
  /** It failed for want of capacity. */
  readonly noRoom: boolean;
}

export interface InspectedFileSystem extends SeenFileSystem {
  readonly associations: readonly SeenAssociation[];
  readonly tasks: readonly SeenTask[];
}

export interface SeenAssociation {
  readonly associationId: string;
  /** On the file system. */
  readonly path: string;
  /** CREATING, AVAILABLE, MISCONFIGURED, UPDATING, DELETING, FAILED. */
  readonly lifecycle: string;
  readonly failure?: string;
  readonly autoExports: boolean;
}

export interface SeenTask {
  readonly taskId: string;
  /** EXPORT_TO_REPOSITORY, IMPORT_METADATA_FROM_REPOSITORY. */
  readonly type: string;
  /** PENDING, EXECUTING, SUCCEEDED, FAILED, CANCELING, CANCELED. */
  readonly lifecycle: string;
  readonly failure?: string;
  /** FSx writes these every 30 seconds; absent before the first time. */
  readonly counts?: { readonly total: number; readonly succeeded: number; readonly failed: number };
}

export type SwitchedOff =
  | { readonly kind: 'off' }
  | { readonly kind: 'updating' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface WantedExport {
  readonly clientToken: string;
  readonly runId: string;
  readonly fileSystemId: string;
  /** On the file system. */
  readonly path: string;
  /** `s3://…`: where the list of failed files goes, below an association's place. */
  readonly reportPath: string;
}

export type StartedExport =
  | { readonly ok: true; readonly taskId: string }
  /** `isBusy`: another task runs on the file system, and this one may run after it. */
  | { readonly ok: false; readonly isBusy: boolean; readonly reason: string };

/** CloudWatch, narrowed to the one metric that we judge by. */
export interface Metrics {
  /**
   * `AgeOfOldestQueuedMessage` of the auto-export queue, `Maximum`, in seconds: the points there are
   * between these times (epoch milliseconds). One that is not there is unknown, not zero.
   */
  exportQueueAge(wanted: {
    readonly fileSystemId: string;
    readonly from: number;
    readonly to: number;
    readonly periodSeconds: number;
  }): Promise<readonly Point[]>;
}

/** The bucket into which people put requests and inputs. */
export interface Intake {
  /** The object's text; undefined where there is none, or where it has more characters than this. */
  read(wanted: {
    readonly bucket: string;
    readonly key: string;
    readonly charactersMax: number;
  }): Promise<string | undefined>;
  /** Leaves an answer beside an uploaded object: `<key>.answer.json`. Safe to repeat. */
  answer(wanted: {
    readonly bucket: string;
    readonly key: string;
    readonly text: string;
  }): Promise<void>;
}

export type Released =
  /** Nothing of the run is to be seen, and EC2 has had time to show it. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'going'; readonly step: 'detaching' | 'deleting' | 'waiting' };

/** Batch jobs, of one queue per zone. */
export interface Jobs {
  /**
   * Adopts a job of this very name, over or not, else submits one: SubmitJob has no client token. Of
   * several it adopts the oldest, and terminates the others.
   */
  submit(wanted: WantedJob): Promise<SubmittedJob>;
  /** A job of this name, without submitting one. */
  find(wanted: { readonly zone: string; readonly jobName: string }): Promise<string | undefined>;
  /** The jobs as Batch shows them now, 100 per call. Unknown ids are left out. */
  describe(jobIds: readonly string[]): Promise<readonly SeenJob[]>;
  /**
   * Terminates every living job of the run, known to it or not. Gives those that were alive when it was
   * asked, told before or not: a container has 30 seconds to leave. None: Batch shows nothing of the run, or has
   * no such queue any more.
   */
  stop(wanted: {
    readonly runId: string;
    readonly zone: string;
    readonly reason: string;
  }): Promise<readonly string[]>;
}

export interface WantedJob {
  readonly jobName: string;
  readonly runId: string;
  readonly zone: string;
  /** What the host mounts: `vol-…` or `fs-…@<mountName>`. */
  readonly storage: string;
  readonly results: { readonly bucket: string; readonly prefix: string };
  readonly submission: number;
  readonly spec: JobSpec;
  /** The Batch ids of the arrays whose tasks this one's wait for, one by one. */
  readonly nToN: readonly string[];
  /** `s3://…` of the upload that started the run. */
  readonly upload?: string;
  /** The file system has an `/input`. */
  readonly hasInput: boolean;
}

export type SubmittedJob =
  | { readonly ok: true; readonly jobId: string }
  | { readonly ok: false; readonly reason: string }
  /** The answer was lost: there may be a job under this name, or come to be seen. */
  | { readonly ok: 'unknown'; readonly reason: string };

/** A Batch job, narrowed to what we use. */
export interface SeenJob {
  readonly jobId: string;
  readonly jobName: string;
  readonly status: BatchStatus;
  readonly statusReason?: string;
  /** The attempts that are over, oldest first. */
  readonly attempts: readonly SeenAttempt[];
  readonly logStream?: string;
  /** Of an array: where its tasks are, and the first that failed (`FAILURES_MAX`). */
  readonly array?: {
    readonly size: number;
    readonly counts: ArrayCounts;
    readonly failures: readonly ChildFailure[];
  };
}

export interface SeenAttempt {
  /** Whether its container started. */
  readonly started: boolean;
  /** Absent where the container never ran or its host was lost: not zero. */
  readonly exitCode?: number;
  readonly reason?: string;
  readonly statusReason?: string;
  readonly logStream?: string;
}

/** What a Batch job looks like as an attempt count: the finished ones, and the one that is begun. */
export function attemptOf({ status, attempts }: Pick<SeenJob, 'status' | 'attempts'>): number {
  return attempts.length + (status === 'STARTING' || status === 'RUNNING' ? 1 : 0);
}

/** Our bus, for those who feed it. */
export interface Bus {
  /** Puts at most ten entries; says of each whether it was taken: the call succeeds even if none was. */
  put(entries: readonly BusEntry[]): Promise<readonly boolean[]>;
}

export interface BusEntry {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
}

export const BUS_ENTRIES_MAX = 10;

/** A queue whose messages come back after a while. */
export interface Delays {
  /** At most 900 seconds (SQS). Delivered at least once. */
  send(message: ProbeMessage, delaySeconds: number): Promise<void>;
}

export const DELAY_SECONDS_MAX = 900;

/** The look that a delayed message stands for. It counts only while it is still the run's look. */
export interface ProbeMessage {
  readonly runId: string;
  readonly status: ActiveStatus;
  readonly lookAt: string;
}
