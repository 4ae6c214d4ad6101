/**
 * What lies on a volume beside the job's data, where no job can see it: whose it is, and who was
 * there. The fence between submissions: SubmitJob has no token, so two jobs of one name may exist.
 */
export interface Marker {
  readonly runId: string;
  /** The Batch job id that claimed each submission of each job, as `<job>/<submission>`. */
  readonly claims: { readonly [submission: string]: string };
  /** Starts of each job on this storage. */
  readonly attempts: { readonly [job: string]: number };
  /** The newest submission seen of each job. */
  readonly newest: { readonly [job: string]: number };
  /** Jobs whose last start left no exit. */
  readonly open: readonly string[];
}

export interface Claimant {
  readonly runId: string;
  readonly job: string;
  readonly submission: number;
  readonly jobId: string;
}

export type Claim =
  | {
      readonly ok: true;
      readonly marker: Marker;
      readonly attempt: number;
      readonly interrupted: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/** Lets a container in, or says why not: another run's storage, another job's claim, an older submission. */
export function claim(marker: Marker | undefined, claimant: Claimant): Claim {
  const { runId, job, submission, jobId } = claimant;
  const before = marker ?? { runId, claims: {}, attempts: {}, newest: {}, open: [] };
  if (before.runId !== runId) {
    return { ok: false, reason: `the storage belongs to run ${before.runId}, not to ${runId}` };
  }
  const name = `${job}/${submission}`;
  const holder = own(before.claims, name);
  if (holder !== undefined && holder !== jobId) {
    return { ok: false, reason: `submission ${name} is claimed by job ${holder}, not by ${jobId}` };
  }
  const newest = own(before.newest, job) ?? 0;
  if (submission < newest) {
    return { ok: false, reason: `submission ${submission} of ${job} is older than ${newest}` };
  }
  const attempt = (own(before.attempts, job) ?? 0) + 1;
  return {
    ok: true,
    attempt,
    interrupted: before.open.includes(job),
    marker: {
      runId,
      claims: { ...before.claims, [name]: jobId },
      attempts: { ...before.attempts, [job]: attempt },
      newest: { ...before.newest, [job]: submission },
      open: [...before.open.filter((each) => each !== job), job],
    },
  };
}

/** A job may be called `constructor`: only what was noted counts. */
function own<Value>(record: { readonly [name: string]: Value }, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Notes that a job's container left by itself. */
export function leave(marker: Marker, job: string): Marker {
  return { ...marker, open: marker.open.filter((each) => each !== job) };
}
