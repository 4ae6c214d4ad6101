import type { ActiveStatus, BatchStatus, JobSpec, Run, RunEvent, Settings } from '../../events';

/**
 * What handlers need from outside, in words of the domain. `handlers/aws` puts AWS behind it, `sim`
 * a twin. A port method throws only on surprise (throttling, a lost answer, a defect); a refusal
 * that can be expected is an outcome.
 */
export interface Ports {
  readonly clock: Clock;
  /** 0 ≤ random < 1. Only for jitter: no decision depends on it. */
  readonly random: () => number;
  readonly runs: Runs;
  readonly once: Once;
  readonly log: (line: LogLine) => void;
  readonly settings: SettingsSource;
  readonly volumes: Volumes;
  readonly jobs: Jobs;
}

/** The ports a handler may ask for by name; the rest belongs to the one path. */
export type PortName = 'settings' | 'volumes' | 'jobs';

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
  release(wanted: { readonly runId: string; readonly volumeId?: string }): Promise<Released>;
  /** Marks the volume as its owner's: nothing of ours may delete it any more. False: there is none. */
  keep(volumeId: string): Promise<boolean>;
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
  /** Terminates every living job of the run, known to it or not. Gives those it terminated. */
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
