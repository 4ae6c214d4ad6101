/**
 * What lies on a volume beside the job's data, where no job can see it: whose it is, and who was
 * there. The fence between submissions: SubmitJob has no token, so two jobs of one name may exist.
 */
export interface Marker {
  readonly runId: string;
  /** The Batch job id that claimed each submission of each job, as `<job>/<submission>`; an array's own. */
  readonly claims: { readonly [submission: string]: string };
  /** Starts of each job on this storage; of each task of an array, as `<job>:<index>`. */
  readonly attempts: { readonly [place: string]: number };
  /** The newest submission seen of each job. */
  readonly newest: { readonly [job: string]: number };
  /** Jobs, and tasks of arrays, whose last start left no exit. */
  readonly open: readonly string[];
}

/** A container that wants to work on a storage. */
export interface Claimant {
  readonly runId: string;
  readonly job: string;
  readonly submission: number;
  /** As the container sees it: `<array>:<index>` for a task of an array. */
  readonly jobId: string;
  /** Which task of an array. */
  readonly index?: number;
}

/** Whether a container may work on a storage, and what its marker says then. */
export type Claim =
  | {
      readonly ok: true;
      readonly marker: Marker;
      readonly attempt: number;
      readonly interrupted: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * Lets a container in, or says why not: another run's storage, another job's claim, an older
 * submission. A submission of an array is claimed for all its tasks at once, by the first of them.
 */
export function claim(marker: Marker | undefined, claimant: Claimant): Claim {
  const { runId, job, submission } = claimant;
  const before = marker ?? { runId, claims: {}, attempts: {}, newest: {}, open: [] };
  const reason = refusal(before, claimant);
  if (reason !== undefined) return { ok: false, reason };
  const place = placeOf(claimant);
  const attempt = (own(before.attempts, place) ?? 0) + 1;
  return {
    ok: true,
    attempt,
    interrupted: before.open.includes(place),
    marker: {
      runId,
      claims: { ...before.claims, [`${job}/${submission}`]: submittedId(claimant) },
      attempts: { ...before.attempts, [place]: attempt },
      newest: { ...before.newest, [job]: submission },
      open: [...before.open.filter((each) => each !== place), place],
    },
  };
}

function refusal(before: Marker, claimant: Claimant): string | undefined {
  const { runId, job, submission } = claimant;
  if (before.runId !== runId) return `the storage belongs to run ${before.runId}, not to ${runId}`;
  const name = `${job}/${submission}`;
  const jobId = submittedId(claimant);
  const holder = own(before.claims, name);
  if (holder !== undefined && holder !== jobId) {
    return `submission ${name} is claimed by job ${holder}, not by ${jobId}`;
  }
  const newest = own(before.newest, job) ?? 0;
  if (submission >= newest) return undefined;
  return `submission ${submission} of ${job} is older than ${newest}`;
}

/** Under which name a marker counts the starts of a job, or of a task of an array. */
export function placeOf({ job, index }: Pick<Claimant, 'job' | 'index'>): string {
  return index === undefined ? job : `${job}:${index}`;
}

/** The id that SubmitJob gave: the tasks of an array have their index behind it. */
function submittedId({ jobId, index }: Claimant): string {
  const end = `:${index}`;
  return index !== undefined && jobId.endsWith(end) ? jobId.slice(0, -end.length) : jobId;
}

/** A job may be called `constructor`: only what was noted counts. */
function own<Value>(record: { readonly [name: string]: Value }, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Notes that the container of a job, or of a task, left by itself: see `placeOf`. */
export function leave(marker: Marker, place: string): Marker {
  return { ...marker, open: marker.open.filter((each) => each !== place) };
}
