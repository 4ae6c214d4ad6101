import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KnownFiles, knownFiles } from './known-files';
import {
  type Brought,
  type ChangedFile,
  isWithin,
  keyOf,
  placeOf,
  type Tie,
  type Trees,
} from './trees';
import { clear, errnoOf, place } from './whole-files';

interface Directories {
  /** The directory that a file system is. What S3 has of it is noted in a file beside it. */
  rootOf(fileSystemId: string): string;
  /** One directory per bucket, and a file in it per object. */
  readonly buckets: string;
}

/**
 * Trees of real files. A bucket that is a directory cannot hold all that S3 can: no empty directories,
 * no links, not both `a` and `a/b`.
 */
export function directoryTrees({ rootOf, buckets }: Directories): Trees {
  const known = new Map<string, KnownFiles>();
  /** What is removed with them was not deleted by a job. */
  const dropped = new Set<string>();
  const fileOf = (fileSystemId: string, path: string) => join(rootOf(fileSystemId), path);
  const knownOf = (fileSystemId: string) => {
    const files = known.get(fileSystemId) ?? knownFiles(`${rootOf(fileSystemId)}.known.jsonl`);
    known.set(fileSystemId, files);
    return files;
  };
  const objectOf = (bucket: string, key: string) => {
    const odd = [bucket, ...key.split('/')].find((part) => ['', '.', '..'].includes(part));
    if (odd === undefined) return join(buckets, bucket, key);
    throw new Error(`a local bucket cannot hold ${bucket}/${key}: a part of it is '${odd}'`);
  };

  async function changed(fileSystemId: string, path: string): Promise<readonly ChangedFile[]> {
    const files = await filesBelow(rootOf(fileSystemId), path);
    return files.filter((each) => knownOf(fileSystemId).get(each.path) !== each.stamp);
  }

  async function gone(fileSystemId: string, path: string): Promise<readonly string[]> {
    const root = rootOf(fileSystemId);
    const there = new Set((await filesBelow(root, path)).map((each) => each.path));
    const paths: string[] = [];
    for (const each of knownOf(fileSystemId).paths()) {
      const isSought = isWithin(each, path) && !there.has(each);
      if (isSought && (await isGone(root, each).catch(() => false))) paths.push(each);
    }
    return paths.sort();
  }

  async function erase(tie: Tie, path: string): Promise<Brought> {
    const { fileSystemId, repositoryPath } = tie;
    const key = keyOf(tie, path);
    const files = knownOf(fileSystemId);
    if (key === undefined || files.get(path) === undefined) return { kind: 'vanished' };
    try {
      const isOver = await isGone(rootOf(fileSystemId), path);
      if (!isOver || dropped.has(fileSystemId)) return { kind: 'vanished' };
      const { bucket } = placeOf(repositoryPath);
      await clear(objectOf(bucket, key), join(buckets, bucket));
      if (!dropped.has(fileSystemId)) files.delete(path);
      return { kind: 'done' };
    } catch (error) {
      return { kind: 'failed', errorCode: codeOf(error) };
    }
  }

  async function bring(tie: Tie, path: string): Promise<Brought> {
    const key = keyOf(tie, path);
    if (key === undefined) return { kind: 'failed', errorCode: 'PathSizeTooLong' };
    const from = fileOf(tie.fileSystemId, path);
    return settled(async () => {
      // The stamp of before: what is written during the copy is a change that is still to be brought.
      const stamp = await stampOf(from);
      if (stamp === undefined) return { kind: 'vanished' };
      const to = objectOf(placeOf(tie.repositoryPath).bucket, key);
      await place(to, join(buckets, '.incoming'), (staged) => copy(from, staged));
      knownOf(tie.fileSystemId).set(path, stamp);
      return { kind: 'done' };
    }, from);
  }

  async function fetch(tie: Tie, name: string): Promise<Brought> {
    const { bucket, prefix } = placeOf(tie.repositoryPath);
    const path = join(tie.path, name);
    const to = fileOf(tie.fileSystemId, path);
    const files = knownOf(tie.fileSystemId);
    const before = await stampOf(to);
    if (before !== undefined && before !== files.get(path)) return { kind: 'done' };
    const from = objectOf(bucket, `${prefix}${name}`);
    return settled(async () => {
      await place(to, `${rootOf(tie.fileSystemId)}.incoming`, (staged) => copy(from, staged));
      files.set(path, (await stampOf(to)) ?? '');
      return { kind: 'done' };
    }, from);
  }

  return {
    make: async (fileSystemId, path) =>
      void (await mkdir(fileOf(fileSystemId, path), { recursive: true })),
    has: async (fileSystemId, path) => (await statOf(fileOf(fileSystemId, path))) !== undefined,
    changed,
    gone,
    bring,
    erase,
    async objects({ repositoryPath }) {
      const { bucket, prefix } = placeOf(repositoryPath);
      const files = await filesBelow(join(buckets, bucket, prefix), '/');
      return files.map(({ path }) => path.slice(1));
    },
    fetch,
    put: (bucket, key, body) =>
      place(objectOf(bucket, key), join(buckets, '.incoming'), (staged) => writeFile(staged, body)),
    async drop(fileSystemId) {
      dropped.add(fileSystemId);
      known.delete(fileSystemId);
      // Its notes first: without them no file of a half-removed one can be missed.
      for (const suffix of ['.known.jsonl', '', '.incoming']) {
        await rm(`${rootOf(fileSystemId)}${suffix}`, { recursive: true, force: true });
      }
    },
  };
}

