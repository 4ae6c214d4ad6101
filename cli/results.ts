import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, linksOf, type Run } from '../events';
import { filesIn } from '../sim/files';
import type { Home } from '../sim/home';
import { compareCheckpoint } from '../sim/sample-job';
import { placeOf } from '../sim/trees';
import { sampleResult } from './local-settings';

/** An object that a run left in its bucket. */
export interface Result {
  readonly key: string;
  readonly path: string;
  readonly bytes: number;
}

/** What a run left in S3, and whether it is what it must be, as far as anybody can tell. */
export interface Results {
  readonly objects: readonly Result[];
  readonly verdict: /** So many files were compared byte for byte; of a single one its hash. */
    | { readonly kind: 'right'; readonly files: number; readonly sha256?: string }
    | { readonly kind: 'wrong'; readonly reason: string }
    /** A person's own job: only they know. */
    | { readonly kind: 'unknown' };
}

/** Reads a run's place in the local bucket; the sample job's results are compared byte for byte. */
export function resultsOf(run: Run, home: Home): Results {
  const { bucket, prefix } = placeOfResults(run);
  const folder = join(home.buckets, bucket, prefix);
  const objects = filesIn(folder)
    .map(({ name, path, bytes }) => ({ key: `${prefix}${name}`, path, bytes }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return { objects, verdict: verdictOf(run, folder) };
}

/** A volume's job copies to the run's own prefix; an export goes where the file system is tied to. */
function placeOfResults(run: Run): { readonly bucket: string; readonly prefix: string } {
  const [scratch] = linksOf(run);
  if (run.mode === 'onlyEBS' || !scratch) return run.results;
  return placeOf(scratch.repositoryPath);
}

function verdictOf(run: Run, folder: string): Results['verdict'] {
  const samples = Object.values(run.jobs).filter((job) => sampleResult(job));
  const [sample] = samples;
  if (!sample || samples.length > 1) return { kind: 'unknown' };
  const tasks = tasksOf(sample);
  const compared = tasks.map((task) => compare(sample, folder, task));
  const wrong = compared.find(({ ok }) => !ok);
  if (wrong && !wrong.ok) return { kind: 'wrong', reason: wrong.reason };
  const [first] = compared;
  const sha256 = first?.ok && tasks.length === 1 ? first.sha256 : undefined;
  return { kind: 'right', files: tasks.length, sha256 };
}

/** The tasks of an array; one without a number for a single job. */
function tasksOf({ arraySize }: Job): (number | undefined)[] {
  if (arraySize === undefined) return [undefined];
  return Array.from({ length: arraySize }, (_, index) => index);
}

function compare(job: Job, folder: string, task: number | undefined) {
  const { index = 0, sizeMib = 0 } = sampleResult(job) ?? {};
  const checkpoint = `checkpoint-${digits(index)}`;
  const name = task === undefined ? checkpoint : `task-${digits(task)}/${checkpoint}`;
  const path = join(folder, name);
  if (!existsSync(path)) return { ok: false, reason: `${name} is not in the bucket` } as const;
  const compared = compareCheckpoint(path, index, sizeMib, task);
  if (compared.ok) return compared;
  return { ok: false, reason: `${name} is not what it must be: ${compared.reason}` } as const;
}

function digits(number: number): string {
  return String(number).padStart(4, '0');
}
