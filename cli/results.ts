import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../events';
import { filesIn } from '../sim/files';
import type { Home } from '../sim/home';
import { compareCheckpoint } from '../sim/sample-job';
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
  readonly verdict:
    | { readonly kind: 'right'; readonly sha256: string }
    | { readonly kind: 'wrong'; readonly reason: string }
    /** A person's own job: only they know. */
    | { readonly kind: 'unknown' };
}

/** Reads a run's prefix of the local bucket; the sample job's result is compared byte for byte. */
export function resultsOf(run: Run, home: Home): Results {
  const folder = join(home.buckets, run.results.bucket, run.results.prefix);
  const objects = filesIn(folder).map(({ name, path, bytes }) => ({
    key: `${run.results.prefix}${name}`,
    path,
    bytes,
  }));
  return { objects, verdict: verdictOf(run, folder) };
}

function verdictOf(run: Run, folder: string): Results['verdict'] {
  const samples = Object.values(run.jobs).flatMap((job) => sampleResult(job) ?? []);
  const [sample] = samples;
  if (!sample || samples.length > 1) return { kind: 'unknown' };
  const name = `checkpoint-${String(sample.index).padStart(4, '0')}`;
  const path = join(folder, name);
  if (!existsSync(path)) return { kind: 'wrong', reason: `${name} is not in the bucket` };
  const compared = compareCheckpoint(path, sample.index, sample.sizeMib);
  if (compared.ok) return { kind: 'right', sha256: compared.sha256 };
  return { kind: 'wrong', reason: `${name} is not what it must be: ${compared.reason}` };
}