/** More than a disk has: who comes here goes round in circles. */
const ENTRIES_MAX = 100_000_000;

/** The plain files below a path of a root. What cannot be read is listed too, with the reason. */
async function filesBelow(root: string, path: string): Promise<ChangedFile[]> {
  const files: ChangedFile[] = [];
  const left = [path];
  for (let count = 0; count < ENTRIES_MAX; count += 1) {
    const each = left.pop();
    if (each === undefined) return files;
    try {
      const stat = await statOf(join(root, each));
      if (stat?.isDirectory()) left.push(...(await namesIn(root, each, files)));
      if (stat?.isFile()) files.push({ path: each, stamp: asStamp(stat) });
    } catch (error) {
      files.push({ path: each, stamp: '', errorCode: codeOf(error) });
    }
  }
  throw new Error(`${root} has more than ${ENTRIES_MAX} entries`);
}

/** A name that is no UTF-8 cannot be a key; FSx does not bring it either. */
async function namesIn(root: string, path: string, odd: ChangedFile[]): Promise<string[]> {
  const entries = await readdir(join(root, path), { encoding: 'buffer' }).catch(emptyIfGone);
  const names: string[] = [];
  for (const entry of entries) {
    const name = join(path, entry.toString('utf8'));
    if (Buffer.from(entry.toString('utf8')).equals(entry)) names.push(name);
    else odd.push({ path: name, stamp: '', errorCode: 'InternalError' });
  }
  // Taken from the end, so that files come by name.
  return names.sort().reverse();
}

function emptyIfGone(error: NodeJS.ErrnoException): Buffer[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

async function statOf(file: string) {
  try {
    return await lstat(file, { bigint: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return undefined;
    throw error;
  }
}

/** Whether no plain file is at a path, links not followed. A root that is away itself says nothing of files. */
async function isGone(root: string, path: string): Promise<boolean> {
  if (!(await statOf(root))?.isDirectory()) return false;
  const parts = path.split('/').filter((part) => part !== '');
  let directory = root;
  for (const part of parts.slice(0, -1)) {
    directory = join(directory, part);
    if (!(await statOf(directory))?.isDirectory()) return true;
  }
  return (await stampOf(join(root, path))) === undefined;
}

/** Undefined where there is no plain file. */
async function stampOf(file: string): Promise<string | undefined> {
  const stat = await statOf(file);
  return stat?.isFile() ? asStamp(stat) : undefined;
}

function asStamp({ size, mtimeNs }: { readonly size: bigint; readonly mtimeNs: bigint }): string {
  return `${size}.${mtimeNs}`;
}

async function copy(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/** What became of a copy, where the one it was to be copied from may be gone by now. */
async function settled(run: () => Promise<Brought>, from: string): Promise<Brought> {
  try {
    return await run();
  } catch (error) {
    const isGone = (await stampOf(from).catch(() => '')) === undefined;
    return isGone ? { kind: 'vanished' } : { kind: 'failed', errorCode: codeOf(error) };
  }
}

/** The word of FSx's report that is nearest to what the disk says. */
function codeOf(error: unknown): string {
  const errno = errnoOf(error);
  if (errno === 'ENAMETOOLONG') return 'PathSizeTooLong';
  if (errno === 'EBUSY' || errno === 'ETXTBSY') return 'ResourceBusy';
  return errno === 'EACCES' || errno === 'EPERM' ? 'S3AccessDenied' : 'InternalError';
}
