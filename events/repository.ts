import type { Run } from './run';

/** Where a file system has its results, and what the export brings to S3. */
export const SCRATCH = '/scratch';
/** Where a file system shows its input. */
export const INPUT = '/input';

/** A tie between a path on the file system and a place in S3, as the run needs it. */
export interface Link {
  /** On the file system. */
  readonly path: typeof SCRATCH | typeof INPUT;
  /** `s3://<bucket>/<prefix>/` */
  readonly repositoryPath: string;
  readonly direction: 'both' | 'import';
  /** What lies in S3 already is shown on the file system, and that task is awaited. */
  readonly imports: boolean;
  /** Changes go to S3 all along. */
  readonly autoExports: boolean;
}

/**
 * The links of a run. Results go to a prefix of its own, where nothing can be yet, unless it names
 * another one. There is no auto-import: it would change the notifications of the bucket.
 */
export function linksOf({ mode, parameters, results }: Run): readonly Link[] {
  const { dataRepositoryPath, inputRepositoryPath } = parameters;
  const own = `s3://${results.bucket}/${results.prefix}`;
  const scratch: Link = {
    path: SCRATCH,
    repositoryPath: asFolder(dataRepositoryPath ?? own),
    direction: 'both',
    imports: dataRepositoryPath !== undefined,
    autoExports: mode === 'autoExport',
  };
  if (inputRepositoryPath === undefined) return [scratch];
  const input: Link = {
    path: INPUT,
    repositoryPath: asFolder(inputRepositoryPath),
    direction: 'import',
    imports: true,
    autoExports: false,
  };
  return [scratch, input];
}

/** The first link that nobody has asked for yet. */
export function missingLink(run: Run): Link | undefined {
  return linksOf(run).find(({ path }) => run.storage.links?.[path] === undefined);
}

/** Where an export leaves the list of files that it could not bring: inside the association, as FSx wants it. */
export function reportPathOf(run: Run): string {
  const [scratch] = linksOf(run);
  return `${scratch?.repositoryPath ?? ''}_ebbtide/reports`;
}

/** Whether one of two places in S3 lies in the other: then two runs would write over each other. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [asFolder(one), asFolder(other)];
  return a.startsWith(b) || b.startsWith(a);
}

function asFolder(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}
